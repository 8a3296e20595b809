//! The table of contents, and the binding: cover, contents, body in one order, with header, footer and page numbers.

use super::face::Weight;
use super::press::{Mark, Press};
use super::sheet::{Area, MARGIN, Sheet, Target, Way};

const SIZE: f32 = 10.0;
/// Distance of lines: as it is pleasant, and as it is still, where that saves a page.
const STEPS: [f32; 2] = [17.0, 14.6];
/// Width that page numbers take.
const NUMBERS: f32 = 44.0;
const INDENT: f32 = 16.0;
const FURNITURE: f32 = 7.5;
/// Baseline of the header.
const HEADER: f32 = 44.0;
/// From the lower edge to the footer's baseline.
const FOOTER: f32 = 36.0;

/// All pages in order, and where its headings are.
pub(super) struct Book {
    pub(super) sheets: Vec<Sheet>,
    pub(super) marks: Vec<Mark>,
}

pub(super) fn bind(press: &mut Press, cover: Vec<Sheet>, body: Vec<Sheet>, mut marks: Vec<Mark>) -> Book {
    // How long the contents are does not depend on the numbers in them, so they are set twice: for their length, and for good.
    let [pleasant, tight] = STEPS.map(|step| if marks.is_empty() { 0 } else { set(press, &marks, step).len() });
    let (step, length) = if tight < pleasant { (STEPS[1], tight) } else { (STEPS[0], pleasant) };
    let before = cover.len() + length;
    for mark in &mut marks {
        mark.page += before;
    }
    let contents = if marks.is_empty() { Vec::new() } else { set(press, &marks, step) };
    let mut sheets = cover;
    let furnished = sheets.len();
    sheets.extend(contents);
    sheets.extend(body);
    let count = sheets.len();
    for (index, sheet) in sheets.iter_mut().enumerate() {
        furnish(press, sheet, index + 1, count, index >= furnished);
    }
    let heights: Vec<f32> = sheets.iter().map(|sheet| sheet.height).collect();
    for sheet in &mut sheets {
        sheet.set_links(&heights);
    }
    if !marks.is_empty() {
        let title = Mark { title: "Contents".into(), level: 1, page: furnished, y: 0.0 };
        marks.insert(0, title);
    }
    Book { sheets, marks }
}

fn set(press: &mut Press, marks: &[Mark], step: f32) -> Vec<Sheet> {
    press.turn();
    let (text, quiet, line, accent) = (press.inks.text, press.inks.quiet, press.inks.line, press.inks.accent);
    let baseline = press.y + 17.0;
    press.write("Contents", Weight::Bold, 17.0, (MARGIN, baseline), text);
    press.y += 17.0 * 1.28;
    let y = press.y + 5.0;
    press.sheet().fill(Area { x: MARGIN, y, width: 34.0, height: 2.4 }, accent);
    press.y += 26.0;
    let width = press.measure();
    for mark in marks {
        let (indent, weight, ink) =
            if mark.level == 1 { (0.0, Weight::Bold, text) } else { (INDENT, Weight::Regular, quiet) };
        let lines = press.lines(&mark.title, weight, SIZE, width - indent - NUMBERS);
        if mark.level == 1 && !press.is_fresh() {
            press.y += 5.0;
        }
        press.need(step);
        for (index, title) in lines.iter().enumerate() {
            press.need(step);
            let y = press.y;
            press.write(title, weight, SIZE, (MARGIN + indent, y + SIZE), ink);
            if index + 1 == lines.len() {
                let number = (mark.page + 1).to_string();
                press.write_to(&number, weight, SIZE, (MARGIN + width, y + SIZE), ink);
                if mark.level == 1 {
                    press.sheet().rule(MARGIN, y + SIZE + 4.0, width, 0.5, line);
                }
            }
            let area = Area { x: MARGIN + indent, y: y - 1.0, width: width - indent, height: step - 2.0 };
            press.sheet().link(area, Target::Page(mark.page, (mark.y - 8.0).max(0.0)));
            press.y += step;
        }
    }
    press.take()
}

/// Header, footer and number of a page. The cover says all of it itself but for the number.
fn furnish(press: &mut Press, sheet: &mut Sheet, number: usize, count: usize, has_header: bool) {
    let (quiet, faint, line) = (press.inks.quiet, press.inks.faint, press.inks.line);
    let width = sheet.measure();
    let mut own = vec![std::mem::replace(sheet, Sheet::new(Way::Upright))];
    press.swap(&mut own);
    if has_header {
        let (tenant, name) = (press.tenant.clone(), press.name.clone());
        let half = (width - 20.0) / 2.0;
        press.write_within(&tenant, Weight::Bold, FURNITURE, (MARGIN, HEADER), half, quiet);
        let short = press.shortened(&name, Weight::Regular, FURNITURE, half);
        press.write_to(&short, Weight::Regular, FURNITURE, (MARGIN + width, HEADER), faint);
        press.sheet().rule(MARGIN, HEADER + 8.0, width, 0.5, line);
    }
    let low = press.sheet().height - FOOTER;
    let facts = press.facts.clone();
    press.write_within(&facts, Weight::Regular, FURNITURE, (MARGIN, low), width - 70.0, faint);
    press.write_to(&format!("{number} of {count}"), Weight::Regular, FURNITURE, (MARGIN + width, low), quiet);
    press.swap(&mut own);
    if let Some(own) = own.pop() {
        *sheet = own;
    }
}
