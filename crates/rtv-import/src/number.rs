//! Figures as people and exports write them, read in a stated style.
//!
//! `1.234` is one and a bit in one half of the world and more than a thousand in the other, so a style is stated or settled by the file's own
//! figures, and what has two meanings is refused. A sign for "nothing known" (`-`, `n/a`) is a missing value, never 0.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How a file writes its figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberStyle {
    /// Digits, with a point before decimals and nothing between thousands: how programs write. An empty cell is the only missing value.
    #[default]
    Plain,
    /// `1,234.56`; also `1 234.56` and `1'234.56`.
    DecimalPoint,
    /// `1.234,56`; also `1 234,56`.
    DecimalComma,
    /// Not stated: a figure that means the same either way, or has a meaning in one of the two only, is read; `1.234` as an amount is refused.
    Unambiguous,
}

impl NumberStyle {
    /// Those that a person chooses from.
    pub const CHOICES: [Self; 3] = [Self::DecimalPoint, Self::DecimalComma, Self::Unambiguous];

    /// The value of a form field.
    pub fn key(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::DecimalPoint => "decimal_point",
            Self::DecimalComma => "decimal_comma",
            Self::Unambiguous => "unambiguous",
        }
    }

    /// With an example, as shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Plain => "1234.56 (digits and a point, nothing else)",
            Self::DecimalPoint => "1,234.56 (point before decimals)",
            Self::DecimalComma => "1.234,56 (comma before decimals)",
            Self::Unambiguous => "Only what has one meaning",
        }
    }
}

impl std::str::FromStr for NumberStyle {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        [Self::Plain].into_iter().chain(Self::CHOICES).find(|style| style.key() == key).ok_or_else(|| {
            format!("\"{key}\" is no style of numbers; use one of: {}", Self::CHOICES.map(Self::key).join(", "))
        })
    }
}

/// Why a cell is no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is none in the stated style.
    NoNumber,
    /// It has two meanings and no style is stated.
    Ambiguous,
}

/// Whether a cell says that nothing is known.
pub(crate) fn is_missing(value: &str, style: NumberStyle) -> bool {
    if value.is_empty() {
        return true;
    }
    // No figure is as short as the signs that begin with a letter are, so the usual cell is decided by its first byte.
    if style == NumberStyle::Plain || value.as_bytes()[0].is_ascii_digit() || value.len() > 6 {
        return false;
    }
    matches!(value, "-" | "--" | "–" | "—")
        || ["n/a", "na", "null", "none", "nan"].iter().any(|sign| value.eq_ignore_ascii_case(sign))
}

/// A whole number from 0. Decimals are accepted where they are one or two zeros, which some programs write behind every count; three are not,
/// because they look like thousands.
pub(crate) fn read_count(value: &str, style: NumberStyle) -> Result<i64, Trouble> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().map_err(|_| Trouble::NoNumber);
    }
    let of = |point| -> Option<i64> {
        let written = Written::read(value, point)?;
        if !matches!(written.decimals, "" | "0" | "00") {
            return None;
        }
        written.whole.parse().ok()
    };
    decide(style, of)
}

/// An amount from 0.
pub(crate) fn read_amount(value: &str, style: NumberStyle) -> Result<Decimal, Trouble> {
    let of = |point| -> Option<Decimal> {
        let Written { whole, decimals } = Written::read(value, point)?;
        if decimals.is_empty() {
            return Decimal::from_str_exact(&whole).ok();
        }
        Decimal::from_str_exact(&format!("{whole}.{decimals}")).ok()
    };
    if style == NumberStyle::Plain {
        let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && value.starts_with(|first: char| first.is_ascii_digit())
            && value.ends_with(|last: char| last.is_ascii_digit());
        return if is_plain { Decimal::from_str_exact(value).ok() } else { None }.ok_or(Trouble::NoNumber);
    }
    decide(style, of)
}

