//! The plot: a panel for seconds and one for memory for each axis, all scales logarithmic.

use std::fmt::Write;

use super::cost::{Cost, Point};

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 180.0;
/// Around the lines of a panel: left, above, right, below.
const MARGIN: [f64; 4] = [44.0, 22.0, 10.0, 32.0];
const COLOURS: [&str; 2] = ["#1f6fb4", "#c2570c"];

/// What a panel shows of a cost.
type Quantity = fn(&Cost) -> f64;

/// All panels as an SVG.
pub(super) fn svg(axes: &[(&str, Vec<Point>)]) -> String {
    let (width, height) = (WIDTH * axes.len() as f64, 2.0 * HEIGHT + 20.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" font-family=\"sans-serif\" \
         font-size=\"10\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    let quantities: [(&str, Quantity); 2] = [("seconds", |cost| cost.seconds), ("MiB", |cost| cost.memory)];
    for (row, (unit, of)) in quantities.into_iter().enumerate() {
        for (column, (name, points)) in axes.iter().enumerate() {
            let panel = Panel::new(points, of);
            let _ = writeln!(text, "<g transform=\"translate({} {})\">", WIDTH * column as f64, HEIGHT * row as f64);
            panel.draw(&mut text, name, unit, points, of);
            text.push_str("</g>\n");
        }
    }
    for (at, (name, colour)) in ["train", "assign"].into_iter().zip(COLOURS).enumerate() {
        let (x, y) = (MARGIN[0] + 80.0 * at as f64, height - 8.0);
        let _ = writeln!(text, "<path d=\"M{x} {} h16\" stroke=\"{colour}\" stroke-width=\"2\"/>", y - 3.0);
        let _ = writeln!(text, "<text x=\"{}\" y=\"{y}\">{name}</text>", x + 20.0);
    }
    text.push_str("</svg>\n");
    text
}

/// A whole number with commas between thousands.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The ranges of a panel as powers of ten.
struct Panel {
    x: [f64; 2],
    y: [f64; 2],
}

impl Panel {
    fn new(points: &[Point], of: fn(&Cost) -> f64) -> Self {
        let values = points.iter().flat_map(|point| [of(&point.train), of(&point.assign)]);
        let powers = |all: &mut dyn Iterator<Item = f64>| {
            let (low, high) =
                all.filter(|&v| v > 0.0).fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
            [low.log10(), high.log10()]
        };
        let [low, high] = powers(&mut { values });
        // Whole powers, so that the growth of one panel can be compared with that of another.
        let y = if low <= high { [low.floor(), high.ceil().max(low.floor() + 1.0)] } else { [0.0, 1.0] };
        Self { x: powers(&mut points.iter().map(|point| point.at as f64)), y }
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let within = |v: f64, [low, high]: [f64; 2]| (v.log10() - low) / (high - low).max(1e-9);
        let [left, above, right, below] = MARGIN;
        let across = left + within(x, self.x) * (WIDTH - left - right);
        (across, HEIGHT - below - within(y, self.y) * (HEIGHT - above - below))
    }

    fn draw(&self, text: &mut String, name: &str, unit: &str, points: &[Point], of: fn(&Cost) -> f64) {
        let [left, above, right, below] = MARGIN;
        let _ = writeln!(text, "<text x=\"{left}\" y=\"{}\">{unit}</text>", above - 8.0);
        for power in self.y[0] as i32..=self.y[1] as i32 {
            let value = 10f64.powi(power);
            let (_, y) = self.place(1.0, value);
            let _ = writeln!(text, "<path d=\"M{left} {y:.1} H{}\" stroke=\"#ddd\"/>", WIDTH - right);
            let _ =
                writeln!(text, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>", left - 4.0, y + 3.0);
        }
        for (at, point) in points.iter().enumerate() {
            let (x, _) = self.place(point.at as f64, 1.0);
            // The first, the last, and those between as far as there is room.
            if at == 0 || at + 1 == points.len() || at % 2 == 0 {
                let (y, label) = (HEIGHT - below + 12.0, grouped(point.at));
                let _ = writeln!(
                    text,
                    "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" font-size=\"8\">{label}</text>"
                );
            }
        }
        let (x, y) = ((WIDTH + left - right) / 2.0, HEIGHT - 6.0);
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{name}</text>");
        let costs: [fn(&Point) -> Cost; 2] = [|point| point.train, |point| point.assign];
        for (cost, colour) in costs.into_iter().zip(COLOURS) {
            let known = points.iter().map(|point| (point.at as f64, of(&cost(point)))).filter(|&(_, y)| y > 0.0);
            let places: Vec<(f64, f64)> = known.map(|(x, y)| self.place(x, y)).collect();
            let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                text,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
                line.join(" ")
            );
            for (x, y) in places {
                let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"{colour}\"/>");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn every_point_has_a_mark_within_the_plot() {
        let cost = |seconds, memory| Cost { seconds, memory };
        let point = |at| Point { at, train: cost(at as f64 / 7.0, 300.0), assign: cost(0.02, 0.0) };
        let text = svg(&[("samples", vec![point(10), point(100), point(1000)]), ("clusters", vec![point(2)])]);
        // Memory that is not known has no mark.
        assert_eq!(text.matches("<circle").count(), 3 * 3 + 3);
        for part in text.split("<circle cx=\"").skip(1) {
            let x: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((MARGIN[0]..=WIDTH).contains(&x), "{x}");
        }
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}
