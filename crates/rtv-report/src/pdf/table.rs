//! Tables over as many pages as they take, the heading on each. One that is too wide is set smaller, then across, then in groups of
//! columns with the first repeated; so no column is ever left out. A row that is higher than a page goes on on the next.

use rtv_core::report::{Cell, Kind, Table};

use super::face::Weight;
use super::ink::Ink;
use super::press::{Press, SMALL};
use super::sheet::{Area, MARGIN, Way};
use super::words;
use super::wrap::widest_word;

/// Sizes that are tried, points. Smaller ones cannot be read.
const SIZES: [f32; 4] = [8.5, 8.0, 7.5, 7.0];
/// Left and right of what stands in a cell.
const BESIDE: f32 = 4.5;
/// Above and below.
const ABOVE: f32 = 3.4;
const STEP: f32 = 1.34;
/// A word is parted rather than make its column wider than this, parts of the letters' size.
const WIDEST_WORD: f32 = 12.0;
/// Texts are not given more than this while others need it, parts of the letters' size.
const WIDEST_TEXT: f32 = 42.0;
/// The repeated column takes at most this part of the page.
const REPEATED: f32 = 0.3;
/// Below the title, at least: what is cut, the headings, two rows.
const LEAST: f32 = 110.0;
/// Letters of a heading; a longer one stands in full below the table.
const LONGEST_HEADING: usize = 160;

/// What a column needs, as parts of the letters' size.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// With every cell on one line.
    whole: f32,
    /// With words kept together.
    least: f32,
    is_right: bool,
}

/// Columns that stand beside each other.
#[derive(Debug, Clone)]
struct Group {
    /// Which columns, and how wide.
    columns: Vec<(usize, f32)>,
}

/// How the table is laid out.
struct Plan {
    size: f32,
    way: Way,
    groups: Vec<Group>,
}

/// A table in words.
struct Worded {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    totals: Option<Vec<String>>,
    needs: Vec<Need>,
    /// Headings that are too long for a heading.
    full_headings: Vec<String>,
}

/// A block of a table; `remark` says why it stands here, where that has to be said.
pub(super) fn draw(press: &mut Press, title: &str, table: &Table, remark: Option<&str>) {
    let worded = in_words(press, table);
    let plan = plan(&worded.needs);
    press.lay(plan.way);
    press.begin_block(title, LEAST);
    let quiet = press.inks.quiet;
    if let Some(remark) = remark {
        press.paragraph(remark, Weight::Regular, SMALL, quiet);
        press.y += 3.0;
    }
    say_what_is_cut(press, table);
    if table.columns.is_empty() {
        press.paragraph("This table has no columns.", Weight::Regular, SMALL, quiet);
    } else {
        let count = plan.groups.len();
        for (index, group) in plan.groups.iter().enumerate() {
            if count > 1 {
                press.need(90.0);
                let columns = columns_of(group, index, worded.headings.len());
                press.paragraph(&columns, Weight::Bold, SMALL, quiet);
                press.y += 4.0;
            }
            draw_group(press, &worded, &plan, group);
            if index + 1 < count {
                press.y += 18.0;
            }
        }
    }
    press.y += 5.0;
    press.remarks(&worded.full_headings);
    press.remarks(&table.notes);
    press.end_block();
    press.lay(Way::Upright);
}

/// How much of it is shown, and where all of it is.
pub(super) fn say_what_is_cut(press: &mut Press, table: &Table) {
    if !table.is_cut() {
        return;
    }
    let count = |count: u64| press.format.count(i64::try_from(count).unwrap_or(i64::MAX));
    let shown = count(u64::try_from(table.rows.len()).unwrap_or(u64::MAX));
    let sentence = format!("Showing {shown} of {} rows.", count(table.of_rows));
    match &table.whole {
        Some(whole) => press.address(&format!("{sentence} The whole table: "), whole),
        None => {
            let quiet = press.inks.quiet;
            press.paragraph(&sentence, Weight::Regular, SMALL, quiet);
        }
    }
    press.y += 4.0;
}

