//! Writes numbers as people of one locale read them: on axes short, in tooltips in full. All digits of a chart are written here, so
//! that the drawn picture, the chart in the browser and the page agree.

/// What the values of a chart measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Things counted.
    Count,
    /// An amount; the sign or code as it is shown, such as `€` or `CHF`.
    Money(String),
    /// A share: 0.066 is shown as 6.6%.
    Percent,
    /// A multiple: 3.4 is shown as 3.4×.
    Ratio,
    /// From −1 to +1, always with its sign.
    Score,
}

/// How numbers are written in one locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberStyle {
    /// Between whole and fraction.
    pub decimal: char,
    /// Between thousands.
    pub group: char,
    /// Whether currency and percent sign follow the number after a space (12 €, 6,6 %).
    pub unit_after: bool,
    /// Short for thousand, million and billion, on axes.
    pub short: [&'static str; 3],
}

impl NumberStyle {
    /// 1,234.5 and 12K.
    pub const ENGLISH: Self = Self { decimal: '.', group: ',', unit_after: false, short: ["K", "M", "B"] };
    /// 1.234,5 and 12 Tsd.
    pub const GERMAN: Self =
        Self { decimal: ',', group: '.', unit_after: true, short: ["\u{a0}Tsd.", "\u{a0}Mio.", "\u{a0}Mrd."] };
}

impl Default for NumberStyle {
    fn default() -> Self {
        Self::ENGLISH
    }
}

/// The value in full, as in a table.
pub(crate) fn full(value: f64, unit: &Unit, style: NumberStyle) -> String {
    let shown = if matches!(unit, Unit::Percent) { value * 100.0 } else { value };
    let decimals = match unit {
        Unit::Count | Unit::Money(_) if shown.fract() == 0.0 => 0,
        Unit::Count | Unit::Percent => 1,
        Unit::Money(_) | Unit::Ratio | Unit::Score => 2,
    };
    dress(shown, decimals, "", unit, style)
}

/// Labels of an axis whose neighbours are `step` apart: the shortest that still differ.
pub(crate) fn ticks(values: &[f64], step: f64, unit: &Unit, style: NumberStyle) -> Vec<String> {
    let factor = if matches!(unit, Unit::Percent) { 100.0 } else { 1.0 };
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (divisor, short) = match unit {
        Unit::Count | Unit::Money(_) if largest >= 1e9 => (1e9, style.short[2]),
        Unit::Count | Unit::Money(_) if largest >= 1e6 => (1e6, style.short[1]),
        Unit::Count | Unit::Money(_) if largest >= 1e4 => (1e3, style.short[0]),
        _ => (1.0, ""),
    };
    let scaled = step * factor / divisor;
    let decimals = (0..4).find(|&decimals| is_whole(scaled * 10_f64.powi(decimals))).unwrap_or(4);
    let decimals = usize::try_from(decimals).unwrap_or_default();
    values
        .iter()
        .map(|value| {
            let is_zero = value.abs() < step * 1e-6;
            let shown = if is_zero { 0.0 } else { value * factor / divisor };
            // "0" needs neither decimals nor "K"; a percent or currency sign does no harm.
            if is_zero && !matches!(unit, Unit::Score) {
                dress(0.0, 0, "", unit, style)
            } else {
                dress(shown, decimals, short, unit, style)
            }
        })
        .collect()
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

fn dress(value: f64, decimals: usize, short: &str, unit: &Unit, style: NumberStyle) -> String {
    let digits = group(&format!("{:.decimals$}", value.abs()), style);
    let is_zero = digits.chars().all(|digit| !matches!(digit, '1'..='9'));
    // A true minus sign: the hyphen is too short to be seen beside digits.
    let sign = match unit {
        _ if value < 0.0 && !is_zero => "−",
        Unit::Score if !is_zero => "+",
        _ => "",
    };
    match unit {
        Unit::Count | Unit::Score => format!("{sign}{digits}{short}"),
        Unit::Money(currency) if style.unit_after => format!("{sign}{digits}{short}\u{a0}{currency}"),
        Unit::Money(currency) if currency.chars().count() > 1 => {
            format!("{sign}{currency}\u{a0}{digits}{short}")
        }
        Unit::Money(currency) => format!("{sign}{currency}{digits}{short}"),
        Unit::Percent if style.unit_after => format!("{sign}{digits}\u{a0}%"),
        Unit::Percent => format!("{sign}{digits}%"),
        Unit::Ratio => format!("{sign}{digits}×"),
    }
}

fn group(plain: &str, style: NumberStyle) -> String {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let mut grouped = String::with_capacity(plain.len() + plain.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(style.group);
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push(style.decimal);
        grouped.push_str(fraction);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_full_in_the_readers_format() {
        let check = |value: f64, unit: &Unit, style: NumberStyle, expect: &str| {
            assert_eq!(full(value, unit, style), expect);
        };
        let (english, german) = (NumberStyle::ENGLISH, NumberStyle::GERMAN);
        let euro = Unit::Money("€".into());
        check(1_284_000.0, &Unit::Count, english, "1,284,000");
        check(999.0, &Unit::Count, english, "999");
        check(12.25, &Unit::Count, english, "12.2");
        check(-3410.0, &Unit::Count, english, "−3,410");
        check(48_200.0, &euro, english, "€48,200");
        check(48_200.5, &euro, german, "48.200,50\u{a0}€");
        check(-7.0, &Unit::Money("CHF".into()), english, "−CHF\u{a0}7");
        check(0.066, &Unit::Percent, english, "6.6%");
        check(0.066, &Unit::Percent, german, "6,6\u{a0}%");
        check(3.4, &Unit::Ratio, english, "3.40×");
        check(0.42, &Unit::Score, english, "+0.42");
        check(-0.08, &Unit::Score, english, "−0.08");
        check(-0.001, &Unit::Score, english, "0.00");
    }

    #[test]
    fn axis_labels_are_the_shortest_that_differ() {
        let check = |values: &[f64], step: f64, unit: &Unit, style: NumberStyle, expect: &[&str]| {
            assert_eq!(ticks(values, step, unit, style), expect);
        };
        let (english, german) = (NumberStyle::ENGLISH, NumberStyle::GERMAN);
        check(&[0.0, 2500.0, 5000.0], 2500.0, &Unit::Count, english, &["0", "2,500", "5,000"]);
        check(&[0.0, 25_000.0, 50_000.0], 25_000.0, &Unit::Count, english, &["0", "25K", "50K"]);
        check(&[0.0, 500_000.0, 1_000_000.0], 500_000.0, &Unit::Count, english, &["0", "0.5M", "1.0M"]);
        check(
            &[0.0, 500_000.0, 1_000_000.0],
            500_000.0,
            &Unit::Count,
            german,
            &["0", "0,5\u{a0}Mio.", "1,0\u{a0}Mio."],
        );
        check(&[0.0, 20_000.0], 20_000.0, &Unit::Money("€".into()), english, &["€0", "€20K"]);
        check(&[0.0, 0.025, 0.05], 0.025, &Unit::Percent, english, &["0%", "2.5%", "5.0%"]);
        check(&[-0.1, 0.0, 0.1], 0.1, &Unit::Score, english, &["−0.1", "0.0", "+0.1"]);
    }
}
