//! What each operation costs, from what many parts cost that consist of them.

/// Non-negative costs `x` for which `sum_j counts[j] x[j]` is as near to what was measured as can be, relative to it: the least
/// squares of relative errors, by coordinate descent.
pub(super) fn costs(parts: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let n = parts.first().map_or(0, |(counts, _)| counts.len());
    let rows: Vec<Vec<f64>> =
        parts.iter().map(|(counts, measured)| counts.iter().map(|count| count / measured).collect()).collect();
    let mut costs = vec![0.0; n];
    let mut rests = vec![1.0; rows.len()];
    let squares: Vec<f64> = (0..n).map(|j| rows.iter().map(|row| row[j] * row[j]).sum()).collect();
    for _ in 0..SWEEPS {
        for j in (0..n).filter(|&j| squares[j] > 0.0) {
            let gradient: f64 = rows.iter().zip(&rests).map(|(row, rest)| row[j] * rest).sum();
            let before = costs[j];
            costs[j] = (before + gradient / squares[j]).max(0.0);
            let change = costs[j] - before;
            rests.iter_mut().zip(&rows).for_each(|(rest, row)| *rest -= row[j] * change);
        }
    }
    costs
}

const SWEEPS: usize = 100_000;

/// What is estimated from the costs.
pub(super) fn estimate(counts: &[f64], costs: &[f64]) -> f64 {
    counts.iter().zip(costs).map(|(count, cost)| count * cost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_of_operations_are_found_and_never_negative() {
        // 10 a row, 2 a product, and nothing for a third operation that seems to save time.
        let parts = [[1.0, 5.0, 0.0], [3.0, 50.0, 1.0], [2.0, 8.0, 4.0], [7.0, 100.0, 0.0]];
        let parts = parts.map(|counts| (counts.to_vec(), 10.0 * counts[0] + 2.0 * counts[1] - 1e-6 * counts[2]));
        let costs = costs(&parts);
        assert!((costs[0] - 10.0).abs() < 1e-3 && (costs[1] - 2.0).abs() < 1e-3, "{costs:?}");
        assert_eq!(costs[2], 0.0);
        assert!((estimate(&[1.0, 1.0, 1.0], &costs) - 12.0).abs() < 2e-3);
    }
}
