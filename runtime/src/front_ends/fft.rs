//! The Fourier transform of real numbers, as a complex one of half the length (decimation in time, in place).

/// A complex number: real part, imaginary part.
pub(super) type Complex = [i32; 2];

/// A quarter of a wave: `round(2^15 * sin(pi i / 512))`, at most 32767.
static SINE: [i16; 257] = sine_table();
const QUARTER: usize = 256;

/// `a * w / 2`, rounded down, where `w` is in units of 2^-15.
#[cfg(not(edgemix_core = "baseline"))]
#[inline(always)]
pub(super) fn half(a: i32, w: i16) -> i32 {
    ((i64::from(a) * i64::from(i32::from(w) << 16)) >> 32) as i32
}

/// The same of two products of 32 bits: the low half of `a` is not negative, so rounding its product down is enough.
#[cfg(edgemix_core = "baseline")]
#[inline(always)]
pub(super) fn half(a: i32, w: i16) -> i32 {
    let w = i32::from(w);
    (a >> 16) * w + (((a & 0xffff) * w) >> 16)
}

/// Transforms `z`, whose element `rev(n)` holds the real numbers `2n` and `2n + 1`, `rev` reversing the bits of an index.
/// The length of `z` is a power of two from 8 to 512.
///
/// Real numbers have an absolute value of at most 2^26. With `N` of them, element `k` becomes bin `k` over `N`, which is
/// within 2^26 as well. The real bin `N / 2` is returned.
pub(super) fn real(z: &mut [Complex]) -> i32 {
    complex(z);
    split(z)
}

/// The complex transform, times 4 over its length. Absolute values stay below 2^29.
fn complex(z: &mut [Complex]) {
    let (fours, _) = z.as_chunks_mut::<4>();
    fours.iter_mut().for_each(first_stages);
    let mut size = 4;
    while size < z.len() {
        for block in z.chunks_exact_mut(2 * size) {
            stage(block);
        }
        size *= 2;
    }
}

/// The first two stages, whose factors are 1 and -i.
#[inline(always)]
fn first_stages(z: &mut [Complex; 4]) {
    let [a, b, c, d] = *z;
    let (sum, difference) = (add(a, b), subtract(a, b));
    let (other, [x, y]) = (add(c, d), subtract(c, d));
    let turned = [y, -x];
    *z = [add(sum, other), add(difference, turned), subtract(sum, other), subtract(difference, turned)];
}

/// Joins the transforms of both halves of a block, and halves the result. The factors of the second half of a half are
/// those of the first half times -i.
#[inline(always)]
fn stage(block: &mut [Complex]) {
    let quarter = block.len() / 4;
    let step = QUARTER / quarter;
    let (low, high) = block.split_at_mut(2 * quarter);
    let (low, low_turned) = low.split_at_mut(quarter);
    let (high, high_turned) = high.split_at_mut(quarter);
    let sines = SINE.iter().step_by(step);
    let cosines = SINE.iter().rev().step_by(step);
    let pairs = low.iter_mut().zip(high).zip(low_turned.iter_mut().zip(high_turned));
    for (index, (((a, b), (c, d)), (&sine, &cosine))) in pairs.zip(sines.zip(cosines)).enumerate() {
        // The first factor is 1, which 16 bits do not hold.
        let (p, [x, y]) = if index == 0 {
            (b.map(|part| part >> 1), d.map(|part| part >> 1))
        } else {
            (turn(*b, cosine, sine), turn(*d, cosine, sine))
        };
        butterfly(a, b, p);
        butterfly(c, d, [y, -x]);
    }
}

/// `a` and `b` become half of `a` plus and minus `p`.
#[inline(always)]
fn butterfly(a: &mut Complex, b: &mut Complex, p: Complex) {
    let half = a.map(|part| part >> 1);
    *a = add(half, p);
    *b = subtract(half, p);
}

/// Half of `z` times `cosine - i sine`.
#[inline(always)]
fn turn([x, y]: Complex, cosine: i16, sine: i16) -> Complex {
    [half(x, cosine) + half(y, sine), half(y, cosine) - half(x, sine)]
}

/// From the complex transform to bins of the real one, over their number. Bins `k` and `n - k` come from the same two
/// elements. Returns bin `n`.
fn split(z: &mut [Complex]) -> i32 {
    let n = z.len();
    let step = 2 * QUARTER / n.max(1);
    let mut last = 0;
    if let Some([x, y]) = z.first_mut() {
        last = (*x - *y) >> 3;
        (*x, *y) = ((*x + *y) >> 3, 0);
    }
    let sines = SINE.iter().step_by(step).skip(1);
    let cosines = SINE.iter().rev().step_by(step).skip(1);
    let (low, high) = z.split_at_mut(n / 2);
    let (middle, high) = high.split_at_mut(high.len().min(1));
    for ((a, b), (&sine, &cosine)) in low.iter_mut().skip(1).zip(high.iter_mut().rev()).zip(sines.zip(cosines)) {
        let [[ax, ay], [bx, by]] = [*a, *b];
        let even = [(ax + bx) >> 1, (ay - by) >> 1];
        // -i times the difference of a and the conjugate of b.
        let odd = turn([ay + by, bx - ax], cosine, sine);
        *a = add(even, odd).map(|part| part >> 3);
        let [x, y] = subtract(even, odd).map(|part| part >> 3);
        *b = [x, -y];
    }
    // The factor is -i.
    if let Some([x, y]) = middle.first_mut() {
        (*x, *y) = (*x >> 3, -*y >> 3);
    }
    last
}

#[inline(always)]
fn add(a: Complex, b: Complex) -> Complex {
    [a[0] + b[0], a[1] + b[1]]
}

#[inline(always)]
fn subtract(a: Complex, b: Complex) -> Complex {
    [a[0] - b[0], a[1] - b[1]]
}

const fn sine_table() -> [i16; 257] {
    let mut table = [0; 257];
    let mut i = 0;
    while i < 257 {
        let scaled = 32768.0 * sine(core::f64::consts::FRAC_PI_2 * i as f64 / 256.0) + 0.5;
        table[i] = if scaled < 32767.0 { scaled as i16 } else { 32767 };
        i += 1;
    }
    table
}

/// The sine of an angle from 0 to pi / 2, by its Taylor series up to x^23.
const fn sine(x: f64) -> f64 {
    let mut sum = 1.0;
    let mut k = 11;
    while k > 0 {
        sum = 1.0 - sum * x * x / (2 * k * (2 * k + 1)) as f64;
        k -= 1;
    }
    sum * x
}
