//! What each column of a table is used for.

use std::path::Path;

use super::error::{ColumnProblem, ColumnRole, DataError, content};
use super::note::DataNote;
use super::source::{Source, TrainedColumns};
use crate::base::names::nearest_name;

/// The columns of a table as it names them.
pub(super) struct TableColumns<'a> {
    /// The names, or none.
    pub(super) names: &'a [&'a str],
    /// Number of columns.
    pub(super) n: usize,
    /// Whether a column without a name of its own holds what an index may hold.
    pub(super) may_be_index: &'a dyn Fn(usize) -> bool,
}

/// What each column is used for, by its index from 0.
pub(super) struct Columns {
    pub(super) label: Option<usize>,
    pub(super) group: Option<usize>,
    pub(super) time: Option<usize>,
    pub(super) features: Vec<usize>,
    /// What was decided about other columns.
    pub(super) notes: Vec<DataNote>,
}

impl Columns {
    /// The columns that the source asks for.
    pub(super) fn choose(path: &Path, table: &TableColumns, source: &Source) -> Result<Self, DataError> {
        let trained = source.trained.as_ref();
        // Without names, as many columns as were trained with are these.
        if trained.is_some_and(|trained| table.names.is_empty() && trained.n_columns == table.n) {
            return Ok(Self {
                label: None,
                group: None,
                time: None,
                features: (0..table.n).collect(),
                notes: unnamed(trained),
            });
        }
        let column = |role, wanted: &str| match table.find(wanted) {
            Err(_) if source.optional_columns.contains(&role) => Ok(None),
            found => found.map(Some).map_err(|problem| DataError::Column { path: path.into(), role, problem }),
        };
        let one = |role, wanted: &Option<String>| match wanted.as_deref() {
            None | Some("") => Ok(None),
            Some(wanted) => column(role, wanted),
        };
        let label = one(ColumnRole::Labels, &source.label_column)?;
        let group = one(ColumnRole::Groups, &source.group_column)?;
        let time = one(ColumnRole::Times, &source.time_column)?;
        let left_out = source.drop_columns.iter().map(|wanted| column(ColumnRole::LeftOut, wanted));
        let left_out: Vec<Option<usize>> = left_out.collect::<Result<_, _>>()?;
        let has_role = |c: &usize| [label, group, time].contains(&Some(*c)) || left_out.contains(&Some(*c));
        let is_free = |c: &usize| !has_role(c);
        let free: Vec<usize> = (0..table.n).filter(is_free).collect();
        let (features, notes) = match trained.filter(|trained| !trained.names.is_empty() && !table.names.is_empty()) {
            Some(trained) => table.trained_features(path, &free, trained)?,
            None => {
                let (features, notes) = table.features(&free);
                (features, notes.into_iter().chain(unnamed(trained)).collect())
            }
        };
        if features.is_empty() {
            return Err(content(path, "no column is left for features: labels, groups and times are not features"));
        }
        Ok(Self { label, group, time, features, notes })
    }
}

/// That columns are taken by their place although the model knows their names.
fn unnamed(trained: Option<&TrainedColumns>) -> Vec<DataNote> {
    trained.filter(|trained| !trained.names.is_empty()).map(|_| DataNote::ColumnsByPlace).into_iter().collect()
}

impl TableColumns<'_> {
    /// All free columns but the indices of data frames.
    fn features(&self, free: &[usize]) -> (Vec<usize>, Vec<DataNote>) {
        let indices = self.indices(free);
        let features: Vec<usize> = free.iter().copied().filter(|c| !indices.contains(c)).collect();
        if features.is_empty() {
            return (free.to_vec(), vec![]);
        }
        let notes = indices.into_iter().map(|c| DataNote::IndexColumn { name: self.names[c].into() });
        (features, notes.collect())
    }

    /// The columns in which data frames keep their index, by the names that pandas gives them: the first columns in text,
    /// several if it was written more than once, and any in Parquet.
    fn indices(&self, free: &[usize]) -> Vec<usize> {
        let is_unnamed = |&c: &usize| is_unnamed(self.names[c]) && (self.may_be_index)(c);
        let first = (0..self.names.len()).take_while(is_unnamed);
        let levels = (0..self.names.len()).filter(|&c| self.names[c].starts_with("__index_level_"));
        first.chain(levels).filter(|c| free.contains(c)).collect()
    }

    /// The columns that a model was trained with, in its order, wherever they are. Of several with one name each is used
    /// once.
    fn trained_features(
        &self,
        path: &Path,
        free: &[usize],
        trained: &TrainedColumns,
    ) -> Result<(Vec<usize>, Vec<DataNote>), DataError> {
        let mut features: Vec<usize> = vec![];
        let mut missing = vec![];
        for name in &trained.names {
            let found = free.iter().find(|c| self.names[**c] == name && !features.contains(c));
            found.map_or_else(|| missing.push(name.clone()), |&c| features.push(c));
        }
        if !missing.is_empty() {
            let columns = self.names.iter().map(|&name| name.into()).collect();
            return Err(DataError::MissingColumns { path: path.into(), missing, columns });
        }
        let name = |&c: &usize| self.names[c].to_owned();
        let others: Vec<String> = free.iter().filter(|c| !features.contains(c)).map(name).collect();
        let others = (!others.is_empty()).then_some(DataNote::ColumnsLeftOut { names: others });
        let reordered = (!features.is_sorted()).then_some(DataNote::ColumnsReordered);
        Ok((features, others.into_iter().chain(reordered).collect()))
    }

    /// A column by its name, or by its index from 0.
    fn find(&self, wanted: &str) -> Result<usize, ColumnProblem> {
        let (names, n_columns) = (self.names, self.n);
        let named: Vec<usize> = (0..names.len()).filter(|&c| names[c] == wanted).collect();
        match named[..] {
            [] => {}
            [c] => return Ok(c),
            _ => {
                let columns = named.iter().map(usize::to_string).collect();
                return Err(ColumnProblem::Several { wanted: wanted.into(), columns });
            }
        }
        match wanted.parse::<usize>() {
            Ok(index) if index < n_columns => Ok(index),
            Ok(index) => Err(ColumnProblem::Index { index, n_columns }),
            Err(_) if names.is_empty() => Err(ColumnProblem::NoNames { wanted: wanted.into(), n_columns }),
            Err(_) => Err(ColumnProblem::Name {
                wanted: wanted.into(),
                nearest: nearest_name(wanted, names.iter().copied()).map(Into::into),
                columns: names.iter().map(|&name| name.into()).collect(),
            }),
        }
    }
}

