//! The spectrum of the specification in 128 bits, written from the document: no table, no order of the transform but its
//! own, no shortcut.

use edgemix_format::view::{FramePooling, Spectrum};

type Complex = [i128; 2];

/// The features of a window.
pub(crate) fn features(spectrum: &Spectrum, window: &[i128]) -> Vec<i128> {
    let of_signals: Vec<Vec<i128>> = spectrum.signals.iter().map(|&set| of_signal(spectrum, window, set)).collect();
    if spectrum.pooling != FramePooling::Each {
        return of_signals.concat();
    }
    (0..of_signals[0].len()).flat_map(|i| of_signals.iter().map(move |features| features[i])).collect()
}

fn floor_sqrt(v: i128) -> i128 {
    let mut root = (v as f64).sqrt() as i128 + 2;
    while root * root > v {
        root -= 1;
    }
    root
}

fn log2(v: i128) -> i128 {
    if v == 0 {
        return -(1 << 28);
    }
    let e = i128::from(v.ilog2());
    let m = if e <= 31 { v << (31 - e) } else { v >> (e - 31) };
    let (i, g) = ((m >> 26) - 32, (m >> 10) % (1 << 16));
    let y = |i: i128| (32768.0 * (1.0 + i as f64 / 32.0).log2()).round() as i128;
    (e << 15) + y(i) + (((y(i + 1) - y(i)) * g) >> 16)
}

fn saturate(v: i128) -> i128 {
    v.clamp(-32768, 32767)
}

fn of_signal(spectrum: &Spectrum, window: &[i128], set: u32) -> Vec<i128> {
    let n = spectrum.instants as i128;
    let x: Vec<i128> = window
        .chunks(spectrum.channels)
        .map(|instant| {
            let counts: Vec<i128> = (0..32).filter(|c| set >> c & 1 == 1).map(|c| instant[c]).collect();
            if let [count] = counts[..] { count } else { floor_sqrt(counts.iter().map(|x| x * x).sum()).min(32767) }
        })
        .collect();
    let s: i128 = x.iter().map(|v| v - x[0]).sum();
    let q: i128 = x.iter().map(|v| (v - x[0]).pow(2)).sum();
    let b = (0..17).find(|&b| x.iter().all(|v| (-(1 << b)..1 << b).contains(&(v - x[0])))).unwrap();
    let p = (26 - b).min(20);
    let w = x[0] + s.div_euclid(n);
    let f = ((s - n * s.div_euclid(n)) * 65536 + n / 2).div_euclid(n);
    let d: Vec<i128> = x.iter().map(|v| (v - w) * (1 << p) - ((16 * f) >> (20 - p))).collect();

    let mut found = vec![];
    let statistics = spectrum.statistics.bits();
    if statistics & 1 > 0 {
        let q = i128::from(spectrum.mean_fraction);
        found.push(saturate(w * (1 << q) + ((f + (1 << (15 - q))) >> (16 - q))));
    }
    let floor = i128::from(spectrum.variance_floor);
    if statistics & 2 > 0 {
        let a = if n < 256 { 16 } else { 0 };
        let variance = (n * q - s * s) * (1 << a) + ((floor * n * n) >> (16 - a));
        found.push(saturate((log2(variance) - 2 * log2(n) - (a << 15) + 32) >> 6));
    }
    let r = b + p - 11;
    let u: Vec<i128> = d.iter().map(|d| (d + (1 << (r - 1))) >> r).collect();
    let peak = u.iter().map(|u| u.abs()).max().unwrap();
    let sum = |power| u.iter().map(|u| u.pow(power)).sum::<i128>();
    // Division rounds towards 0, here as in the document.
    let (m2, m3, m4) = (256 * sum(2) / n, (sum(3) - 3 * sum(1) * sum(2) / n) / n, sum(4) / n);
    let v0 = ((floor << 14) >> (2 * b)).min(1 << 32);
    let v = m2 + v0;
    if statistics & 4 > 0 {
        let crest = if v == 0 { 0 } else { (log2(256 * peak * peak + v0) - log2(v) + 32) >> 6 };
        found.push(saturate(crest));
    }
    if statistics & 8 > 0 {
        let cube = floor_sqrt(v).pow(3);
        found.push(saturate(if cube == 0 { 0 } else { ((m3.abs() << 22) / cube).min(1 << 20) * m3.signum() }));
    }
    if statistics & 16 > 0 {
        let (h0, h2) = (v0 >> 2, m2 >> 2);
        let fourth = m4 + ((6 * h0 * h2 + 3 * h0 * h0) >> 12);
        let kurtosis = (log2(fourth) - log2((h0 + h2).pow(2)) + (12 << 15) + 16) >> 5;
        found.push(saturate(if v == 0 { 1623 } else { kurtosis }));
    }

    let frames: Vec<Vec<i128>> = (0..spectrum.frames())
        .map(|j| energies(spectrum, &d[j * spectrum.hop..j * spectrum.hop + spectrum.frame]))
        .collect();
    let pooled: Vec<(i128, Vec<i128>)> = match spectrum.pooling {
        FramePooling::Each => frames.into_iter().map(|energies| (1, energies)).collect(),
        FramePooling::Mean => {
            let n_frames = frames.len() as i128;
            vec![(n_frames, (0..spectrum.bands()).map(|i| frames.iter().map(|e| e[i]).sum()).collect())]
        }
        FramePooling::Max => {
            vec![(1, (0..spectrum.bands()).map(|i| frames.iter().map(|e| e[i]).max().unwrap()).collect())]
        }
    };
    for (n, energies) in pooled {
        for (energy, edges) in energies.into_iter().zip(spectrum.edges.windows(2)) {
            let bins = i128::from(edges[1] - edges[0]);
            let floor = (i128::from(spectrum.bin_floor) * bins * (1 << (2 * p - 20))) >> 14;
            let level = log2(energy + n * floor) - log2(n) + i128::from(spectrum.level) - (1 << 15) * (2 * p - 2);
            found.push(saturate((level + 16) >> 5));
        }
    }
    found
}

