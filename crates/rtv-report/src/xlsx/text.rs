//! What text may stand in a workbook: characters that XML has, cells of at most 32,767 of them, and names of sheets. What does not fit is
//! counted, so that the first sheet can say it.

use std::borrow::Cow;
use std::collections::HashSet;

use unicode_segmentation::UnicodeSegmentation;

use crate::words::counted;

/// Most UTF-16 units of a cell, which is what Excel counts.
const MOST_IN_CELL: usize = 32_767;

/// Most UTF-16 units of a sheet's name.
const MOST_IN_NAME: usize = 31;

/// What a sheet's texts lost.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Losses {
    /// Cells with characters that no workbook can hold.
    pub(super) replaced: u64,
    /// Cells that were too long.
    pub(super) cut: u64,
    /// Figures with more digits than Excel keeps.
    pub(super) rounded: u64,
}

impl Losses {
    /// What is said of them, in sentences.
    pub(super) fn notes(self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.replaced > 0 {
            notes.push(format!(
                "\u{FFFD} stands for control characters that a workbook cannot hold, in {}.",
                counted(self.replaced, "cell")
            ));
        }
        if self.cut > 0 {
            notes.push(format!(
                "Excel holds 32,767 characters in a cell; {} had more and end with “(cut, …)”. The CSV has the whole text.",
                counted(self.cut, "cell")
            ));
        }
        if self.rounded > 0 {
            notes.push(format!(
                "Excel keeps 15 digits of a number; {} had more. The CSV has every digit.",
                counted(self.rounded, "figure")
            ));
        }
        notes
    }
}

/// The text as a cell can hold it.
pub(super) fn fit<'a>(text: &'a str, losses: &mut Losses) -> Cow<'a, str> {
    let text = if text.chars().any(is_unknown_to_xml) {
        losses.replaced += 1;
        Cow::Owned(text.replace(is_unknown_to_xml, "\u{FFFD}"))
    } else {
        Cow::Borrowed(text)
    };
    // No text has more UTF-16 units than bytes in UTF-8.
    if text.len() <= MOST_IN_CELL || text.encode_utf16().count() <= MOST_IN_CELL {
        return text;
    }
    losses.cut += 1;
    let end = format!(" … (cut, {}; whole text in the CSV)", counted(text.chars().count() as u64, "character"));
    let room = MOST_IN_CELL - end.encode_utf16().count();
    Cow::Owned(format!("{}{end}", beginning(&text, room)))
}

/// Line breaks and tabs can be written; NUL and its like, and the two that are no characters, cannot.
fn is_unknown_to_xml(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// As much of the text as fits into so many UTF-16 units without taking apart what people see as one character.
fn beginning(text: &str, room: usize) -> &str {
    let (mut end, mut units) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        units += cluster.encode_utf16().count();
        if units > room {
            break;
        }
        end = at + cluster.len();
    }
    if end > 0 {
        return &text[..end];
    }
    // A single cluster that is longer than all that fits: letters with thousands of marks on them.
    let mut units = 0;
    let fits = text.char_indices().take_while(|(_, character)| {
        units += character.len_utf16();
        units <= room
    });
    let end = fits.last().map_or(0, |(at, character)| at + character.len_utf8());
    &text[..end]
}

/// Names of sheets that are taken; Excel tells them apart without case.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name for a sheet that is made of its heading: nothing that Excel refuses, at most 31 characters, and not taken.
    pub(super) fn take(&mut self, heading: &str) -> String {
        let allowed: String = heading
            .chars()
            .map(|character| {
                if is_unknown_to_xml(character) || character.is_control() || "[]:*?/\\".contains(character) {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        let words = allowed.split_whitespace().collect::<Vec<_>>().join(" ");
        let trimmed = trim(&words);
        // Excel keeps “History” for itself.
        let name = match trimmed {
            "" => "Table",
            name if name.eq_ignore_ascii_case("history") => "History of figures",
            name => name,
        };
        let mut number = 1_u32;
        loop {
            let end = if number == 1 { String::new() } else { format!(" ({number})") };
            let taken = format!("{}{end}", trim(beginning(name, MOST_IN_NAME - end.len())));
            if self.0.insert(taken.to_lowercase()) {
                return taken;
            }
            number += 1;
        }
    }
}

/// Without spaces and apostrophes at either end.
fn trim(name: &str) -> &str {
    name.trim_matches(|character: char| character == '\'' || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_excel_accepts() {
        let check = |heading: &str, expect: &str| assert_eq!(Names::default().take(heading), expect, "{heading:?}");
        check("Reach by day", "Reach by day");
        check("A/B [test]: what?*\\", "A B test what");
        check("", "Table");
        check("  '  ", "Table");
        check("'quoted'", "quoted");
        check("History", "History of figures");
        check("HISTORY", "History of figures");
        check("a\0b\nc", "a b c");
        check("A heading that is longer than a sheet's name", "A heading that is longer than a");
        // 30 letters and a family of 11 units.
        check("012345678901234567890123456789👨‍👩‍👧‍👦", "012345678901234567890123456789");
        check("0123456789012345678901234567 '9", "0123456789012345678901234567 '9");
    }

    #[test]
    fn no_two_sheets_have_one_name() {
        let mut names = Names::default();
        assert_eq!(names.take("Report"), "Report");
        assert_eq!(names.take("REPORT"), "REPORT (2)");
        assert_eq!(names.take("Report"), "Report (3)");
        let long = "x".repeat(40);
        assert_eq!(names.take(&long).len(), 31);
        assert_eq!(names.take(&long), format!("{} (2)", "x".repeat(27)));
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let mut losses = Losses::default();
        let whole = "a".repeat(MOST_IN_CELL);
        assert_eq!(fit(&whole, &mut losses), whole);
        assert_eq!(losses, Losses::default());

        let family = "👨‍👩‍👧‍👦";
        let long = format!("ab{}", family.repeat(5_000));
        let cut = fit(&long, &mut losses);
        let end = " … (cut, 35,002 characters; whole text in the CSV)";
        let kept = cut.strip_suffix(end).expect("an end that says so");
        assert!(cut.encode_utf16().count() <= MOST_IN_CELL && cut.encode_utf16().count() > MOST_IN_CELL - 11);
        assert_eq!((kept.len() - 2) % family.len(), 0);
        assert_eq!(losses, Losses { cut: 1, ..Losses::default() });

        let marks = format!("e{}", "\u{301}".repeat(40_000));
        assert_eq!(fit(&marks, &mut losses).encode_utf16().count(), MOST_IN_CELL);
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced_and_counted() {
        let mut losses = Losses::default();
        assert_eq!(fit("a\0b\u{1b}c\u{ffff}", &mut losses), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(fit("tab\tline\r\nend\u{85}", &mut losses), "tab\tline\r\nend\u{85}");
        assert_eq!(losses, Losses { replaced: 1, ..Losses::default() });
        assert_eq!(losses.notes(), ["\u{fffd} stands for control characters that a workbook cannot hold, in 1 cell."]);
    }
}
