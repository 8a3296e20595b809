//! What a kill switch can stop, and what it is told when it is engaged. Deny overrides: whatever any engaged switch covers is
//! stopped, and there is no list of exceptions. Nothing here is shared with feature flags, on purpose.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::id::{AccountId, CampaignId, TenantId};
use crate::platform::Platform;

/// One side effect on a platform that wants to pass the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// For whom.
    pub tenant: TenantId,
    /// Where.
    pub platform: Platform,
    /// What.
    pub action: Action,
    /// As whom.
    pub account: AccountId,
    /// For which goal, if for one.
    pub campaign: Option<CampaignId>,
}

/// What a switch covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// “Global, everything”: all there is, cleaning up included.
    Everything,
    /// Any combination; what is left out means all. With nothing given it is “global”, which lets cleaning up go on.
    Part {
        /// One tenant.
        tenant: Option<TenantId>,
        /// One platform.
        platform: Option<Platform>,
        /// One kind of side effect.
        action: Option<Action>,
    },
    /// One account.
    Account {
        /// Whose it is.
        tenant: TenantId,
        /// The account.
        account: AccountId,
    },
    /// One campaign.
    Campaign {
        /// Whose it is.
        tenant: TenantId,
        /// The campaign.
        campaign: CampaignId,
    },
    /// Nothing: it is flipped to measure how fast a halt is.
    Drill,
}

impl Scope {
    /// All tenants, platforms and actions; cleaning up goes on.
    pub const GLOBAL: Self = Self::Part { tenant: None, platform: None, action: None };

    /// Whether the switch stops the operation.
    pub fn covers(&self, operation: &Operation) -> bool {
        let cleans_up = operation.action.is_cleanup();
        match *self {
            Self::Everything => true,
            Self::Part { tenant, platform, action } => {
                tenant.is_none_or(|tenant| tenant == operation.tenant)
                    && platform.is_none_or(|platform| platform == operation.platform)
                    && action.map_or(!cleans_up, |action| action == operation.action)
            }
            Self::Account { tenant, account } => {
                tenant == operation.tenant && account == operation.account && !cleans_up
            }
            Self::Campaign { tenant, campaign } => {
                tenant == operation.tenant && operation.campaign == Some(campaign) && !cleans_up
            }
            Self::Drill => false,
        }
    }

    /// The one tenant that it is about; `None`: it is the operator's.
    pub const fn tenant(&self) -> Option<TenantId> {
        match *self {
            Self::Everything | Self::Drill => None,
            Self::Part { tenant, .. } => tenant,
            Self::Account { tenant, .. } | Self::Campaign { tenant, .. } => Some(tenant),
        }
    }

    /// Whether two persons release it: everything but a single account or campaign, and the drill.
    pub const fn takes_two(&self) -> bool {
        match self {
            Self::Everything | Self::Part { .. } => true,
            Self::Account { .. } | Self::Campaign { .. } | Self::Drill => false,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $label:literal;)*) => {
        /// Why a switch is engaged, chosen from a list so that nothing has to be typed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ReasonKind {
            $($(#[$doc])* #[serde(rename = $key)] $name,)*
        }

        impl ReasonKind {
            /// All kinds in the order in which people see them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Text form, as stored and as given on the command line.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// Words for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

reasons! {
    /// Something went, or would go, to an account that was not meant.
    WrongAccount = "wrong-account", "Wrong account";
    /// The content must not go out.
    WrongContent = "wrong-content", "Wrong content";
    /// The mood outside asks for silence.
    Crisis = "crisis", "Crisis or bad timing";
    /// Somebody else is in control of an account or of RTV.
    Security = "security", "Security incident";
    /// The platform misbehaves or complains.
    Platform = "platform", "Trouble with the platform";
    /// The client asks for it.
    Client = "client", "At the client’s request";
    /// Work on accounts or systems.
    Maintenance = "maintenance", "Planned work";
    /// To see that halting works.
    Drill = "drill", "Drill";
    /// Something else, which the note tells.
    Other = "other", "Other";
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for ReasonKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.key() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|kind| kind.key()).collect();
            format!("“{text}” is not a reason; use one of: {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn operation(action: Action) -> Operation {
        Operation {
            tenant: Uuid::from_u128(1).into(),
            platform: Platform::X,
            action,
            account: Uuid::from_u128(2).into(),
            campaign: Some(Uuid::from_u128(3).into()),
        }
    }

    #[test]
    fn a_switch_covers_what_its_scope_says_and_nothing_beside_it() {
        let (tenant, other): (TenantId, TenantId) = (Uuid::from_u128(1).into(), Uuid::from_u128(9).into());
        let part = |tenant, platform, action| Scope::Part { tenant, platform, action };
        let check = |scope: Scope, expect: bool| {
            assert_eq!(scope.covers(&operation(Action::Publish)), expect, "{scope:?}");
        };
        check(Scope::GLOBAL, true);
        check(Scope::Everything, true);
        check(Scope::Drill, false);
        check(part(None, Some(Platform::X), None), true);
        check(part(None, Some(Platform::Mastodon), None), false);
        check(part(None, None, Some(Action::Publish)), true);
        check(part(None, None, Some(Action::Reply)), false);
        check(part(Some(tenant), None, None), true);
        check(part(Some(other), None, None), false);
        check(part(Some(tenant), Some(Platform::X), Some(Action::Publish)), true);
        check(part(Some(tenant), Some(Platform::X), Some(Action::Reply)), false);
        check(part(Some(other), Some(Platform::X), Some(Action::Publish)), false);
        check(Scope::Account { tenant, account: Uuid::from_u128(2).into() }, true);
        check(Scope::Account { tenant, account: Uuid::from_u128(4).into() }, false);
        check(Scope::Campaign { tenant, campaign: Uuid::from_u128(3).into() }, true);
        check(Scope::Campaign { tenant, campaign: Uuid::from_u128(4).into() }, false);
    }

    #[test]
    fn cleaning_up_is_stopped_only_by_its_own_switch_or_by_everything() {
        let tenant: TenantId = Uuid::from_u128(1).into();
        let check = |scope: Scope, expect: bool| {
            assert_eq!(scope.covers(&operation(Action::Delete)), expect, "{scope:?}");
        };
        check(Scope::Everything, true);
        check(Scope::GLOBAL, false);
        check(Scope::Part { tenant: Some(tenant), platform: None, action: None }, false);
        check(Scope::Part { tenant: None, platform: None, action: Some(Action::Delete) }, true);
        check(Scope::Part { tenant: Some(tenant), platform: Some(Platform::X), action: Some(Action::Delete) }, true);
        check(Scope::Account { tenant, account: Uuid::from_u128(2).into() }, false);
        check(Scope::Campaign { tenant, campaign: Uuid::from_u128(3).into() }, false);
    }

    #[test]
    fn reasons_and_actions_read_back_their_keys() {
        for kind in ReasonKind::ALL {
            assert_eq!(kind.key().parse(), Ok(*kind));
        }
        for action in Action::ALL {
            assert_eq!(action.key().parse(), Ok(action));
        }
        assert!("moon".parse::<ReasonKind>().unwrap_err().contains("wrong-account"));
    }
}