fn add([a, b]: Complex, [c, d]: Complex) -> Complex {
    [a + c, b + d]
}

fn minus([a, b]: Complex) -> Complex {
    [-a, -b]
}

/// -i times a number.
fn rotate([x, y]: Complex) -> Complex {
    [y, -x]
}

fn shift([x, y]: Complex, bits: u32) -> Complex {
    [x >> bits, y >> bits]
}

fn turn([x, y]: Complex, k: usize) -> Complex {
    let sine = |k: usize| (-32768.0 * (std::f64::consts::PI * k as f64 / 512.0).sin()).round() as i128;
    let (c, d) = (sine(256 - k), sine(k));
    [((x * c) >> 16) + ((y * d) >> 16), ((y * c) >> 16) - ((x * d) >> 16)]
}

/// The energies of the bands of a frame.
fn energies(spectrum: &Spectrum, d: &[i128]) -> Vec<i128> {
    let m = spectrum.fft() / 2;
    let element = |n: usize| match (d.get(n), spectrum.taper.get(n)) {
        (Some(d), Some(&taper)) => (d * i128::from(taper)) >> 16,
        (Some(d), None) => d >> 1,
        (None, _) => 0,
    };
    let mut z = vec![[0; 2]; m];
    for n in 0..m {
        let reversed = (0..m.ilog2()).fold(0, |r, bit| r << 1 | n >> bit & 1);
        z[reversed] = [element(2 * n), element(2 * n + 1)];
    }
    for four in z.chunks_mut(4) {
        let [a, b, c, d] = [four[0], four[1], four[2], four[3]];
        let (s, t) = (add(a, b), add(a, minus(b)));
        let (u, v) = (add(c, d), rotate(add(c, minus(d))));
        four.copy_from_slice(&[add(s, u), add(t, v), add(s, minus(u)), add(t, minus(v))]);
    }
    let mut h = 4;
    while h < m {
        for z in z.chunks_mut(2 * h) {
            for k in 0..h / 2 {
                let p = turn(z[k + h], 512 * k / h);
                let q = rotate(turn(z[k + h / 2 + h], 512 * k / h));
                for (k, p) in [(k, p), (k + h / 2, q)] {
                    let half = shift(z[k], 1);
                    (z[k], z[k + h]) = (add(half, minus(p)), add(half, p));
                }
            }
        }
        h *= 2;
    }
    let mut bins = vec![[0; 2]; m + 1];
    let [x, y] = z[0];
    (bins[0], bins[m]) = ([(x + y) >> 3, 0], [(x - y) >> 3, 0]);
    bins[m / 2] = [z[m / 2][0] >> 3, -z[m / 2][1] >> 3];
    for k in 1..m / 2 {
        let (a, [x, y]) = (z[k], z[m - k]);
        let b = [x, -y];
        let e = shift(add(a, b), 1);
        let o = turn(rotate(add(a, minus(b))), 512 * k / m);
        bins[k] = shift(add(e, minus(o)), 3);
        let [x, y] = shift(add(e, o), 3);
        bins[m - k] = [x, -y];
    }
    let energy = |k: usize| {
        let energy = bins[k][0].pow(2) + bins[k][1].pow(2);
        assert!(energy <= 1 << 54, "wider than the document says");
        if k == 0 { energy - (energy >> 1) } else { energy >> u32::from(k == m) }
    };
    spectrum.edges.windows(2).map(|edges| (edges[0].into()..edges[1].into()).map(energy).sum()).collect()
}