/// “Columns 2 to 9 of 40”, for groups after the first beside the repeated one.
fn columns_of(group: &Group, index: usize, of: usize) -> String {
    let own = if index == 0 { &group.columns[..] } else { group.columns.get(1..).unwrap_or_default() };
    match (own.first(), own.last()) {
        (Some((first, _)), Some((last, _))) if first < last => format!("Columns {} to {} of {of}", first + 1, last + 1),
        (Some((first, _)), _) => format!("Column {} of {of}", first + 1),
        _ => String::new(),
    }
}

fn in_words(press: &mut Press, table: &Table) -> Worded {
    let word = |press: &Press, row: &[Cell]| -> Vec<String> {
        let mut cells: Vec<String> =
            table.columns.iter().zip(row).map(|(column, cell)| words::cell(&press.format, column.kind, cell)).collect();
        // A row that is too short is wrong, and no reason to end.
        cells.resize(table.columns.len(), String::new());
        cells
    };
    let rows: Vec<Vec<String>> = table.rows.iter().map(|row| word(press, row)).collect();
    // Nothing can be added up of a dimension, which is no gap.
    let totals = table.totals.as_ref().map(|totals| {
        let mut totals = totals.clone();
        for (cell, column) in totals.iter_mut().zip(&table.columns) {
            if matches!(cell, Cell::Missing) && !column.kind.is_number() {
                *cell = Cell::Text(String::new());
            }
        }
        if let (Some(first @ Cell::Text(_)), Some(column)) = (totals.first_mut(), table.columns.first())
            && !column.kind.is_number()
            && matches!(first, Cell::Text(text) if text.is_empty())
        {
            let count = |count: u64| press.format.count(i64::try_from(count).unwrap_or(i64::MAX));
            *first = Cell::Text(table.total_label(&count));
        }
        word(press, &totals)
    });
    let mut full_headings = Vec::new();
    let headings: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            if column.label.chars().count() <= LONGEST_HEADING {
                return column.label.clone();
            }
            full_headings.push(format!("Heading of column {} in full: {}", index + 1, column.label));
            column.label.chars().take(LONGEST_HEADING - 1).chain(['…']).collect()
        })
        .collect();
    let needs = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| need(press, index, column.kind, &headings, &rows, totals.as_ref()))
        .collect();
    Worded { headings, rows, totals, needs, full_headings }
}

fn need(
    press: &mut Press,
    index: usize,
    kind: Kind,
    headings: &[String],
    rows: &[Vec<String>],
    totals: Option<&Vec<String>>,
) -> Need {
    let is_right = kind.is_number();
    let mut need = Need { whole: 0.0, least: 0.0, is_right };
    let cells = rows.iter().map(|row| (row, Weight::Regular)).chain(totals.map(|row| (row, Weight::Bold)));
    for (text, weight) in cells.filter_map(|(row, weight)| Some((row.get(index)?, weight))) {
        // So many letters fill a line of any page.
        let whole = if text.len() > 1_200 || text.contains(['\n', '\r']) {
            WIDEST_TEXT
        } else {
            press.faces.measure(text, weight)
        };
        need.whole = need.whole.max(whole.min(if is_right { f32::MAX } else { WIDEST_TEXT }));
        let least =
            if is_right { whole } else { widest_word(&mut press.faces, text, weight, WIDEST_WORD.min(need.whole)) };
        need.least = need.least.max(least);
    }
    if let Some(heading) = headings.get(index) {
        let whole = press.faces.measure(heading, Weight::Bold);
        // A heading on two lines is better than a table across.
        let least = widest_word(&mut press.faces, heading, Weight::Bold, WIDEST_WORD);
        need.least = need.least.max(least);
        need.whole = need.whole.max(whole.min(WIDEST_WORD)).max(need.least);
    }
    need
}

