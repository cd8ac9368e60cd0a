//! `--tui`: a fit on the whole terminal, with curves of its losses and clusters.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{panic, process, thread};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::{Marker, line};
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType, LineGauge, Paragraph};
use ratatui::{DefaultTerminal, Frame};

use super::display::{Display, Wish};
use super::error::CliError;
use super::status::{Status, clock};
use crate::report::short;

const KEYS: &str = "q or Ctrl-C: stop after this epoch and save the state";
const AFTER_EPOCH: &str = "stopping after this epoch; --resume continues the run; q again: stop after this batch";
const AFTER_BATCH: &str = "stopping after this batch; --resume continues the run; q again: quit at once";
/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// The terminal while the display occupies it.
pub(super) struct Tui {
    terminal: DefaultTerminal,
    /// Whether the terminal was restored, after which nothing is drawn.
    is_over: Arc<AtomicBool>,
    /// Locked while something is drawn.
    drawing: Arc<Mutex<()>>,
    asked: Option<Wish>,
    told: Option<Wish>,
}

/// Checks that standard output is a terminal.
pub(super) fn check() -> Result<(), CliError> {
    if io::stdout().is_terminal() {
        return Ok(());
    }
    Err(CliError::Usage("--tui: standard output is not a terminal: omit --tui to get lines of text".into()))
}

impl Tui {
    /// Occupies the terminal.
    ///
    /// # Errors
    /// If standard output is not a terminal.
    pub(super) fn new() -> Result<Self, CliError> {
        check()?;
        let named = |source| CliError::Output { name: "the terminal", source };
        let terminal = ratatui::try_init().map_err(named)?;
        let (is_over, drawing) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(())));
        restore_on_panic(is_over.clone(), drawing.clone());
        Ok(Self { terminal, is_over, drawing, asked: None, told: None })
    }

    fn keys(&mut self) -> io::Result<()> {
        while event::poll(Duration::ZERO)? {
            let Event::Key(key) = event::read()? else { continue };
            if stops(key) {
                match self.asked {
                    None => self.asked = Some(Wish::StopAfterEpoch),
                    Some(Wish::StopAfterEpoch) => self.asked = Some(Wish::StopNow),
                    Some(Wish::StopNow) => {
                        self.restore_terminal();
                        process::exit(INTERRUPTED);
                    }
                }
            }
        }
        Ok(())
    }

    fn restore_terminal(&mut self) {
        if !self.is_over.swap(true, Ordering::AcqRel) {
            ratatui::restore();
        }
    }
}

impl Display for Tui {
    fn show(&mut self, status: &Status, now: Instant) {
        let drawing = self.drawing.clone();
        let Ok(_drawing) = drawing.lock() else { return };
        if self.is_over.load(Ordering::Acquire) {
            return;
        }
        let note = match self.asked {
            None => KEYS,
            Some(Wish::StopAfterEpoch) => AFTER_EPOCH,
            Some(Wish::StopNow) => AFTER_BATCH,
        };
        // If the terminal is gone, the work goes on.
        let _ = self.terminal.draw(|frame| draw(frame, status, note, now));
        let _ = self.keys();
    }

    fn stopping(&mut self) {
        self.asked = self.asked.max(Some(Wish::StopAfterEpoch));
    }

    fn wish(&mut self) -> Option<Wish> {
        let changed = self.asked != self.told;
        self.told = self.asked;
        self.asked.filter(|_| changed)
    }
}

impl Drop for Tui {
    fn drop(&mut self) {
        self.restore_terminal();
    }
}

fn stops(key: KeyEvent) -> bool {
    let is_control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (is_control_c || matches!(key.code, KeyCode::Char('q' | 'Q')))
}

/// Restores the terminal before the message of a panic is printed, and stops the display from drawing over it.
fn restore_on_panic(is_over: Arc<AtomicBool>, drawing: Arc<Mutex<()>>) {
    let restoring = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let was_over = is_over.swap(true, Ordering::AcqRel);
        // The thread that panicked may be the one that draws and holds the lock, so the wait for the lock is limited.
        let _drawn = (0..20).find_map(|_| {
            drawing.try_lock().ok().or_else(|| {
                thread::sleep(Duration::from_millis(5));
                None
            })
        });
        if !was_over {
            ratatui::restore();
        }
        restoring(info);
    }));
}

