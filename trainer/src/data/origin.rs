//! Columns whose numbers f32 can't tell apart, such as degrees of latitude or seconds since 1970: something near all of
//! their values is subtracted before these are rounded.

/// How far apart the numbers of a column must be, as a share of their greatest magnitude, to be rounded as they are: 2^16
/// steps of f32 remain between the least and the greatest then.
const NARROW: f64 = 1.0 / 256.0;

/// Rounds the numbers of a table to f32, less the origin of their column, and remembers which columns that is too coarse
/// for.
#[derive(Clone, Debug)]
pub(super) struct Rounding {
    origins: Vec<f64>,
    extents: Vec<Extent>,
}

/// What the numbers of a column were before they were rounded.
#[derive(Clone, Copy, Debug)]
struct Extent {
    least: f64,
    greatest: f64,
    is_exact: bool,
    are_integers: bool,
    last: f64,
    rises: bool,
}

impl Rounding {
    /// For columns with these origins; missing ones are 0.
    pub(super) fn new(n_columns: usize, origins: &[f64]) -> Self {
        let (least, greatest) = (f64::INFINITY, f64::NEG_INFINITY);
        let none = Extent { least, greatest, is_exact: true, are_integers: true, last: greatest, rises: true };
        let origins = if origins.is_empty() { vec![0.0; n_columns] } else { origins.to_vec() };
        Self { extents: vec![none; origins.len()], origins }
    }

    /// A number of a column, less the column's origin.
    pub(super) fn round(&mut self, column: usize, value: f64) -> f32 {
        let extent = &mut self.extents[column];
        (extent.least, extent.greatest) = (extent.least.min(value), extent.greatest.max(value));
        extent.is_exact &= f64::from(value as f32) == value;
        extent.are_integers &= value.fract() == 0.0;
        extent.rises &= value > extent.last;
        extent.last = value;
        (value - self.origins[column]) as f32
    }

    /// What is subtracted from each column.
    pub(super) fn origins(&self) -> &[f64] {
        &self.origins
    }

    /// The columns whose numbers rise from each to the next.
    pub(super) fn rising(&self) -> impl Iterator<Item = usize> {
        self.extents.iter().enumerate().filter(|(_, extent)| extent.rises).map(|(column, _)| column)
    }

    /// An origin for each column, if one of them needs any.
    pub(super) fn wanted(&self) -> Option<Vec<f64>> {
        let wanted: Vec<f64> = self.extents.iter().map(|extent| extent.origin()).collect();
        wanted.iter().any(|&origin| origin != 0.0).then_some(wanted)
    }
}

/// Checks that there is an origin for each column, or none.
pub(super) fn check(origins: &[f64], n_columns: usize) -> Result<(), String> {
    let expected = origins.len();
    if origins.is_empty() || expected == n_columns {
        return Ok(());
    }
    Err(format!(
        "it has {n_columns} columns, and the model subtracts a number from each of {expected}: give the columns of training"
    ))
}

impl Extent {
    /// A number with few digits that is near all of the column's: a multiple of the power of ten that is at least as large
    /// as their differences. 0 for columns that f32 tells apart as they are, and for those that never change.
    fn origin(self) -> f64 {
        let span = self.greatest - self.least;
        let magnitude = self.greatest.max(-self.least);
        let is_narrow = span > 8.0 * f64::EPSILON * magnitude && span < NARROW * magnitude;
        if self.is_exact || !is_narrow {
            return 0.0;
        }
        let exponent = (span.log10().ceil() as i32).max(if self.are_integers { 0 } else { i32::MIN });
        let middle = self.least + span / 2.0;
        match u32::try_from(exponent) {
            Ok(exponent) => {
                let unit = 10f64.powi(exponent as i32);
                (middle / unit).round() * unit
            }
            // The decimal number that is nearest.
            Err(_) => format!("{middle:.*}", exponent.unsigned_abs() as usize).parse().unwrap_or(middle),
        }
    }
}

