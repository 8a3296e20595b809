//! The networks that accounts live on.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A social network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// X, formerly Twitter.
    X,
    /// `LinkedIn` pages.
    LinkedIn,
    /// Instagram business accounts.
    Instagram,
    /// Facebook pages.
    Facebook,
    /// Bluesky (AT Protocol).
    Bluesky,
    /// Mastodon servers.
    Mastodon,
    /// The built-in network for trials and tests.
    Sandbox,
}

impl Platform {
    /// All platforms in the order in which people see them.
    pub const ALL: [Self; 7] =
        [Self::X, Self::LinkedIn, Self::Instagram, Self::Facebook, Self::Bluesky, Self::Mastodon, Self::Sandbox];

    /// Text form, as stored and as written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::LinkedIn => "linkedin",
            Self::Instagram => "instagram",
            Self::Facebook => "facebook",
            Self::Bluesky => "bluesky",
            Self::Mastodon => "mastodon",
            Self::Sandbox => "sandbox",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::X => "X",
            Self::LinkedIn => "LinkedIn",
            Self::Instagram => "Instagram",
            Self::Facebook => "Facebook",
            Self::Bluesky => "Bluesky",
            Self::Mastodon => "Mastodon",
            Self::Sandbox => "Sandbox",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|platform| platform.key() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::key).join(", ");
            format!("“{text}” is not a platform; use one of: {known}")
        })
    }
}
