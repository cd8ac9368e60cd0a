//! The filter of the specification in 128 bits, written from the document.

use edgemix_format::view::Filter;

/// The filtered window.
pub(crate) fn filtered(filter: &Filter, window: &[i128]) -> Vec<i128> {
    let channels: Vec<Vec<i128>> = (0..filter.channels).map(|channel| of_channel(filter, window, channel)).collect();
    (0..filter.instants / filter.factor).flat_map(|j| channels.iter().map(move |kept| kept[j])).collect()
}

fn of_channel(filter: &Filter, window: &[i128], channel: usize) -> Vec<i128> {
    let mut x: Vec<i128> = window.iter().skip(channel).step_by(filter.channels).map(|count| count << 12).collect();
    // What the first instant would have left if it had lasted for ever.
    let mut before = x[0];
    for section in filter.sections {
        let [b0, b1, b2, a1, a2] = section.map(i128::from);
        let settled = if b0 + b1 + b2 == 0 { 0 } else { before };
        let mut y: Vec<i128> = vec![];
        for t in 0..x.len() {
            let at = |values: &[i128], back: usize, settled| if t < back { settled } else { values[t - back] };
            let sum = b0 * x[t]
                + b1 * at(&x, 1, before)
                + b2 * at(&x, 2, before)
                + a1 * at(&y, 1, settled)
                + a2 * at(&y, 2, settled);
            y.push(((sum + (1 << 29)) >> 30).clamp(-(1 << 29), 1 << 29));
        }
        (x, before) = (y, settled);
    }
    let rounded = |y: &i128| ((y + (1 << 11)) >> 12).clamp(-32768, 32767);
    x.iter().skip(filter.factor - 1).step_by(filter.factor).map(rounded).collect()
}
