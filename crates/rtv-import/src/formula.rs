//! Text that a spreadsheet would run as a formula: telling it, writing it so that it is not run, and reading it back as it was.
//!
//! The guard is an apostrophe in front of such a text. Apostrophes and quotes at the beginning are looked through, so a text that has one
//! before its formula gets another (`'=1` becomes `''=1`), a text that only begins with one (`'tis`) stays as it is, and taking the guard off
//! gives the same text in every case. But a file of other people may well hold `'@anna' says`, whose apostrophe is part of the text. So a guard
//! is only taken off in a file that says that it has guards. RTV's files say it by quotes around the last label of the header that would
//! need none, where the others have none: no reader of CSV sees a difference, the table stays a table, and a file that is written untouched
//! simply has no such quotes. A spreadsheet that saves the file anew writes the header without them; then the guards are text.

use std::borrow::Cow;

/// Whether a spreadsheet may take the text for a formula: it begins with one of `= + - @`, or with their full-width forms, a tab or a line end,
/// also behind spaces, quotes and characters that are not seen.
pub fn looks_like_formula(text: &str) -> bool {
    for character in text.chars() {
        match character {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' | '\n' | '\0' => return true,
            _ if is_looked_through(character) => {}
            _ => return false,
        }
    }
    false
}

/// What a spreadsheet may drop before it looks for a formula.
fn is_looked_through(character: char) -> bool {
    matches!(character, '"' | '\'' | '`')
        || character.is_whitespace()
        || character.is_control()
        // Marks that have no width: spaces and joiners of zero width, direction of text, byte order.
        || matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A cell that a spreadsheet does not take for a formula: one that looks like one gets a leading `'`.
pub fn without_formula(value: &str) -> String {
    guarded(value).into_owned()
}

/// The same, borrowed where nothing changes.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if looks_like_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether the cell begins with a guard. A cell need not be text as a whole; what comes before its first broken byte decides.
pub(crate) fn is_guarded(cell: &[u8]) -> bool {
    cell.strip_prefix(b"'")
        .and_then(|rest| rest.utf8_chunks().next())
        .is_some_and(|chunk| looks_like_formula(chunk.valid()))
}

/// Whether a label of a header has to stand in quotes, whatever separates the cells.
pub fn label_needs_quotes(label: &str) -> bool {
    label.is_empty() || label.contains(['"', ',', ';', '\t', '\r', '\n']) || label.trim() != label
}

/// The label that stands in quotes in a file with guards, although it would need none; `None` where there are not two that need none, so that
/// the file cannot say that it has guards.
pub fn marked_label<'a>(labels: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let bare: Vec<usize> = labels
        .into_iter()
        .enumerate()
        .filter(|(_, label)| !label_needs_quotes(label))
        .map(|(index, _)| index)
        .collect();
    if bare.len() < 2 { None } else { bare.last().copied() }
}

/// Whether a header says that the file has guards; `quoted` are the columns whose label stood in quotes.
pub(crate) fn is_marked(header: &[String], quoted: &[usize]) -> bool {
    let Some(marked) = marked_label(header.iter().map(String::as_str)) else { return false };
    header
        .iter()
        .enumerate()
        .filter(|(_, label)| !label_needs_quotes(label))
        .all(|(index, _)| quoted.contains(&index) == (index == marked))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(guarded(text), expect, "{text:?}");
        let read = if is_guarded(expect.as_bytes()) { &expect[1..] } else { expect };
        assert_eq!(read, text, "read from {expect:?}");
    }

    #[test]
    fn what_a_spreadsheet_runs_gets_a_guard_and_nothing_else_does() {
        check("=HYPERLINK(\"http://x\",\"y\")", "'=HYPERLINK(\"http://x\",\"y\")");
        for text in ["+1", "-5", "@handle", "\tx", "\rx", "\nx", "\0x", "＝1", "＋1", "－1", "＠a", "=", " ="] {
            check(text, &format!("'{text}"));
        }
        for text in ["  =1", "\u{a0}=1", "\u{feff}=1", "\u{200b}@a", "\"=1\"", "\" +1", "`-1", "'=1", "''=1", "' @a"] {
            check(text, &format!("'{text}"));
        }
        for text in ["", " ", "a=1", "1-2", "'tis", "'", "''", "\"quoted\"", "a@b", "…", "😀 =1", "١-٢", "_=1", "(=1)"]
        {
            check(text, text);
        }
    }

    #[test]
    fn a_broken_byte_does_not_hide_a_guard() {
        assert!(is_guarded(b"'=\xFF"));
        assert!(!is_guarded(b"'\xFF=") && !is_guarded(b"") && !is_guarded(b"=1"));
    }

    #[test]
    fn a_header_is_marked_by_its_last_label_alone() {
        let check = |labels: &[&str], quoted: &[usize], expect: bool| {
            let header: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
            assert_eq!(is_marked(&header, quoted), expect, "{labels:?} {quoted:?}");
        };
        check(&["Day", "Post", "Reach"], &[2], true);
        check(&["Day", "Post", "Reach"], &[], false);
        check(&["Day", "Post", "Reach"], &[1], false);
        // Programs that quote every label, or every text.
        check(&["Day", "Post", "Reach"], &[0, 1, 2], false);
        check(&["Day", "Post", "Reach"], &[0], false);
        // What needs its quotes says nothing.
        check(&["Day", "Post", "Reach, previous"], &[2], false);
        check(&["Day", "Post", "Reach, previous"], &[1, 2], true);
        check(&["Reach"], &[0], false);
        check(&["Reach, previous", "Reach"], &[0, 1], false);
    }

    proptest! {
        #[test]
        fn a_guard_taken_off_gives_the_same_text(text in "[=+@'\" \ta\r\n\u{200B}-]{0,6}") {
            let written = guarded(&text);
            let read = if is_guarded(written.as_bytes()) { &written[1..] } else { &written };
            prop_assert_eq!(read, &text);
        }
    }
}
