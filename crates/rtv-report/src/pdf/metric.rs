//! Figures as tiles, three beside each other: name, value, and the change in words and with its sign. A colour only repeats what the
//! words say.

use rtv_core::period::Period;
use rtv_core::report::Metric;
use rtv_domain::format::MISSING;
use rtv_domain::report::change;

use super::face::Weight;
use super::ink::Ink;
use super::press::Press;
use super::sheet::{Area, MARGIN, Sheet, Way};

/// Beside each other.
const COLUMNS: usize = 3;
const BETWEEN: f32 = 12.0;
const INSIDE: f32 = 11.0;
const LABEL: f32 = 8.5;
const VALUE: f32 = 19.0;
/// A value is set smaller rather than on two lines, down to this.
const SMALLEST_VALUE: f32 = 9.0;
const WORDS: f32 = 8.0;
const STEP: f32 = 1.36;
/// Longer names and remarks stand below the tiles, lines.
const MOST_LINES: usize = 6;

/// A tile, set and not placed yet.
struct Tile {
    lines: Vec<(String, Weight, f32, Ink)>,
    height: f32,
    /// What is too long for a tile and stands below the row.
    below: Vec<String>,
}

pub(super) fn draw(press: &mut Press, metrics: &[(&str, &Metric)], previous: Option<Period>) {
    #[expect(clippy::cast_precision_loss, reason = "three")]
    let width = (Sheet::new(Way::Upright).measure() - BETWEEN * (COLUMNS - 1) as f32) / COLUMNS as f32;
    press.lay(Way::Upright);
    for row in metrics.chunks(COLUMNS) {
        let tiles: Vec<Tile> = row.iter().map(|(title, metric)| tile(press, title, metric, previous, width)).collect();
        let height = tiles.iter().map(|tile| tile.height).fold(0.0, f32::max);
        press.open(height);
        let (top, mut x) = (press.y, MARGIN);
        for tile in &tiles {
            place(press, tile, (x, top), width, height);
            x += width + BETWEEN;
        }
        press.y = top + height + BETWEEN;
        for tile in &tiles {
            press.remarks(&tile.below);
        }
    }
    press.remarks(&Metric::remarks_of(metrics.iter().map(|(_, metric)| *metric)));
    press.y -= BETWEEN;
    press.end_block();
}

fn tile(press: &mut Press, title: &str, metric: &Metric, previous: Option<Period>, width: f32) -> Tile {
    let inside = width - 2.0 * INSIDE;
    let (text, quiet) = (press.inks.text, press.inks.quiet);
    let mut lines: Vec<(String, Weight, f32, Ink)> = Vec::new();
    let mut below = Vec::new();
    let title = if title.trim().is_empty() { metric.label.as_str() } else { title };
    let mut label = press.lines(title, Weight::Regular, LABEL, inside);
    if label.len() > MOST_LINES {
        label.truncate(MOST_LINES);
        if let Some(last) = label.last_mut() {
            last.push('…');
        }
        below.push(format!("The name in full: {title}"));
    }
    lines.extend(label.into_iter().map(|line| (line, Weight::Regular, LABEL, quiet)));
    let value = match metric.value {
        Some(value) => press.format.exact(metric.unit, value),
        None => MISSING.to_owned(),
    };
    let natural = press.faces.measure(&value, Weight::Bold) * VALUE;
    let size = if natural > inside { (VALUE * inside / natural).max(SMALLEST_VALUE) } else { VALUE };
    lines.extend(
        press.lines(&value, Weight::Bold, size, inside).into_iter().map(|line| (line, Weight::Bold, size, text)),
    );
    if let Some(change) = change(&press.format, metric, previous) {
        let ink = match change.is_better {
            Some(true) => press.inks.better,
            Some(false) => press.inks.worse,
            None => text,
        };
        let arrow = match change.direction {
            1 => "▲ ",
            -1 => "▼ ",
            _ => "",
        };
        let sign = format!("{arrow}{}", change.text);
        let sign = if change.text.is_empty() { Vec::new() } else { press.lines(&sign, Weight::Bold, WORDS, inside) };
        lines.extend(sign.into_iter().map(|line| (line, Weight::Bold, WORDS, ink)));
        let words = press.lines(&change.words, Weight::Regular, WORDS, inside);
        lines.extend(words.into_iter().map(|line| (line, Weight::Regular, WORDS, quiet)));
    }
    if let Some(note) = &metric.note {
        let words = press.lines(note, Weight::Regular, WORDS, inside);
        if words.len() > MOST_LINES {
            below.push(format!("{}: {note}", metric.label));
        } else {
            lines.extend(words.into_iter().map(|line| (line, Weight::Regular, WORDS, quiet)));
        }
    }
    let height = lines.iter().map(|(_, _, size, _)| size * STEP).sum::<f32>() + 2.0 * INSIDE;
    Tile { lines, height, below }
}

fn place(press: &mut Press, tile: &Tile, at: (f32, f32), width: f32, height: f32) {
    let (ground, accent) = (press.inks.sunken, press.inks.accent);
    press.sheet().fill_round(Area { x: at.0, y: at.1, width, height }, 4.0, ground);
    press.sheet().fill_round(Area { x: at.0, y: at.1, width: 2.6, height }, 1.3, accent);
    let mut y = at.1 + INSIDE;
    for (line, weight, size, ink) in &tile.lines {
        press.write(line, *weight, *size, (at.0 + INSIDE, y + size), *ink);
        y += size * STEP;
    }
}