/// Which column each element of an array belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArrayColumns {
    pub(super) n: usize,
    /// How many elements of one column follow each other.
    run: usize,
}

impl ArrayColumns {
    /// Of an array whose last index counts `n` columns. `is_fortran` says that the first index runs fastest.
    pub(super) fn new(shape: &[usize], n: usize, is_fortran: bool) -> Self {
        let others: usize = shape.split_last().map_or(1, |(_, others)| others.iter().product());
        Self { n: n.max(1), run: if is_fortran { others.max(1) } else { 1 } }
    }

    /// The columns of all elements from this one on.
    pub(super) fn columns_from(self, element: usize) -> impl Iterator<Item = usize> {
        let Self { n, run } = self;
        let (mut column, mut left) = (element / run % n, run - element % run);
        std::iter::from_fn(move || {
            let found = column;
            left -= 1;
            if left == 0 {
                left = run;
                column = if column + 1 == n { 0 } else { column + 1 };
            }
            Some(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(columns: &[[f64; 3]]) -> Option<Vec<f64>> {
        let mut rounding = Rounding::new(columns.len(), &[]);
        for (c, column) in columns.iter().enumerate() {
            column.iter().for_each(|&x| {
                rounding.round(c, x);
            });
        }
        rounding.wanted()
    }

    #[test]
    fn columns_that_f32_tells_apart_have_no_origin() {
        for column in [
            [8.5421, -4.8861, 0.1],
            [101_325.2, 101_900.1, 100_000.0],
            // Exact as they are, constant, or constant but for the rounding of f64.
            [30_000.0, 30_001.0, 30_002.0],
            [0.1; 3],
            [0.1 + 0.2, 0.3, 0.3],
        ] {
            assert_eq!(origins(&[column]), None, "{column:?}");
        }
    }

    #[test]
    fn columns_that_it_does_not_are_centred_on_a_short_number() {
        let found = origins(&[
            [48.137_154, 48.137_201, 48.137_099],
            [1.7e9, 1.7e9 + 3.5, 1.7e9 + 1.0],
            [1_700_000_123.0, 1_700_000_124.0, 1_700_000_129.0],
            [101_325.121, 101_325.375, 101_325.249],
            [-11.575_49, -11.575_51, -11.575_53],
            [1.0, 2.0, 3.5],
        ]);
        assert_eq!(found, Some(vec![48.137, 1.7e9, 1_700_000_130.0, 101_325.0, -11.5755, 0.0]));
    }

    #[test]
    fn the_columns_of_elements_are_found_in_both_orders() {
        for (is_fortran, expected) in [(false, [0, 1, 2, 0, 1, 2]), (true, [0, 0, 1, 1, 2, 2])] {
            let columns = ArrayColumns::new(&[2, 3], 3, is_fortran);
            for start in 0..12 {
                let found: Vec<usize> = columns.columns_from(start).take(9).collect();
                let expected: Vec<usize> = expected.iter().copied().cycle().skip(start).take(9).collect();
                assert_eq!(found, expected, "{is_fortran} from {start}");
            }
        }
        // Windows of a recording: samples, instants, channels.
        let columns = ArrayColumns::new(&[2, 4, 2], 2, true);
        assert_eq!(columns.columns_from(6).take(4).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

    #[test]
    fn what_remains_is_exact_to_the_rounding_of_f32() {
        for (least, step) in [(1.7e9, 0.001), (48.137, 1e-9), (-101_325.0, 1e-4)] {
            let values: Vec<f64> = (0..100).map(|i| least + f64::from(i) * step).collect();
            let mut first = Rounding::new(1, &[]);
            values.iter().for_each(|&x| {
                first.round(0, x);
            });
            let mut second = Rounding::new(1, &first.wanted().unwrap());
            let found: Vec<f32> = values.iter().map(|&x| second.round(0, x)).collect();
            for pair in found.windows(2) {
                assert!((f64::from(pair[1] - pair[0]) / step - 1.0).abs() < 0.001, "{pair:?}");
            }
            assert_eq!(first.wanted(), second.wanted());
        }
    }
}
