//! Short texts that are parsed at the edge and carried inward as types: slugs and email addresses.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}

/// A tenant's name in addresses: 2 to 40 lower-case letters, digits and single hyphens, starting with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Slug(String);

text_type!(Slug);

impl FromStr for Slug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shaped = (2..=40).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-')
            && !text.contains("--");
        if shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err("use 2 to 40 lower-case letters, digits and single hyphens, starting with a letter, like acme-coffee"
                .into())
        }
    }
}

/// An email address, lower-cased, so that one mailbox is one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Email(String);

text_type!(Email);

impl FromStr for Email {
    type Err = String;

    /// Checks the shape only; whether the mailbox exists shows when a mail is answered. 254 characters is the longest
    /// address that SMTP can carry (RFC 5321, 4.5.3.1.3, less the angle brackets).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_lowercase();
        let fits = text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | ',' | ';'));
        match text.split_once('@') {
            Some((local, domain))
                if fits
                    && (1..=64).contains(&local.len())
                    && !domain.contains('@')
                    && domain.contains('.')
                    && domain
                        .split('.')
                        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')) =>
            {
                Ok(Self(text))
            }
            _ => Err("use an address like dana@example.com".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_parsed_strictly() {
        for good in ["ab", "acme", "acme-coffee", "a1"] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "a", "1a", "Acme", "a--b", "a-", "-a", "a b", "a/b", "é", &"a".repeat(41)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_lower_cased_and_checked_for_shape() {
        assert_eq!(" Dana@Example.COM ".parse::<Email>().unwrap().as_str(), "dana@example.com");
        for bad in
            ["", "dana", "dana@", "@example.com", "a@b", "a@b..c", "a b@c.de", "a@b@c.de", "a\n@b.de", "<a@b.de>"]
        {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }
}
