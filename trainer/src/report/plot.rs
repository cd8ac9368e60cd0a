//! Plots as SVG: points, curves and bars in the colours of the page, which may be light, dark or printed.

use maud::{Markup, html};

/// Ten colours that people with colour vision deficiencies can distinguish (Petroff, "Accessible color sequences for data
/// visualization", 2021); beyond ten, the shape of the marks changes.
const COLORS: [&str; 10] =
    ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"];

/// The colour of a cluster or label.
pub(super) fn color(index: usize) -> &'static str {
    COLORS[index % COLORS.len()]
}

/// A point in a plot.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: usize,
}

/// Maps values to coordinates on the page.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn spanning(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low < high { Self { low, high, from, to } } else { Self { low: low - 1.0, high: low + 1.0, from, to } }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

/// A number with about three digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        x if x >= 100.0 => format!("{value:.0}"),
        x if x >= 1.0 => format!("{value:.1}"),
        x if x >= 0.01 || x == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

fn place(value: f64) -> String {
    format!("{value:.1}")
}

/// Points by class; the name of each class is at the median of its points.
pub(super) fn scatter(points: &[Point], names: &[String]) -> Markup {
    const SIZE: f64 = 480.0;
    let x = Axis::spanning(points.iter().map(|p| p.x), 12.0, SIZE - 12.0);
    let y = Axis::spanning(points.iter().map(|p| p.y), SIZE - 12.0, 12.0);
    let median = |values: Vec<f64>| {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let centers = (0..names.len()).filter_map(|class| {
        let own: Vec<&Point> = points.iter().filter(|p| p.class == class).collect();
        (!own.is_empty())
            .then(|| (class, median(own.iter().map(|p| p.x).collect()), median(own.iter().map(|p| p.y).collect())))
    });
    html! {
        svg viewBox={ "0 0 " (SIZE) " " (SIZE) } width=(SIZE) role="img" {
            rect class="frame" x="0.5" y="0.5" width=(SIZE - 1.0) height=(SIZE - 1.0) {}
            @for point in points { (mark(point, x.at(point.x), y.at(point.y), &names[point.class])) }
            @for (class, cx, cy) in centers {
                text class="name" text-anchor="middle" x=(place(x.at(cx))) y=(place(y.at(cy) + 4.0)) { (names[class]) }
            }
        }
    }
}

/// Small points by class, without names.
pub(super) fn small_scatter(points: &[Point]) -> Markup {
    const SIZE: f64 = 235.0;
    let x = Axis::spanning(points.iter().map(|p| p.x), 6.0, SIZE - 6.0);
    let y = Axis::spanning(points.iter().map(|p| p.y), SIZE - 6.0, 6.0);
    html! {
        svg viewBox={ "0 0 " (SIZE) " " (SIZE) } width=(SIZE) role="img" {
            rect class="frame" x="0.5" y="0.5" width=(SIZE - 1.0) height=(SIZE - 1.0) {}
            @for point in points { circle cx=(place(x.at(point.x))) cy=(place(y.at(point.y))) r="1.4" fill=(color(point.class)) {} }
        }
    }
}

fn mark(point: &Point, x: f64, y: f64, name: &str) -> Markup {
    let fill = color(point.class);
    html! {
        @match point.class / COLORS.len() % 3 {
            0 => circle cx=(place(x)) cy=(place(y)) r="2.4" fill=(fill) fill-opacity="0.75" { title { (name) } },
            1 => rect x=(place(x - 2.2)) y=(place(y - 2.2)) width="4.4" height="4.4" fill=(fill) fill-opacity="0.75" {
                title { (name) }
            },
            _ => path d={ "M" (place(x)) " " (place(y - 3.2)) "l3 5.4h-6z" } fill=(fill) fill-opacity="0.75" {
                title { (name) }
            },
        }
    }
}

/// A curve over the epochs, from its own first one to the last one of the run; lines mark where a phase begins.
pub(super) fn curve(values: &[(f64, f64)], borders: &[f64], last: f64) -> Markup {
    const SIZE: (f64, f64) = (310.0, 170.0);
    let first = values.first().map_or(0.0, |v| v.0 - 1.0);
    let x = Axis { low: first, high: last.max(first + 1.0), from: 48.0, to: SIZE.0 - 8.0 };
    let y = Axis::spanning(values.iter().map(|v| v.1), SIZE.1 - 22.0, 8.0);
    let line: Vec<String> = values.iter().map(|v| format!("{:.1},{:.1}", x.at(v.0), y.at(v.1))).collect();
    html! {
        svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } width=(SIZE.0) role="img" {
            rect class="frame" x="48" y="8" width=(SIZE.0 - 56.0) height=(SIZE.1 - 30.0) {}
            @for &border in borders.iter().filter(|&&border| border > first) {
                line class="grid" x1=(place(x.at(border))) x2=(place(x.at(border))) y1="8" y2=(SIZE.1 - 22.0) {}
            }
            polyline class="curve" points=(line.join(" ")) {}
            @if let [only] = values { circle class="bar" cx=(place(x.at(only.0))) cy=(place(y.at(only.1))) r="3" {} }
            text x="44" y="16" text-anchor="end" { (short(y.high)) }
            text x="44" y=(SIZE.1 - 22.0) text-anchor="end" { (short(y.low)) }
            text x="48" y=(SIZE.1 - 8.0) { (first) }
            text x=(SIZE.0 - 8.0) y=(SIZE.1 - 8.0) text-anchor="end" { (last) " epochs" }
        }
    }
}

