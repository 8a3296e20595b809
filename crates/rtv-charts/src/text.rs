//! How wide a text is and how it is made safe for a label. The reader's machine chooses the font of a system stack, so widths here are
//! those of `DejaVu` Sans Book, the widest of the fonts such stacks commonly lead to: room reserved with them is never too small.
//!
//! The table was made with a canvas in Chromium: `measureText` of each printable ASCII character at 1000 px; the classes below it are
//! means of their blocks, rounded up.

/// Advance widths of U+0020 to U+007E, in thousandths of the font size.
const ASCII: [u16; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636,
    636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863,
    748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635,
    615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636,
    337, 636, 838,
];

/// Width of one line of text in px.
pub(crate) fn width(text: &str, font_size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * font_size / 1000.0
}

/// Advance of one character in thousandths of the font size. Combinations (emoji sequences, ligatures) count as their parts.
fn advance(character: char) -> f64 {
    let code = u32::from(character);
    let thousandths = match code {
        0x20..=0x7e => ASCII[(code - 0x20) as usize],
        // Controls, combining marks, joiners, direction marks, variation selectors, Thai vowels above and below.
        0..=0x1f
        | 0x7f..=0x9f
        | 0x0300..=0x036f
        | 0x0591..=0x05c7
        | 0x064b..=0x065f
        | 0x0e31
        | 0x0e34..=0x0e3a
        | 0x0e47..=0x0e4e
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x206f
        | 0xfe00..=0xfe0f => 0,
        0xa0 => 318,
        0x202f | 0x2009 => 200,
        0xd7 | 0x2212 => 838,
        0x0400..=0x04ff => 720,
        // Ellipsis, long dash, ideographs, kana, Hangul, full-width forms.
        0x2014
        | 0x2026
        | 0x1100..=0x11ff
        | 0x2e80..=0x9fff
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xff00..=0xff60
        | 0x2_0000..=0x3_ffff => 1000,
        0x2600..=0x27bf | 0x1_f000..=0x1_faff => 1250,
        _ => 680,
    };
    f64::from(thousandths)
}

/// Cuts at the end, with an ellipsis, what does not fit. Cutting here and not in the drawing library keeps characters whole: the
/// library cuts between UTF-16 units, and half an emoji is not a valid text.
pub(crate) fn fit(text: &str, font_size: f64, room: f64) -> String {
    if width(text, font_size) <= room {
        return text.to_owned();
    }
    let room = room - width("…", font_size);
    let mut used = 0.0;
    let mut kept: String = text
        .chars()
        .take_while(|&character| {
            used += advance(character) * font_size / 1000.0;
            used <= room
        })
        .collect();
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    kept
}

/// A text of unknown origin as one line that means only itself. Controls (which XML forbids and which break lines) become spaces, and a
/// word joiner, which has no width, follows each brace, so that `{b}` and `{style|text}` are not read as templates.
pub(crate) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '{' => line.push_str("{\u{2060}"),
            '\u{fffe}' | '\u{ffff}' => {}
            // Line and paragraph separators are no controls but break lines as well.
            '\u{2028}' | '\u{2029}' => line.push(' '),
            control if control.is_control() => line.push(' '),
            other => line.push(other),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_the_characters() {
        let check = |text: &str, expect: f64| {
            let found = width(text, 10.0);
            assert!((found - expect).abs() < 1e-9, "{text}: {found}");
        };
        check("", 0.0);
        check("0", 6.36);
        check("iW", 2.78 + 9.89);
        check("日本", 20.0);
        check("e\u{301}", 6.15);
        check("\u{200f}\u{202e}", 0.0);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(fit("Q4 launch", 12.0, 100.0), "Q4 launch");
        assert_eq!(fit("Q4 launch of everything", 12.0, 80.0), "Q4 launch…");
        assert_eq!(fit("🚀🚀🚀🚀", 10.0, 36.0), "🚀🚀…");
        assert!(width(&fit("Q4 launch of everything", 12.0, 80.0), 12.0) <= 80.0);
    }

    #[test]
    fn a_text_cannot_pose_as_a_template_or_break_the_line() {
        assert_eq!(plain("a{b0}\n\u{0}c\u{2028}d"), "a{\u{2060}b0}  c d");
    }
}