/// A mean sentiment from -1 to 1.
pub(crate) fn read_sentiment(value: &str, style: NumberStyle) -> Result<f64, Trouble> {
    let plain = |value: &str| value.parse().ok().filter(|sentiment: &f64| (-1.0..=1.0).contains(sentiment));
    if style == NumberStyle::Plain {
        return plain(value).ok_or(Trouble::NoNumber);
    }
    // Nothing here is a thousand, so a comma can only stand before decimals.
    let stated = match style {
        NumberStyle::DecimalPoint => &['.'][..],
        NumberStyle::DecimalComma => &[','],
        NumberStyle::Plain | NumberStyle::Unambiguous => &['.', ','],
    };
    let unsigned = value.strip_prefix(['-', '\u{2212}']).unwrap_or(value);
    let is_number = |point: &char| {
        unsigned.starts_with(|first: char| first.is_ascii_digit())
            && unsigned.ends_with(|last: char| last.is_ascii_digit())
            && unsigned.chars().all(|character| character.is_ascii_digit() || character == *point)
    };
    let is_written = stated.iter().any(is_number);
    let number = if is_written { plain(&value.replace(',', ".").replace('\u{2212}', "-")) } else { None };
    number.ok_or(Trouble::NoNumber)
}

fn decide<T: PartialEq>(style: NumberStyle, of: impl Fn(char) -> Option<T>) -> Result<T, Trouble> {
    match style {
        NumberStyle::Plain => Err(Trouble::NoNumber),
        NumberStyle::DecimalPoint => of('.').ok_or(Trouble::NoNumber),
        NumberStyle::DecimalComma => of(',').ok_or(Trouble::NoNumber),
        NumberStyle::Unambiguous => match (of('.'), of(',')) {
            (Some(one), Some(other)) if one != other => Err(Trouble::Ambiguous),
            (Some(one), _) | (None, Some(one)) => Ok(one),
            (None, None) => Err(Trouble::NoNumber),
        },
    }
}

/// A number taken apart: its whole part without separators, and its decimals.
struct Written<'a> {
    whole: String,
    decimals: &'a str,
}

