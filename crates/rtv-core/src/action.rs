//! The kinds of side effects that RTV has on platforms. A kill switch may stop one kind alone.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// One kind of side effect on a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A new post.
    Publish,
    /// An answer to a post or comment.
    Reply,
    /// A direct message.
    Message,
    /// A like or another reaction.
    React,
    /// Taking away or hiding what is there already.
    Delete,
}

impl Action {
    /// All actions in the order in which people see them.
    pub const ALL: [Self; 5] = [Self::Publish, Self::Reply, Self::Message, Self::React, Self::Delete];

    /// Text form, as stored and as written in addresses.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Reply => "reply",
            Self::Message => "message",
            Self::React => "react",
            Self::Delete => "delete",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Publish => "Publish",
            Self::Reply => "Reply",
            Self::Message => "Message",
            Self::React => "React",
            Self::Delete => "Delete",
        }
    }

    /// Whether it cleans up. After an accident people must be able to take away what went out, so only its own switch, or
    /// “global, everything”, stops it.
    pub const fn is_cleanup(self) -> bool {
        matches!(self, Self::Delete)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|action| action.key() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::key).join(", ");
            format!("“{text}” is not an action; use one of: {known}")
        })
    }
}
