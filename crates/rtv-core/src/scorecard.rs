//! The words of scorecards: what their rows are, in which order they stand, and the grade of what was reached. How a
//! row comes about stands in `rtv-domain`'s file of the same name.

use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kpi::Kpi;

/// What the rows of a scorecard are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Dimension {
    /// A social network each.
    #[default]
    Platform,
    /// A connected profile each.
    Account,
    /// A campaign each, and posts of none.
    Campaign,
}

impl Dimension {
    /// All of them, in the order of the tabs.
    pub const ALL: [Self; 3] = [Self::Platform, Self::Account, Self::Campaign];

    /// As written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Account => "account",
            Self::Campaign => "campaign",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Platform => "Platform",
            Self::Account => "Account",
            Self::Campaign => "Campaign",
        }
    }
}

impl FromStr for Dimension {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|one| one.key() == text)
            .ok_or_else(|| Error::invalid("by", "use platform, account or campaign."))
    }
}

/// What a scorecard can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Column {
    /// The row's name.
    Name,
    /// A figure.
    Figure(Kpi),
    /// What was reached of the target.
    Attainment,
}

impl Column {
    /// As written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Figure(kpi) => kpi.key(),
            Self::Attainment => "grade",
        }
    }
}

/// A column and a direction: `-reach` is the greatest reach first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Whether the greatest stands first.
    pub is_descending: bool,
}

impl Sort {
    /// As written in addresses.
    pub fn key(self) -> String {
        format!("{}{}", if self.is_descending { "-" } else { "" }, self.column.key())
    }
}

impl FromStr for Sort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (is_descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let column = match name {
            "name" => Column::Name,
            "grade" => Column::Attainment,
            _ => Column::Figure(name.parse().map_err(|_| {
                Error::invalid(
                    "sort",
                    "use name, grade or the key of a figure, with - before it for the greatest first.",
                )
            })?),
        };
        Ok(Self { column, is_descending })
    }
}

/// How much of a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// All of it, or more.
    A,
    /// At least 90 %.
    B,
    /// At least 75 %.
    C,
    /// At least 50 %.
    D,
    /// Less.
    E,
}

impl Grade {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    /// The letter.
    pub const fn label(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
        }
    }

    /// The least percentage of the target that earns it.
    pub const fn least_percent(self) -> i64 {
        match self {
            Self::A => 100,
            Self::B => 90,
            Self::C => 75,
            Self::D => 50,
            Self::E => 0,
        }
    }

    /// What it says, in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::A => "reached",
            Self::B => "almost reached",
            Self::C => "behind",
            Self::D => "far behind",
            Self::E => "missed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_back_what_it_wrote() {
        for text in ["name", "-name", "-reach", "engagement_rate", "-grade"] {
            assert_eq!(text.parse::<Sort>().unwrap().key(), text);
        }
        for wrong in ["", "-", "--name", "likes", "-grade-"] {
            assert!(wrong.parse::<Sort>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_dimension_reads_back_its_key() {
        for one in Dimension::ALL {
            assert_eq!(one.key().parse(), Ok(one));
        }
        assert!("team".parse::<Dimension>().is_err());
    }
}