impl<'a> Written<'a> {
    fn read(value: &'a str, point: char) -> Option<Self> {
        let (whole, decimals) = match value.split_once(point) {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (value, ""),
        };
        if !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let other = if point == '.' { ',' } else { '.' };
        let is_separator = |character: char| {
            character == other || matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}')
        };
        let Some(separator) = whole.chars().find(|&character| is_separator(character)) else {
            let is_whole = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
            return is_whole.then(|| Self { whole: whole.to_owned(), decimals });
        };
        let mut joined = String::with_capacity(whole.len());
        for (index, group) in whole.split(separator).enumerate() {
            let is_group = if index == 0 {
                // A thousand does not begin with 0.
                (1..=3).contains(&group.len()) && !group.starts_with('0')
            } else {
                group.len() == 3
            };
            if !is_group || !group.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            joined.push_str(group);
        }
        Some(Self { whole: joined, decimals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NumberStyle::{DecimalComma, DecimalPoint, Plain, Unambiguous};

    #[test]
    fn counts_are_read_in_the_stated_style() {
        let check = |value: &str, expect: [Result<i64, Trouble>; 4]| {
            let read = [Plain, DecimalPoint, DecimalComma, Unambiguous].map(|style| read_count(value, style));
            assert_eq!(read, expect, "{value:?}");
        };
        let none = Err(Trouble::NoNumber);
        check("0", [Ok(0); 4]);
        check("007", [Ok(7); 4]);
        check("9223372036854775807", [Ok(i64::MAX); 4]);
        check("9223372036854775808", [none; 4]);
        check("1,234", [none, Ok(1234), none, Ok(1234)]);
        check("1.234", [none, none, Ok(1234), Ok(1234)]);
        check("1.234.567", [none, none, Ok(1_234_567), Ok(1_234_567)]);
        check("12,345,678", [none, Ok(12_345_678), none, Ok(12_345_678)]);
        check("424.0", [none, Ok(424), none, Ok(424)]);
        check("424,00", [none, none, Ok(424), Ok(424)]);
        check("1.000", [none, none, Ok(1000), Ok(1000)]);
        check("1,234.0", [none, Ok(1234), none, Ok(1234)]);
        for value in ["1 234", "1\u{a0}234", "1\u{202f}234", "1'234", "1’234"] {
            check(value, [none, Ok(1234), Ok(1234), Ok(1234)]);
        }
        for value in [
            "1.5",
            "1,5",
            "-1",
            "+1",
            "1,23",
            "12,34",
            "1,2345",
            "0,123",
            "1.1K",
            "5%",
            "€5",
            "1e3",
            "many",
            "٣",
            ".",
            ",",
            "1,",
            "1 23",
            "1,234 567",
            ",123",
            "1..0",
        ] {
            check(value, [none; 4]);
        }
    }

    #[test]
    fn an_amount_with_two_meanings_is_refused_until_a_style_is_stated() {
        let check = |value: &str, point: Option<&str>, comma: Option<&str>, unstated: Result<&str, Trouble>| {
            let decimal = |text: &str| Decimal::from_str_exact(text).unwrap();
            let or_none = |text: Option<&str>| text.map(decimal).ok_or(Trouble::NoNumber);
            assert_eq!(read_amount(value, DecimalPoint), or_none(point), "{value} with a point");
            assert_eq!(read_amount(value, DecimalComma), or_none(comma), "{value} with a comma");
            assert_eq!(read_amount(value, Unambiguous), unstated.map(decimal), "{value} unstated");
        };
        check("12", Some("12"), Some("12"), Ok("12"));
        check("12.5", Some("12.5"), None, Ok("12.5"));
        check("12,50", None, Some("12.50"), Ok("12.50"));
        check("1,234.56", Some("1234.56"), None, Ok("1234.56"));
        check("1.234,56", None, Some("1234.56"), Ok("1234.56"));
        check("1.234", Some("1.234"), Some("1234"), Err(Trouble::Ambiguous));
        check("1,234", Some("1234"), Some("1.234"), Err(Trouble::Ambiguous));
        check("0.250", Some("0.250"), None, Ok("0.250"));
        check("1 234,56", None, Some("1234.56"), Ok("1234.56"));
        check("-1", None, None, Err(Trouble::NoNumber));
        check("5 €", None, None, Err(Trouble::NoNumber));
        assert_eq!(read_amount("1.234", Plain), Ok(Decimal::new(1234, 3)));
        assert_eq!(read_amount("1,234", Plain), Err(Trouble::NoNumber));
    }

    #[test]
    fn a_sentiment_is_read_with_a_point_or_a_comma() {
        let check = |value: &str, style, expect: Option<f64>| {
            assert_eq!(read_sentiment(value, style), expect.ok_or(Trouble::NoNumber), "{value} as {style:?}");
        };
        check("-0.25", Plain, Some(-0.25));
        check("-0,25", Plain, None);
        check("-0,25", DecimalComma, Some(-0.25));
        check("-0,25", DecimalPoint, None);
        check("0.250", DecimalPoint, Some(0.25));
        check("\u{2212}0.5", Unambiguous, Some(-0.5));
        check("0,5", Unambiguous, Some(0.5));
        for value in ["1.01", "NaN", "inf", "1e-1", "0.5.1", "good", ".5"] {
            check(value, Unambiguous, None);
        }
    }

    #[test]
    fn a_sign_for_nothing_known_is_missing_where_people_write_and_not_where_programs_do() {
        for sign in ["-", "–", "—", "--", "n/a", "N/A", "NA", "null", "None", "NaN"] {
            assert!(is_missing(sign, Unambiguous) && !is_missing(sign, Plain), "{sign}");
        }
        for value in ["0", "-1", "nano", "none of it"] {
            assert!(!is_missing(value, DecimalPoint), "{value}");
        }
        assert!(is_missing("", Plain));
    }
}
