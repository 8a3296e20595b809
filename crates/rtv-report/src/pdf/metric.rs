//! Figures as tiles, three beside each other: name, value, and the change in words and with its sign. A colour only repeats what the
//! words say.

use rtv_core::kpi::Unit;
use rtv_core::period::Period;
use rtv_core::report::Metric;
use rtv_domain::format::{Format, MISSING};
use rust_decimal::Decimal;

use super::face::Weight;
use super::ink::Ink;
use super::press::Press;
use super::sheet::{Area, MARGIN, Sheet, Way};
use super::words::exact;

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

/// How a figure changed.
struct Change {
    /// `▲ +12.4%`.
    sign: String,
    /// `better than 1,142,000 in Oct 2026`.
    words: String,
    is_better: Option<bool>,
}

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
        Some(value) => exact(&press.format, metric.unit, value),
        None => MISSING.to_owned(),
    };
    let natural = press.faces.measure(&value, Weight::Bold) * VALUE;
    let size = if natural > inside { (VALUE * inside / natural).max(SMALLEST_VALUE) } else { VALUE };
    lines.extend(
        press.lines(&value, Weight::Bold, size, inside).into_iter().map(|line| (line, Weight::Bold, size, text)),
    );
    match change(&press.format, metric, previous) {
        Some(change) => {
            let ink = match change.is_better {
                Some(true) => press.inks.better,
                Some(false) => press.inks.worse,
                None => text,
            };
            if !change.sign.is_empty() {
                lines.push((change.sign, Weight::Bold, WORDS, ink));
            }
            let words = press.lines(&change.words, Weight::Regular, WORDS, inside);
            lines.extend(words.into_iter().map(|line| (line, Weight::Regular, WORDS, quiet)));
        }
        None if metric.is_compared && metric.value.is_some() => {
            let words = press.lines("no earlier value to compare with", Weight::Regular, WORDS, inside);
            lines.extend(words.into_iter().map(|line| (line, Weight::Regular, WORDS, quiet)));
        }
        None => {}
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

/// How a figure changed; what rounds to nothing is neither better nor worse.
fn change(format: &Format, metric: &Metric, previous: Option<Period>) -> Option<Change> {
    if !metric.is_compared {
        return None;
    }
    let (value, before) = (metric.value?, metric.previous?);
    let unit = metric.unit;
    // Beyond what a figure holds there is no change to tell of.
    let difference = value.checked_sub(before)?;
    difference.checked_mul(Decimal::ONE_HUNDRED)?;
    let when = previous.map(|previous| format!(" in {}", format.period(previous))).unwrap_or_default();
    let compared = format!("{}{when}", exact(format, unit, before));
    let judge = |direction: i8| match (direction, metric.up_is_good) {
        (0, _) | (_, None) => None,
        (direction, Some(up_is_good)) => Some((direction > 0) == up_is_good),
    };
    if before.is_zero() && !value.is_zero() && matches!(unit, Unit::Count | Unit::Money) {
        let is_better = judge(if value.is_sign_negative() { -1 } else { 1 });
        return Some(Change { sign: "New".into(), words: format!("it was {compared}"), is_better });
    }
    let (text, is_shown) = if matches!(unit, Unit::Percent | Unit::Score) || before.is_zero() {
        (format.difference(unit, difference), format.is_shown(unit, difference))
    } else {
        let ratio = difference.checked_div(before.abs())?;
        ratio.checked_mul(Decimal::ONE_HUNDRED)?;
        (format.change(ratio), Format::is_change_shown(ratio))
    };
    let direction = match (is_shown, difference.is_sign_negative()) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    };
    let is_better = judge(direction);
    let words = match (direction, is_better) {
        (0, _) if difference.is_zero() => "the same as",
        (0, _) => "about the same as",
        (_, Some(true)) => "better than",
        (_, Some(false)) => "worse than",
        (1, None) => "more than",
        (_, None) => "less than",
    };
    let arrow = match direction {
        1 => "▲ ",
        -1 => "▼ ",
        _ => "",
    };
    Some(Change { sign: format!("{arrow}{text}"), words: format!("{words} {compared}"), is_better })
}
