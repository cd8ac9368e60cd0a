//! The Fourier transform of real numbers, as a complex one of half the length: decimation in time, in place, from natural
//! order to the order of reversed indices.
//!
//! All factors of a block are then the same, and those of all stages are the beginning of one table. Block `b` has the
//! factor `exp(-i pi r(b))`, where `r(b)` has the bits of `b`, from the last to the first, after the binary point. That
//! of an odd block is -i times that of the even one before it.
//!
//! Each pass is a function of its own, which leaves it all registers.

/// A complex number: real part, imaginary part.
pub(super) type Complex = [i32; 2];

/// Minus the cosine and minus the sine of the angle of block `2 b`, in units of 2^-15: -1 is a number of 16 bits, and 1 is
/// not.
static FACTORS: [[i16; 2]; 256] = factors();

/// `a * w / 2`, rounded down, where `w` is in units of 2^-15.
#[cfg(edgemix_has = "long-products")]
#[inline(always)]
pub(super) fn half(a: i32, w: i16) -> i32 {
    ((i64::from(a) * i64::from(i32::from(w) << 16)) >> 32) as i32
}

/// The same of two products of 32 bits: the low half of `a` is not negative, so rounding its product down is enough.
#[cfg(not(edgemix_has = "long-products"))]
#[inline(always)]
pub(super) fn half(a: i32, w: i16) -> i32 {
    let w = i32::from(w);
    (a >> 16) * w + (((a & 0xffff) * w) >> 16)
}

/// Transforms `z`, whose element `n` holds the real numbers `2n` and `2n + 1`. Its length is a power of two from 8 to 512.
///
/// Real numbers have an absolute value of at most 2^26. With `N` of them, bin `k` over `N`, or its conjugate, is where the
/// reversed bits of `k` say; it is within 2^26 as well. The real bin `N / 2` is returned.
pub(super) fn real(z: &mut [Complex]) -> i32 {
    complex(z);
    split(z)
}

/// The complex transform, times 4 over its length. Absolute values stay below 2^29.
fn complex(z: &mut [Complex]) {
    first_stages(z);
    // Short stages have functions of their own, but where the profile asks for small code.
    let least = if cfg!(edgemix_small) { 1 } else { 4 };
    let mut span = z.len() / 8;
    while span >= least {
        stage(z, span);
        span /= 2;
    }
    if span == 2 {
        short_stage::<8>(z);
    }
    if span >= 1 {
        short_stage::<4>(z);
    }
}

/// The first two stages, whose factors are 1 and -i.
#[inline(never)]
fn first_stages(z: &mut [Complex]) {
    let (low, high) = z.split_at_mut(z.len() / 2);
    let (first, second) = low.split_at_mut(low.len() / 2);
    let (third, fourth) = high.split_at_mut(high.len() / 2);
    for (((a, b), c), d) in first.iter_mut().zip(second).zip(third).zip(fourth) {
        let (sum, difference) = (add(*a, *c), subtract(*a, *c));
        let (other, turned) = (add(*b, *d), rotate(subtract(*b, *d)));
        (*a, *b) = (add(sum, other), subtract(sum, other));
        (*c, *d) = (add(difference, turned), subtract(difference, turned));
    }
}

/// Butterflies of elements that are `span` apart, which halve the result.
#[inline(never)]
fn stage(z: &mut [Complex], span: usize) {
    for (pair, &factor) in z.chunks_exact_mut(4 * span).zip(&FACTORS) {
        blocks(pair, span, factor);
    }
}

/// The butterflies of two blocks, of which the second has -i times the factor of the first.
#[inline(always)]
fn blocks(pair: &mut [Complex], span: usize, factor: [i16; 2]) {
    let (first, second) = pair.split_at_mut(2 * span);
    let (low, high) = first.split_at_mut(span);
    for (a, b) in low.iter_mut().zip(high) {
        butterfly(a, b, turn(*b, factor));
    }
    let (low, high) = second.split_at_mut(span);
    for (a, b) in low.iter_mut().zip(high) {
        butterfly(a, b, rotate(turn(*b, factor)));
    }
}

/// A stage whose pairs of blocks have `PAIR` elements, so few that loops over them would cost more than they do.
#[inline(never)]
fn short_stage<const PAIR: usize>(z: &mut [Complex]) {
    let (pairs, _) = z.as_chunks_mut::<PAIR>();
    for (pair, &factor) in pairs.iter_mut().zip(&FACTORS) {
        blocks(pair, PAIR / 4, factor);
    }
}

