//! Texts in lines: parted at spaces, behind hyphens and strokes, between ideographs, and inside of a word only where it is wider than
//! the line.

use super::face::{Faces, Weight};

/// Lines of a text that may have several paragraphs; a line for each empty one.
pub(super) fn wrap(faces: &mut Faces, text: &str, weight: Weight, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.replace("\r\n", "\n").split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'])
    {
        wrap_paragraph(faces, paragraph, weight, width / size, &mut lines);
    }
    lines
}

fn wrap_paragraph(faces: &mut Faces, text: &str, weight: Weight, width: f32, lines: &mut Vec<String>) {
    let text = text.replace('\t', " ");
    let (mut line, mut used) = (String::new(), 0.0);
    let before = lines.len();
    for token in tokens(&text) {
        let word = token.trim_end_matches(is_space);
        let word_width = faces.measure(word, weight);
        // A hair's breadth, so that what was measured to fit fits.
        if used + word_width > width + 0.001 && !line.is_empty() {
            close(&mut line, lines);
            used = 0.0;
        }
        if word_width > width + 0.001 {
            for cluster in Faces::clusters(word) {
                let cluster_width = faces.measure(cluster, weight);
                if used + cluster_width > width + 0.001 && !line.is_empty() {
                    close(&mut line, lines);
                    used = 0.0;
                }
                line.push_str(cluster);
                used += cluster_width;
            }
        } else {
            line.push_str(word);
            used += word_width;
        }
        let space = &token[word.len()..];
        line.push_str(space);
        used += faces.measure(space, weight);
    }
    if !line.is_empty() || lines.len() == before {
        close(&mut line, lines);
    }
}

fn close(line: &mut String, lines: &mut Vec<String>) {
    lines.push(line.trim_end_matches(is_space).to_owned());
    line.clear();
}

/// A space at which a line may end; no-break spaces are none.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() && !matches!(letter, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Words with what follows them up to the next.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len();
        let mut last: Option<char> = None;
        for (at, letter) in rest.char_indices() {
            if let Some(last) = last
                && may_part(last, letter)
            {
                end = at;
                break;
            }
            last = Some(letter);
        }
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn may_part(before: char, after: char) -> bool {
    if is_space(after) {
        return false;
    }
    is_space(before)
        || (matches!(before, '-' | '\u{2010}' | '\u{2013}' | '\u{2014}' | '/') && after.is_alphabetic())
        || (is_ideograph(after) && !is_opening(before))
        || (is_ideograph(before) && !is_closing(after))
}

fn is_ideograph(letter: char) -> bool {
    matches!(u32::from(letter), 0x2e80..=0x2fff | 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff | 0xff01..=0xff60 | 0x2_0000..=0x3_ffff)
        && !is_closing(letter)
        && !is_opening(letter)
}

fn is_closing(letter: char) -> bool {
    matches!(
        letter,
        '、' | '。'
            | '，'
            | '．'
            | '！'
            | '？'
            | '：'
            | '；'
            | '」'
            | '』'
            | '）'
            | '】'
            | 'ー'
            | ')'
            | ']'
            | ','
            | '.'
            | '!'
            | '?'
            | ':'
            | ';'
            | '%'
            | '”'
            | '’'
    )
}

fn is_opening(letter: char) -> bool {
    matches!(letter, '「' | '『' | '（' | '【' | '(' | '[' | '“' | '‘')
}

/// The widest part that is not parted, no wider than `most`; both as parts of the letters' size.
pub(super) fn widest_word(faces: &mut Faces, text: &str, weight: Weight, most: f32) -> f32 {
    let mut widest: f32 = 0.0;
    for paragraph in text.lines() {
        for token in tokens(paragraph) {
            let word = token.trim_end_matches(is_space);
            // As many letters are wider than the limit anyway.
            let width = if word.len() > 400 { most } else { faces.measure(word, weight) };
            widest = widest.max(width);
            if widest >= most {
                return most;
            }
        }
    }
    widest
}

/// The text on one line, with an ellipsis where it is too long; `None` where it fits.
pub(super) fn shortened(faces: &mut Faces, text: &str, weight: Weight, size: f32, width: f32) -> Option<String> {
    let width = width / size;
    if faces.measure(text, weight) <= width {
        return None;
    }
    let mut used = faces.measure("…", weight);
    let mut kept = String::new();
    for cluster in Faces::clusters(text) {
        used += faces.measure(cluster, weight);
        if used > width {
            break;
        }
        kept.push_str(cluster);
    }
    Some(format!("{}…", kept.trim_end()))
}