fn plan(needs: &[Need]) -> Plan {
    let all: Vec<usize> = (0..needs.len()).collect();
    let width_of = |way: Way| super::sheet::Sheet::new(way).measure();
    for way in [Way::Upright, Way::Across] {
        for size in SIZES {
            if let Some(group) = fit(needs, &all, size, width_of(way)) {
                return Plan { size, way, groups: vec![group] };
            }
        }
    }
    let size = SIZES[SIZES.len() - 1];
    let width = width_of(Way::Across);
    let widest = |part: f32| width * part - 2.0 * BESIDE;
    let least = |column: usize, most: f32| (needs[column].least * size).min(most) + 2.0 * BESIDE;
    let repeated = least(0, widest(REPEATED));
    let mut groups = Vec::new();
    let mut current: Vec<usize> = vec![0];
    let mut used = repeated;
    for column in 1..needs.len() {
        let needed = least(column, widest(1.0 - REPEATED));
        if used + needed > width && current.len() > 1 {
            groups.push(std::mem::replace(&mut current, vec![0]));
            used = repeated;
        }
        current.push(column);
        used += needed;
    }
    groups.push(current);
    let groups = groups
        .into_iter()
        .map(|columns| {
            fit(needs, &columns, size, width).unwrap_or_else(|| {
                // A column that is wider than what is left: its words are parted.
                let most = |column: usize| widest(if column == 0 { REPEATED } else { 1.0 - REPEATED });
                Group { columns: columns.into_iter().map(|column| (column, least(column, most(column)))).collect() }
            })
        })
        .collect();
    Plan { size, way: Way::Across, groups }
}

/// The columns beside each other, as wide as the page; `None` where words would be parted.
fn fit(needs: &[Need], columns: &[usize], size: f32, width: f32) -> Option<Group> {
    #[expect(clippy::cast_precision_loss, reason = "tables have few columns")]
    let between = columns.len() as f32 * 2.0 * BESIDE;
    let room = (width - between) / size;
    let sum = |of: &dyn Fn(&Need) -> f32| columns.iter().map(|column| of(&needs[*column])).sum::<f32>();
    let (least, whole) = (sum(&|need| need.least), sum(&|need| need.whole));
    if least > room {
        return None;
    }
    let widths: Vec<f32> = if whole <= room {
        // What is left goes to the texts, or to all alike.
        let texts = columns.iter().filter(|column| !needs[**column].is_right).count();
        #[expect(clippy::cast_precision_loss, reason = "tables have few columns")]
        let share = (room - whole) / if texts > 0 { texts as f32 } else { columns.len().max(1) as f32 };
        columns
            .iter()
            .map(|column| needs[*column].whole + if texts == 0 || !needs[*column].is_right { share } else { 0.0 })
            .collect()
    } else {
        let part = (room - least) / (whole - least).max(0.001);
        columns
            .iter()
            .map(|column| needs[*column].least + (needs[*column].whole - needs[*column].least) * part)
            .collect()
    };
    Some(Group {
        columns: columns.iter().copied().zip(widths.into_iter().map(|width| width * size + 2.0 * BESIDE)).collect(),
    })
}

/// A row in lines.
struct Row {
    cells: Vec<Vec<String>>,
    weight: Weight,
    size: f32,
}

impl Row {
    fn lines(&self) -> usize {
        self.cells.iter().map(Vec::len).max().unwrap_or(0).max(1)
    }

    fn height(&self, lines: usize) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a page has few lines")]
        let lines = lines as f32;
        lines * self.size * STEP + 2.0 * ABOVE
    }
}

fn draw_group(press: &mut Press, worded: &Worded, plan: &Plan, group: &Group) {
    let size = plan.size;
    let set = |press: &mut Press, texts: &[String], weight: Weight| Row {
        cells: group
            .columns
            .iter()
            .map(|(column, width)| {
                let text = texts.get(*column).map(String::as_str).unwrap_or_default();
                press.lines(text, weight, size, width - 2.0 * BESIDE)
            })
            .collect(),
        weight,
        size,
    };
    let heading = set(press, &worded.headings, Weight::Bold);
    press.need(heading.height(heading.lines()) + size * STEP * 2.0 + 4.0 * ABOVE);
    draw_heading(press, worded, group, &heading);
    let totals = worded.totals.as_ref().map(|totals| set(press, totals, Weight::Bold));
    let last = worded.rows.len().saturating_sub(1);
    for (index, texts) in worded.rows.iter().enumerate() {
        let row = set(press, texts, Weight::Regular);
        // The totals do not stand alone on a page.
        if let (Some(totals), true) = (&totals, index == last) {
            let both = row.height(row.lines()) + totals.height(totals.lines());
            let fresh = press.whole_room() - heading.height(heading.lines());
            if press.room() < both && both <= fresh {
                press.turn();
                draw_heading(press, worded, group, &heading);
            }
        }
        draw_row(press, worded, group, &heading, &row, false);
    }
    if worded.rows.is_empty() {
        let quiet = press.inks.quiet;
        press.y += 4.0;
        press.paragraph("No rows in this period.", Weight::Regular, SMALL, quiet);
    }
    if let Some(totals) = totals {
        draw_row(press, worded, group, &heading, &totals, true);
    }
}