/// A bar: its length, its class if it has one, and a name that is shown when the pointer is over it.
pub(super) type Bar = (f64, Option<usize>, String);

/// Bars side by side, each in its class' colour.
pub(super) fn bars(values: &[Bar]) -> Markup {
    const HEIGHT: f64 = 150.0;
    let width = (values.len() as f64 * 18.0).clamp(120.0, 980.0);
    let step = (width - 44.0) / values.len().max(1) as f64;
    let most = values.iter().map(|v| v.0).fold(f64::MIN_POSITIVE, f64::max);
    html! {
        svg viewBox={ "0 0 " (width) " " (HEIGHT) } width=(width) role="img" {
            line class="frame" x1="40" x2=(width) y1=(HEIGHT - 10.0) y2=(HEIGHT - 10.0) {}
            text x="36" y="14" text-anchor="end" { (short(most)) }
            text x="36" y=(HEIGHT - 10.0) text-anchor="end" { "0" }
            @for (index, (value, class, name)) in values.iter().enumerate() {
                @let height = value / most * (HEIGHT - 20.0);
                rect class=[class.is_none().then_some("bar")] x=(place(42.0 + step * index as f64))
                    y=(place(HEIGHT - 10.0 - height)) width=(place(step * 0.8)) height=(place(height))
                    fill=[class.map(color)] { title { (name) } }
            }
        }
    }
}

/// A window's channels over time, or a table's features side by side.
pub(super) fn trace(values: &[f32], channels: usize) -> Markup {
    const SIZE: (f64, f64) = (120.0, 56.0);
    let n = values.len() / channels.max(1);
    let x = Axis { low: 0.0, high: n.saturating_sub(1).max(1) as f64, from: 2.0, to: SIZE.0 - 2.0 };
    let y = Axis::spanning(values.iter().map(|&v| v.into()), SIZE.1 - 2.0, 2.0);
    let line = |channel: usize| -> String {
        let own = values.iter().skip(channel).step_by(channels.max(1)).enumerate();
        own.map(|(t, &v)| format!("{:.1},{:.1}", x.at(t as f64), y.at(v.into()))).collect::<Vec<_>>().join(" ")
    };
    html! {
        svg viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } width=(SIZE.0) role="img" {
            rect class="frame" x="0.5" y="0.5" width=(SIZE.0 - 1.0) height=(SIZE.1 - 1.0) {}
            @for channel in 0..channels { polyline class="trace" stroke=(color(channel)) points=(line(channel)) {} }
        }
    }
}
