//! What a team's members can be told of by mail.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::words;

words! {
    /// A kind of news about a team or what it is responsible for.
    News, "kind of news":
    /// An import with posts of the team's accounts is done, or has failed.
    Imports = "imports", "Imports";
    /// Sending is halted, or resumed, for the team's accounts or campaigns or for more than these.
    Halts = "halts", "Halts";
    /// Somebody joined or left the team, or may do something else.
    Members = "members", "Members of the team";
}

impl News {
    /// When it comes, in a sentence's end.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Imports => "an import with posts of the team’s accounts is done or has failed",
            Self::Halts => "sending is halted or resumed for the team’s accounts or campaigns, or for all of them",
            Self::Members => "somebody joins or leaves the team, or may do something else",
        }
    }
}
