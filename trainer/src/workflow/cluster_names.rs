//! Names that the user gives to clusters.

use super::error::WorkflowError;

/// Checks that there is one name for each cluster, or none at all.
///
/// # Errors
/// [`WorkflowError::ClusterNames`] if there are names, but not one for each cluster.
///
/// ```
/// use edgemix::workflow::{WorkflowError, check_cluster_names};
///
/// let names = ["walk".to_owned(), "sit".to_owned()];
/// assert!(check_cluster_names(&names, 2).is_ok() && check_cluster_names(&[], 2).is_ok());
/// assert!(matches!(check_cluster_names(&names, 3), Err(WorkflowError::ClusterNames { .. })));
/// ```
pub fn check_cluster_names(names: &[String], n_clusters: usize) -> Result<(), WorkflowError> {
    if names.is_empty() || names.len() == n_clusters {
        return Ok(());
    }
    Err(WorkflowError::ClusterNames { names: names.len(), clusters: n_clusters })
}
