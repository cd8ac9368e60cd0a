//! Names that the user gives to clusters.

use super::error::WorkflowError;

/// Checks that there is one name for each cluster, or none at all.
///
/// # Errors
/// [`WorkflowError::ClusterNames`] if there are names, but not one for each cluster, and [`WorkflowError::RepeatedName`] if two
/// clusters have the same name.
///
/// ```
/// use edgemix::workflow::{WorkflowError, check_cluster_names};
///
/// let names = ["walk".to_owned(), "sit".to_owned()];
/// assert!(check_cluster_names(&names, 2).is_ok() && check_cluster_names(&[], 2).is_ok());
/// assert!(matches!(check_cluster_names(&names, 3), Err(WorkflowError::ClusterNames { .. })));
/// let names = ["walk".to_owned(), "walk".to_owned()];
/// assert!(matches!(check_cluster_names(&names, 2), Err(WorkflowError::RepeatedName { .. })));
/// ```
pub fn check_cluster_names(names: &[String], n_clusters: usize) -> Result<(), WorkflowError> {
    if !names.is_empty() && names.len() != n_clusters {
        return Err(WorkflowError::ClusterNames { names: names.len(), clusters: n_clusters });
    }
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = names[..second].iter().position(|earlier| earlier == name) {
            return Err(WorkflowError::RepeatedName { name: name.clone(), clusters: [first, second] });
        }
    }
    Ok(())
}