fn draw(frame: &mut Frame, status: &Status, note: &str, now: Instant) {
    let layout =
        Layout::vertical([Constraint::Length(1), Constraint::Length(4), Constraint::Min(0), Constraint::Length(1)]);
    let [head, phase, curves, foot] = layout.areas(frame.area());
    let elapsed = format!("{} since the start", clock(now - status.begin));
    frame.render_widget(Paragraph::new(status.title.as_str().bold()), head);
    frame.render_widget(Paragraph::new(Line::from(elapsed).right_aligned()), head);
    draw_phase(frame, phase, status, now);
    draw_curves(frame, curves, status);
    frame.render_widget(Paragraph::new(note.dim()), foot);
}

fn draw_phase(frame: &mut Frame, area: Rect, status: &Status, now: Instant) {
    let name = status.phase.as_ref().map_or(status.name(), |phase| &phase.name);
    let block = Block::bordered().title(format!(" {name} "));
    let [line, bar] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(block.inner(area));
    frame.render_widget(block, area);
    let mut text = vec![];
    if let Some(phase) = &status.phase {
        text.push(format!("epoch {} of {}", (phase.done + 1).min(phase.epochs), phase.epochs));
        if phase.batch.1 > 0 && status.activity.is_none() {
            text.push(format!("batch {} of {}", phase.batch.0, phase.batch.1));
        }
        text.extend(phase.left(now).map(|left| format!("{} left in this phase", clock(left))));
        let gauge = LineGauge::default()
            .ratio(phase.share().clamp(0.0, 1.0))
            .filled_style(Style::new().fg(Color::Cyan))
            .unfilled_style(Style::new().dim())
            .filled_symbol(line::THICK.horizontal)
            .unfilled_symbol(line::NORMAL.horizontal);
        frame.render_widget(gauge, bar);
    }
    text.extend(status.activity.as_ref().map(|(name, since)| format!("{name}, {}", clock(now - *since))));
    frame.render_widget(Paragraph::new(text.join("   ")), line);
}

/// A loss, or the number of clusters, over all epochs.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

/// The losses in the order in which they first appear, then the number of clusters.
fn curves(status: &Status) -> Vec<Curve> {
    let mut curves: Vec<Curve> = vec![];
    let mut clusters = Curve { name: "clusters".into(), points: vec![] };
    for (index, report) in status.reports.iter().enumerate() {
        let epoch = index as f64 + 1.0;
        for (name, value) in &report.losses {
            match curves.iter_mut().find(|curve| curve.name == *name) {
                Some(curve) => curve.points.push((epoch, *value)),
                None => curves.push(Curve { name: name.clone(), points: vec![(epoch, *value)] }),
            }
        }
        clusters.points.extend(report.clusters.map(|k| (epoch, k as f64)));
    }
    curves.push(clusters);
    for curve in &mut curves {
        curve.points.retain(|point| point.1.is_finite());
    }
    curves.retain(|curve| !curve.points.is_empty());
    curves
}

fn draw_curves(frame: &mut Frame, area: Rect, status: &Status) {
    let curves = curves(status);
    let columns = match curves.len() {
        0 => return,
        1 => 1,
        n if area.width >= 150 => n.min(3),
        _ => 2,
    };
    let reports = &status.reports;
    let borders: Vec<f64> =
        (1..reports.len()).filter(|&i| reports[i].phase != reports[i - 1].phase).map(|i| i as f64 + 0.5).collect();
    let rows = Layout::vertical(vec![Constraint::Fill(1); curves.len().div_ceil(columns)]).split(area);
    for (row, curves) in rows.iter().zip(curves.chunks(columns)) {
        let places = Layout::horizontal(vec![Constraint::Fill(1); curves.len()]).split(*row);
        for (place, curve) in places.iter().zip(curves) {
            draw_curve(frame, *place, curve, &borders, reports.len() as f64);
        }
    }
}

