//! Why nothing changes for now although everything can be read and exported. Each reason says what is so and what to do.

use serde::{Deserialize, Serialize};

/// What holds a tenant, or all of RTV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadOnly {
    /// Staff suspended the tenant.
    Suspended {
        /// Why, in their words; empty where none were given.
        reason: String,
    },
    /// Staff cancelled the tenant.
    Cancelled {
        /// Why, in their words; empty where none were given.
        reason: String,
    },
    /// The tenant uses more than it may; a sentence says of what.
    OverLimits(String),
    /// The operator works on RTV itself.
    Maintenance {
        /// Why, in their words.
        reason: String,
    },
}

impl ReadOnly {
    /// What is so, in a few words.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Suspended { .. } => "This organisation is suspended",
            Self::Cancelled { .. } => "This organisation is cancelled",
            Self::OverLimits(_) => "This organisation is over its limits",
            Self::Maintenance { .. } => "RTV is under maintenance",
        }
    }

    /// What is so and why, in sentences.
    pub fn explanation(&self) -> String {
        let reason = match self {
            Self::Suspended { reason } | Self::Cancelled { reason } | Self::Maintenance { reason } => reason,
            Self::OverLimits(sentence) => return sentence.clone(),
        };
        let mut text = self.title().to_owned();
        if reason.is_empty() {
            text.push('.');
        } else {
            text.push_str(": ");
            text.push_str(reason);
            if !reason.ends_with(['.', '!', '?', '…']) {
                text.push('.');
            }
        }
        text.push_str(" Everything can be read and exported; nothing can be changed.");
        text
    }

    /// What to do next, as a sentence.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Suspended { .. } => "Ask your operator what has to happen before it is resumed.",
            Self::Cancelled { .. } => "Export what you want to keep, or ask your operator to resume it.",
            Self::OverLimits(_) => "Settings, Plan and limits shows what is used.",
            Self::Maintenance { .. } => "Try again when it is over; nothing that was stored is lost.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_as_sentences() {
        let check = |reason: &str, expect: &str| {
            let text = ReadOnly::Suspended { reason: reason.into() }.explanation();
            assert_eq!(text, format!("{expect} Everything can be read and exported; nothing can be changed."));
        };
        check("Bill 17 is open", "This organisation is suspended: Bill 17 is open.");
        check("Call us!", "This organisation is suspended: Call us!");
        check("", "This organisation is suspended.");
    }
}