fn draw_heading(press: &mut Press, worded: &Worded, group: &Group, heading: &Row) {
    let (ink, accent) = (press.inks.quiet, press.inks.accent);
    let (top, lines) = (press.y, heading.lines());
    // Headings stand on the rule.
    let cells: Vec<Vec<String>> = heading
        .cells
        .iter()
        .map(|cell| std::iter::repeat_n(String::new(), lines - cell.len()).chain(cell.iter().cloned()).collect())
        .collect();
    let lowered = Row { cells, ..*heading };
    draw_lines(press, worded, group, &lowered, 0..lines, ink);
    press.y = top + heading.height(lines);
    let (y, width) = (press.y, total(group));
    press.sheet().rule(MARGIN, y, width, 1.0, accent);
}

fn total(group: &Group) -> f32 {
    group.columns.iter().map(|(_, width)| width).sum()
}

/// A row, over as many pages as it takes.
fn draw_row(press: &mut Press, worded: &Worded, group: &Group, heading: &Row, row: &Row, is_total: bool) {
    let (text, line, sunken) = (press.inks.text, press.inks.line, press.inks.sunken);
    let width = total(group);
    let lines = row.lines();
    let on_a_page = {
        let room = press.whole_room() - heading.height(heading.lines());
        fitting(row, room).max(1)
    };
    let mut from = 0;
    while from < lines {
        let room = press.room();
        let fits = fitting(row, room);
        let is_at_top = press.y <= super::sheet::TOP + heading.height(heading.lines()) + 0.5;
        // A row that a page holds is not parted, and of one that is, at least two lines stand together.
        if !is_at_top && lines - from > fits && (lines - from <= on_a_page || fits < 2) {
            press.turn();
            draw_heading(press, worded, group, heading);
            continue;
        }
        let until = lines.min(from + fits.max(1));
        let height = row.height(until - from);
        let top = press.y;
        if is_total {
            press.sheet().fill(Area { x: MARGIN, y: top, width, height }, sunken);
        }
        draw_lines(press, worded, group, row, from..until, text);
        press.y = top + height;
        let y = press.y;
        if is_total {
            press.sheet().rule(MARGIN, top, width, 0.8, text);
        } else {
            press.sheet().rule(MARGIN, y, width, 0.4, line);
        }
        from = until;
        if from < lines {
            press.turn();
            draw_heading(press, worded, group, heading);
        }
    }
}

/// How many lines of the row a height holds.
fn fitting(row: &Row, height: f32) -> usize {
    let lines = ((height - 2.0 * ABOVE) / (row.size * STEP)).floor().max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page has few lines")]
    let lines = lines as usize;
    lines
}

fn draw_lines(press: &mut Press, worded: &Worded, group: &Group, row: &Row, lines: std::ops::Range<usize>, ink: Ink) {
    let (top, size, step) = (press.y + ABOVE, row.size, row.size * STEP);
    let mut left = MARGIN;
    for ((column, width), cell) in group.columns.iter().zip(&row.cells) {
        let is_right = worded.needs[*column].is_right;
        let mut baseline = top + size;
        for line in cell.get(lines.start.min(cell.len())..lines.end.min(cell.len())).unwrap_or_default() {
            if is_right {
                press.write_to(line, row.weight, size, (left + width - BESIDE, baseline), ink);
            } else {
                press.write(line, row.weight, size, (left + BESIDE, baseline), ink);
            }
            baseline += step;
        }
        left += width;
    }
}
