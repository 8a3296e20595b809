//! The built-in roles of a tenant with their fixed matrix, and how a role that is given is written. Custom roles are sets of
//! permissions and are kept in the database.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::RoleId;
use crate::permission::{Permission, PermissionSet};

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, including ownership and billing.
    Owner,
    /// Everything but billing changes.
    Admin,
    /// Makes content, imports and reports.
    Editor,
    /// Reads.
    Viewer,
}

impl Role {
    /// All built-in roles, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Editor, Self::Viewer];

    /// Text form, as stored and as given on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Viewer => "viewer",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Editor => "Editor",
            Self::Viewer => "Viewer",
        }
    }

    /// What the role is for, in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "Everything, ownership and billing included.",
            Self::Admin => "Everything but changes of the plan; owners are out of reach.",
            Self::Editor => "Makes content, campaigns, imports and reports.",
            Self::Viewer => "Reads.",
        }
    }

    /// All that the role holds.
    pub fn permissions(self) -> PermissionSet {
        Permission::ALL.iter().copied().filter(|permission| self.grants(*permission)).collect()
    }

    /// Whether the role holds the permission. The match is exhaustive on purpose: a new permission has to be
    /// decided for every role.
    pub const fn grants(self, permission: Permission) -> bool {
        use Permission as P;
        match permission {
            P::BillingManage => matches!(self, Self::Owner),
            P::CampaignsDelete
            | P::ContentDelete
            | P::SwitchesEngage
            | P::SwitchesRelease
            | P::DeliveriesDecide
            | P::FlagsRead
            | P::FlagsManage
            | P::AccountsConnect
            | P::WebhooksManage
            | P::ExportsCreate
            | P::AuditRead
            | P::AuditExport
            | P::ApikeysManage
            | P::SecretsManage
            | P::SettingsUpdate
            | P::SsoManage
            | P::UsersInvite
            | P::UsersManage
            | P::TeamsManage
            | P::RolesManage
            | P::BillingRead => matches!(self, Self::Owner | Self::Admin),
            P::CampaignsCreate
            | P::CampaignsUpdate
            | P::ContentCreate
            | P::ContentUpdate
            | P::ContentPublish
            | P::ApprovalsReview
            | P::EngagementReply
            | P::AnalyticsExport
            | P::ImportsManage
            | P::CompetitorsManage
            | P::ReportsManage
            | P::ReportsSchedule
            | P::SwitchesRead
            | P::SettingsRead => matches!(self, Self::Owner | Self::Admin | Self::Editor),
            P::CampaignsRead | P::ContentRead | P::AnalyticsRead | P::ReportsRead => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.key() == text)
            .ok_or_else(|| format!("“{text}” is not a role; use owner, admin, editor or viewer"))
    }
}

/// A role as it is given to somebody: a built-in one by its key, or a custom one by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum GivenRole {
    /// One of those that every tenant has.
    BuiltIn(Role),
    /// One that the tenant has made.
    Custom(RoleId),
}

impl GivenRole {
    /// Whether it is the role of owners.
    pub fn is_owner(self) -> bool {
        self == Self::BuiltIn(Role::Owner)
    }
}

impl fmt::Display for GivenRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => role.fmt(f),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl FromStr for GivenRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<RoleId>() {
            Ok(id) => Ok(Self::Custom(id)),
            Err(_) => text.parse().map(Self::BuiltIn),
        }
    }
}

impl From<GivenRole> for String {
    fn from(value: GivenRole) -> Self {
        value.to_string()
    }
}

impl TryFrom<String> for GivenRole {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_role_reads_back_what_it_wrote() {
        for text in ["owner", "viewer", "role_0000000000000000000000000000002a"] {
            assert_eq!(text.parse::<GivenRole>().unwrap().to_string(), text);
        }
        for wrong in ["", "custom", "king", "team_0000000000000000000000000000002a"] {
            assert!(wrong.parse::<GivenRole>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_role_holds_all_that_the_next_one_holds() {
        for pair in Role::ALL.windows(2) {
            for permission in Permission::ALL {
                assert!(
                    !pair[1].grants(*permission) || pair[0].grants(*permission),
                    "{permission} in {} but not {}",
                    pair[1],
                    pair[0]
                );
            }
        }
    }

    #[test]
    fn an_owner_holds_everything_and_a_viewer_changes_nothing() {
        for permission in Permission::ALL {
            assert!(Role::Owner.grants(*permission));
            if Role::Viewer.grants(*permission) {
                assert!(permission.key().ends_with(":read"), "{permission}");
            }
        }
    }
}
