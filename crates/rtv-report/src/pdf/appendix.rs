//! The last pages: what each measure means, and what has to be known to read the figures and this file.

use rtv_core::report::Filled;

use super::face::Weight;
use super::press::{BODY, LEADING, Press};

pub(super) fn draw(press: &mut Press, filled: &Filled) {
    let own = press.notes();
    if filled.meanings.is_empty() && filled.notes.is_empty() && own.is_empty() {
        // A report without a section still has a page that says so.
        if filled.sections.iter().all(|section| section.blocks.is_empty()) {
            press.begin_section("This report is empty");
            press.text_block("", "Nothing has been put into it yet.");
        }
        return;
    }
    press.begin_section("About these figures");
    let (text, quiet) = (press.inks.text, press.inks.quiet);
    if !filled.meanings.is_empty() {
        press.begin_block("What each measure means", 40.0);
        for meaning in &filled.meanings {
            press.need(BODY * LEADING * 2.0);
            press.paragraph(&meaning.label, Weight::Bold, BODY, text);
            press.paragraph(&meaning.definition, Weight::Regular, BODY, quiet);
            press.y += 6.0;
        }
        press.end_block();
    }
    if !filled.notes.is_empty() {
        press.begin_block("Notes", 30.0);
        for note in &filled.notes {
            press.paragraph(note, Weight::Regular, BODY, text);
            press.y += 5.0;
        }
        press.end_block();
    }
    if !own.is_empty() {
        press.begin_block("About this file", 30.0);
        // What a note repeats of a text is not counted again.
        let is_counting = press.faces.pause_counting();
        for note in &own {
            press.paragraph(note, Weight::Regular, BODY, text);
            press.y += 5.0;
        }
        press.faces.go_on_counting(is_counting);
        press.end_block();
    }
}