/// `a` and `b` become half of `a` minus and plus `p`.
#[inline(always)]
fn butterfly(a: &mut Complex, b: &mut Complex, p: Complex) {
    let half = a.map(|part| part >> 1);
    *a = subtract(half, p);
    *b = add(half, p);
}

/// Minus half of `z` times `cosine - i sine`; the factor has minus the cosine and minus the sine.
#[inline(always)]
fn turn([x, y]: Complex, [cosine, sine]: [i16; 2]) -> Complex {
    [half(x, cosine) + half(y, sine), half(y, cosine) - half(x, sine)]
}

/// -i times `z`.
#[inline(always)]
fn rotate([x, y]: Complex) -> Complex {
    [y, -x]
}

/// From the complex transform to bins of the real one, over their number. Returns the last bin. Of some bins it is the
/// conjugate, whose energy is the same.
///
/// Bins `k` and `n - k` come from the same two elements. In the order of reversed indices, these are mirrored in each
/// range from a power of two to the next; the element with the smaller `k` is the one at the even index.
#[inline(never)]
fn split(z: &mut [Complex]) -> i32 {
    let mut last = 0;
    let (first, mut rest) = z.split_at_mut(z.len().min(2));
    if let [zero, middle] = first {
        let [x, y] = *zero;
        last = (x - y) >> 3;
        *zero = [(x + y) >> 3, 0];
        // The factor is -i.
        let [x, y] = *middle;
        *middle = [x >> 3, -y >> 3];
    }
    let mut length = 2;
    while let Some((range, after)) = rest.split_at_mut_checked(length) {
        let (low, high) = range.split_at_mut(length / 2);
        let of_range = FACTORS.get(length / 2..length).unwrap_or_default();
        if let ([a], [b], &[factor]) = (&mut *low, &mut *high, of_range) {
            join(a, b, factor);
        }
        let (low, _) = low.as_chunks_mut::<2>();
        let (high, _) = high.as_chunks_mut::<2>();
        for (([a, b], [c, d]), &[cosine, sine]) in low.iter_mut().zip(high.iter_mut().rev()).zip(of_range) {
            join(a, d, [cosine, sine]);
            // The angles of mirrored elements add up to a right angle.
            join(c, b, [sine, cosine]);
        }
        rest = after;
        length *= 2;
    }
    last
}

/// Bin `k` and the conjugate of bin `n - k` of elements `k` and `n - k`.
#[cfg_attr(edgemix_small, inline(never))]
#[cfg_attr(not(edgemix_small), inline(always))]
fn join(a: &mut Complex, b: &mut Complex, factor: [i16; 2]) {
    let [[ax, ay], [bx, by]] = [*a, *b];
    let even = [(ax + bx) >> 1, (ay - by) >> 1];
    // The factor times i times the difference of a and the conjugate of b.
    let odd = turn([ay + by, bx - ax], factor);
    *a = subtract(even, odd).map(|part| part >> 3);
    *b = add(even, odd).map(|part| part >> 3);
}

#[inline(always)]
fn add(a: Complex, b: Complex) -> Complex {
    [a[0] + b[0], a[1] + b[1]]
}

#[inline(always)]
fn subtract(a: Complex, b: Complex) -> Complex {
    [a[0] - b[0], a[1] - b[1]]
}

const fn factors() -> [[i16; 2]; 256] {
    let mut table = [[0; 2]; 256];
    let mut b = 0;
    while b < 256 {
        let angle = (b as u8).reverse_bits() as i32;
        table[b] = [sine(256 - angle), sine(angle)];
        b += 1;
    }
    table
}

/// `-2^15 * sin(pi k / 512)`, to nearest, for `k` from 0 to 256, by the Taylor series up to x^23.
const fn sine(k: i32) -> i16 {
    let x = core::f64::consts::FRAC_PI_2 * k as f64 / 256.0;
    let mut sum = 1.0;
    let mut term = 11;
    while term > 0 {
        sum = 1.0 - sum * x * x / (2 * term * (2 * term + 1)) as f64;
        term -= 1;
    }
    // Truncation rounds a negative number up.
    (-32768.0 * sum * x - 0.5) as i16
}
