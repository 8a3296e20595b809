//! Words that several formats say alike.

use rtv_core::report::Table;

/// Days from Monday on.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Name of the weekday with this number, 0 to 6.
pub(crate) fn weekday(number: u8) -> Option<&'static str> {
    WEEKDAYS.get(usize::from(number)).copied()
}

/// A number with its thousands grouped: `4,812`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of them: `1 cell`, `4,812 cells`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// What is said of a table that is not shown as a whole.
pub(crate) fn showing(table: &Table) -> String {
    format!("Showing {} of {} rows.", grouped(table.rows.len() as u64), grouped(table.of_rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, expect) in [(0, "0"), (999, "999"), (4_812, "4,812"), (1_048_576, "1,048,576")] {
            assert_eq!(grouped(number), expect);
        }
        assert_eq!(counted(1, "cell"), "1 cell");
        assert_eq!(counted(40_000, "character"), "40,000 characters");
        assert_eq!((weekday(0), weekday(6), weekday(7)), (Some("Monday"), Some("Sunday"), None));
    }
}
