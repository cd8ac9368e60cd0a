//! The page: its sections in order.

use maud::{DOCTYPE, PreEscaped, html};

use super::input::{Assignments, ReportInput};
use super::{cluster_count, decoded, features, history, levels, sections};
use crate::trained::AssignError;

impl ReportInput<'_> {
    /// The page as HTML.
    ///
    /// # Errors
    /// [`AssignError::Covariance`] if a covariance of the trained model's mixture is not positive definite, and
    /// [`AssignError::Data`] if the samples can't be read.
    pub fn page(&self) -> Result<String, AssignError> {
        let found = Assignments::new(self)?;
        let title = format!("{} by {}", self.dataset.samples.name(), self.trained.method);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) ": Edgemix" }
                    style { (PreEscaped(include_str!("style.css"))) }
                }
                body {
                    h1 { (title) }
                    (sections::facts(self, &found))
                    (sections::latents(self, &found))
                    (history::history(self, &found))
                    (sections::clusters(self, &found))
                    (features::features(self, &found)?)
                    (cluster_count::cluster_count(self))
                    (levels::levels(self))
                    (sections::labels(self, &found))
                    (sections::samples(self, &found)?)
                    (decoded::decoded(self, &found)?)
                    (sections::training(self))
                    (sections::integers(self)?)
                    (sections::chips(self))
                    (sections::again(self))
                }
            }
        };
        Ok(page.into_string())
    }
}
