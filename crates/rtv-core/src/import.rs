//! Where an import stands, from the first byte that is uploaded to the roll-back.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $label:literal;)*) => {
        /// Where an import stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ImportState {
            $($(#[$doc])* $name,)*
        }

        impl ImportState {
            /// All of them, in the order in which an import may pass through them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is stored and as programs read it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// As people read it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }

        impl FromStr for ImportState {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($key => Ok(Self::$name),)*
                    _ => Err(format!("“{text}” is not a state of an import")),
                }
            }
        }
    };
}

states! {
    /// Its file is arriving.
    Uploading = "uploading", "Uploading";
    /// Its file is there, and nobody has said yet what its columns mean.
    Uploaded = "uploaded", "Uploaded";
    /// A worker reads the file and counts what would happen.
    Checking = "checking", "Checking";
    /// It is known what would happen; nothing is written.
    Checked = "checked", "Ready to import";
    /// A worker writes, or waits for its turn; nothing of it is seen yet.
    Importing = "importing", "Importing";
    /// All of it is there.
    Done = "done", "Done";
    /// Nothing of it is there.
    Failed = "failed", "Failed";
    /// Somebody stopped it; nothing of it is there.
    Cancelled = "cancelled", "Cancelled";
    /// A worker takes it back; until that is finished all of it is there.
    RollingBack = "rolling_back", "Rolling back";
    /// It was taken back; nothing of it is there any more.
    RolledBack = "rolled_back", "Rolled back";
}

impl ImportState {
    /// Something goes on that a page should follow.
    pub const fn is_working(self) -> bool {
        matches!(self, Self::Uploading | Self::Checking | Self::Importing | Self::RollingBack)
    }

    /// Nothing more happens by itself.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled | Self::RolledBack)
    }

    /// It can be stopped so that nothing of it stays.
    pub const fn can_cancel(self) -> bool {
        matches!(self, Self::Uploading | Self::Uploaded | Self::Checking | Self::Checked | Self::Importing)
    }

    /// Its file can be checked, as long as it is kept.
    pub const fn can_check(self) -> bool {
        matches!(self, Self::Uploaded | Self::Checked | Self::Failed)
    }
}

impl fmt::Display for ImportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_its_key_and_is_written_so() {
        for state in ImportState::ALL {
            assert_eq!(state.key().parse(), Ok(*state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.key());
        }
    }

    #[test]
    fn a_state_is_final_or_goes_on_or_waits_for_a_person() {
        for state in ImportState::ALL {
            assert!(!(state.is_final() && state.is_working()), "{state}");
            assert!(!(state.is_final() && state.can_cancel()), "{state}");
            let waits = matches!(state, ImportState::Uploaded | ImportState::Checked);
            assert_eq!(waits, !state.is_final() && !state.is_working(), "{state}");
        }
    }
}
