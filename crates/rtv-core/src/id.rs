//! Typed identifiers. Every id is a newtype over UUIDv7 and is written with the prefix of its noun
//! (`ten_0192…`), so that an id of the wrong kind is refused where it is parsed.
//! Ids are *made* in `rtv-domain`, because making one needs a clock and random numbers.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id was not written as its prefix and 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {prefix}0192f3c4a1b27d3e8f9a0b1c2d3e4f50")]
pub struct ParseIdError {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix that the text form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The bare UUID, as the database stores it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(value: Uuid) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0.simple())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix($prefix)
                    .filter(|rest| rest.len() == 32)
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or(ParseIdError { prefix: $prefix })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}

impl TenantId {
    /// Stands for the operator where rows of tenants and of the operator lie beside each other: in the audit log and among kill
    /// switches.
    pub const OPERATOR: Self = Self(Uuid::nil());
}

impl CampaignId {
    /// Stands for posts that belong to no campaign where posts are told apart by campaign.
    pub const NONE: Self = Self(Uuid::nil());
}

ids! {
    /// A client organisation.
    TenantId = "ten_";
    /// A person with one sign-in.
    UserId = "usr_";
    /// A connected profile on a platform.
    AccountId = "acc_";
    /// Posts that serve one goal.
    CampaignId = "cmp_";
    /// Content for one or more accounts.
    PostId = "post_";
    /// One file that was taken in.
    ImportId = "imp_";
    /// One entry of the audit log.
    AuditEventId = "evt_";
    /// A brand that a tenant compares itself with.
    CompetitorId = "cpt_";
    /// What is to be reached of a KPI.
    TargetId = "tgt_";
    /// A group of members inside a tenant.
    TeamId = "team_";
    /// A custom role of a tenant.
    RoleId = "role_";
    /// An invitation into a tenant.
    InvitationId = "inv_";
    /// A mail that was written.
    MailId = "mail_";
    /// A visit of staff to a tenant.
    VisitId = "vis_";
    /// A key with which a program asks.
    ApiKeyId = "key_";
    /// A kill switch.
    SwitchId = "ks_";
    /// One time that a switch was engaged, with its receipt.
    HaltId = "halt_";
    /// A report that was built.
    ReportId = "rep_";
    /// One time that a report was made.
    RunId = "run_";
    /// When a report is made by itself.
    ScheduleId = "sch_";
    /// A report on its way to one person.
    ReportMailId = "rml_";
    /// A release that waits for a second person.
    ReleaseId = "rel_";
    /// One measurement of how fast a halt is.
    DrillId = "drl_";
    /// A process that sends, while it runs.
    SenderId = "snd_";
    /// What is to be posted, before it is sent.
    ContentId = "con_";
    /// One post to one account at one time.
    DeliveryId = "dlv_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote_and_refuses_other_prefixes() {
        let id = TenantId::from(Uuid::from_u128(42));
        assert_eq!(id.to_string(), "ten_0000000000000000000000000000002a");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in
            ["", "ten_", "usr_0000000000000000000000000000002a", "ten_00000000-0000-0000-0000-00000000002a", "ten_zz"]
        {
            assert!(wrong.parse::<TenantId>().is_err(), "{wrong}");
        }
    }
}
