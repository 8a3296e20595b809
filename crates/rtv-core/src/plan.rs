//! Plans and the life cycle of a tenant, and the macro that makes an enum of words with a stored key and a label.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$vdoc:meta])* $variant:ident = $key:literal, $label:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Text form, as stored.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// Name for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.key())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|one| one.key() == text).ok_or_else(|| {
                    let known = Self::ALL.iter().map(|one| one.key()).collect::<Vec<_>>().join(", ");
                    format!(concat!("“{}” is not a ", $what, "; use one of: {}"), text, known)
                })
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What a tenant has bought. Limits hang on it.
    Plan, "plan":
    /// Trial without payment.
    Free = "free", "Free";
    /// For one brand.
    Starter = "starter", "Starter";
    /// For a marketing team.
    Professional = "professional", "Professional";
    /// For agencies and groups.
    Enterprise = "enterprise", "Enterprise";
}

words! {
    /// Where a tenant stands in its life.
    TenantStatus, "status":
    /// Created, not yet in use.
    Pending = "pending", "Pending";
    /// In use.
    Active = "active", "Active";
    /// Can read and export, changes nothing.
    Suspended = "suspended", "Suspended";
    /// Ended.
    Cancelled = "cancelled", "Cancelled";
}