fn draw_curve(frame: &mut Frame, area: Rect, curve: &Curve, borders: &[f64], last: f64) {
    let range =
        curve.points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p.1), high.max(p.1)));
    let (low, high) = if range.0 < range.1 { range } else { (range.0 - 0.5, range.1 + 0.5) };
    // Values are mapped to 0..1, since lines far outside the chart take a very long time to draw. They are halved first, so
    // that the difference between the largest numbers does not overflow.
    let points: Vec<(f64, f64)> =
        curve.points.iter().map(|p| (p.0, (p.1 / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))).collect();
    let is_count = curve.name == "clusters";
    let shown = |value: f64| if is_count { format!("{value:.0}") } else { short(value) };
    let value = curve.points.last().map_or(String::new(), |p| shown(p.1));
    let lines: Vec<[(f64, f64); 2]> = borders.iter().map(|&x| [(x, 0.0), (x, 1.0)]).collect();
    let set = |marker, style| Dataset::default().marker(marker).graph_type(GraphType::Line).style(style);
    let mut sets: Vec<Dataset> = lines.iter().map(|line| set(Marker::Dot, Style::new().dim()).data(line)).collect();
    let color = if is_count { Color::Yellow } else { Color::Cyan };
    sets.push(set(Marker::Braille, Style::new().fg(color)).data(&points));
    let chart = Chart::new(sets)
        .block(Block::bordered().title(format!(" {} {value} ", curve.name)))
        .x_axis(Axis::default().bounds([1.0, last.max(2.0)]).labels(["1".to_owned(), format!("{last}")]))
        .y_axis(Axis::default().bounds([0.0, 1.0]).labels([shown(low), shown(high)]));
    frame.render_widget(chart, area);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::status::tests::report;
    use super::*;

    fn after(begin: Instant, seconds: u64) -> Instant {
        begin + Duration::from_secs(seconds)
    }

    /// In the fourth epoch of the second phase, 100 s after the start.
    fn state(begin: Instant) -> Status {
        let mut status = Status::new("digits by alpha-jsd, runs/digits", begin);
        status.phase("reconstruct", 0, 30, begin);
        (1..=30).for_each(|epoch| status.epoch(report("reconstruct", epoch, 30, None), after(begin, 2 * epoch as u64)));
        status.phase("cluster", 0, 10, after(begin, 60));
        for epoch in 1..=3 {
            status.epoch(report("cluster", epoch, 10, Some(20 - 2 * epoch)), after(begin, 60 + 10 * epoch as u64));
        }
        status.batch(4, 8);
        status
    }

    fn screen(status: &Status, (width, height): (u16, u16), now: Instant) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, status, KEYS, now)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn curves_of_losses_and_clusters_with_the_time_left() {
        let begin = Instant::now();
        insta::assert_snapshot!(screen(&state(begin), (80, 24), after(begin, 95)));
    }

    #[test]
    fn more_room_is_used() {
        let begin = Instant::now();
        insta::assert_snapshot!(screen(&state(begin), (160, 30), after(begin, 95)));
    }

    #[test]
    fn before_the_first_epoch_there_is_an_activity_and_nothing_else() {
        let begin = Instant::now();
        let mut status = Status::new("digits by grow, runs/g", begin);
        status.activity("preparing", begin);
        insta::assert_snapshot!(screen(&status, (60, 8), after(begin, 3)));
    }

    /// Whatever the size and the losses, drawing does not fail.
    #[test]
    fn any_terminal_is_large_enough() {
        let begin = Instant::now();
        let mut status = state(begin);
        status.reports[1].losses[0].1 = f64::MAX;
        status.reports[2].losses[0].1 = f64::INFINITY;
        status.reports[3].losses[0].1 = -f64::MAX;
        status.activity("fitting the clusters", after(begin, 96));
        for size in [(1, 1), (2, 2), (10, 3), (7, 40), (300, 4), (500, 200)] {
            screen(&status, size, after(begin, 99));
        }
    }

    #[test]
    fn q_and_control_c_stop_and_nothing_else_does() {
        let key = |code, modifiers| stops(KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE) && key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE) && !key(KeyCode::Enter, KeyModifiers::NONE));
    }
}