/// Whether a name is what pandas writes for an index that has none.
fn is_unnamed(name: &str) -> bool {
    let number = name.strip_prefix("Unnamed: ").unwrap_or("0");
    (name.is_empty() || name.starts_with("Unnamed: ")) && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str], n: usize, trained: &[&str], source: Source) -> Result<Columns, String> {
        let names_of = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
        let trained = TrainedColumns { n_columns: trained.len(), names: names_of(trained), origins: vec![] };
        let source = Source { trained: Some(trained), optional_columns: ColumnRole::ALL.to_vec(), ..source };
        let table = TableColumns { names, n, may_be_index: &|_| true };
        Columns::choose(Path::new("x.csv"), &table, &source).map_err(|error| error.to_string())
    }

    #[test]
    fn a_models_columns_are_found_wherever_they_are() {
        let found =
            |names: &[&str]| chosen(names, names.len(), &["x", "y"], Source::default()).map(|c| (c.features, c.notes));
        assert_eq!(found(&["x", "y"]), Ok((vec![0, 1], vec![])));
        assert_eq!(found(&["y", "x"]), Ok((vec![1, 0], vec![DataNote::ColumnsReordered])));
        let left_out = DataNote::ColumnsLeftOut { names: vec!["kind".into(), "t".into()] };
        assert_eq!(found(&["kind", "x", "t", "y"]), Ok((vec![1, 3], vec![left_out])));
        let error = found(&["x", "z"]).unwrap_err();
        assert!(error.contains("x.csv: it has no column y") && error.contains("its columns are x, z"), "{error}");
    }

    #[test]
    fn columns_without_names_are_taken_by_their_place() {
        let labelled = Source { label_column: Some("0".into()), ..Source::default() };
        let found = |n| chosen(&[], n, &["x", "y"], labelled.clone()).unwrap();
        // With the column of labels of training, and without it.
        assert_eq!((found(3).label, found(3).features), (Some(0), vec![1, 2]));
        assert_eq!((found(2).label, found(2).features), (None, vec![0, 1]));
        assert_eq!(found(2).notes, [DataNote::ColumnsByPlace]);
        // A model that knows no names takes any.
        let any = chosen(&["p", "q"], 2, &[], Source::default()).unwrap();
        assert_eq!((any.features, any.notes), (vec![0, 1], vec![]));
    }

    #[test]
    fn equal_names_are_used_once_each() {
        let found = chosen(&["y", "x", "x"], 3, &["x", "x", "y"], Source::default()).unwrap();
        assert_eq!(found.features, [1, 2, 0]);
        assert!(chosen(&["x", "y"], 2, &["x", "x", "y"], Source::default()).is_err());
    }

    #[test]
    fn a_name_of_several_columns_does_not_choose_one_of_them() {
        let table = TableColumns { names: &["x", "y", "x"], n: 3, may_be_index: &|_| false };
        let features = |source: &Source| Columns::choose(Path::new("x.csv"), &table, source).map(|c| c.features);
        let labelled = |label: &str| Source { label_column: Some(label.into()), ..Source::default() };
        let dropped = Source { drop_columns: vec!["x".into()], ..Source::default() };
        for source in [labelled("x"), dropped] {
            let error = features(&source).unwrap_err().to_string();
            assert!(error.contains("is the name of the columns 0, 2"), "{error}");
        }
        assert_eq!(features(&labelled("2")).unwrap(), [0, 1]);
    }

    #[test]
    fn every_index_of_a_data_frame_is_left_out() {
        let features = |names: &[&str], may_be_index: bool| {
            let table = TableColumns { names, n: names.len(), may_be_index: &|_| may_be_index };
            Columns::choose(Path::new("x.csv"), &table, &Source::default()).unwrap().features
        };
        assert_eq!(features(&["", "Unnamed: 0", "x"], true), [2]);
        assert_eq!(features(&["Unnamed: 0.1", "Unnamed: 0", "x"], true), [2]);
        assert_eq!(features(&["x", "__index_level_0__", "y"], true), [0, 2]);
        // What holds numbers with a fraction is a feature, and so is what has a name or is all that there is.
        assert_eq!(features(&["", "x"], false), [0, 1]);
        assert_eq!(features(&["x", "", "Unnamed: 2"], true), [0, 1, 2]);
        assert_eq!(features(&[""], true), [0]);
    }
}
