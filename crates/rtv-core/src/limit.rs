//! How much of RTV a tenant may use. Each plan has a default for each limit, and staff may allow a tenant something else.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, words};

words! {
    /// What is limited.
    Limit, "limit":
    /// Members and open invitations.
    Users = "users", "Users";
    /// Campaigns.
    Campaigns = "campaigns", "Campaigns";
    /// Posts published in one calendar month of the tenant's zone.
    PostsPerMonth = "posts-per-month", "Posts per month";
    /// Platforms on which the tenant has accounts.
    Platforms = "platforms", "Platforms";
    /// Files that are kept, in GB of 2^30 bytes.
    StorageGb = "storage-gb", "Storage";
    /// Requests to the API in a minute.
    ApiRequestsPerMinute = "api-requests-per-minute", "API requests per minute";
}

/// Bytes of a GB, as storage is counted.
pub const GB: i64 = 1 << 30;

impl Limit {
    /// What a plan allows; `None` is as much as wanted.
    pub const fn default_of(self, plan: Plan) -> Option<i64> {
        match (self, plan) {
            (Self::Users, Plan::Free) => Some(5),
            (Self::Users, Plan::Starter) => Some(10),
            (Self::Users, Plan::Professional) => Some(50),
            (Self::Campaigns, Plan::Free) => Some(20),
            (Self::Campaigns, Plan::Starter) => Some(100),
            (Self::Campaigns, Plan::Professional) => Some(1_000),
            (Self::PostsPerMonth, Plan::Free) => Some(2_000),
            (Self::PostsPerMonth, Plan::Starter) => Some(10_000),
            (Self::PostsPerMonth, Plan::Professional) => Some(100_000),
            (Self::Platforms, Plan::Free) => Some(3),
            (Self::Platforms, Plan::Starter) => Some(5),
            (Self::StorageGb, Plan::Free) => Some(1),
            (Self::StorageGb, Plan::Starter) => Some(10),
            (Self::StorageGb, Plan::Professional) => Some(100),
            (Self::ApiRequestsPerMinute, Plan::Free) => Some(60),
            (Self::ApiRequestsPerMinute, Plan::Starter) => Some(120),
            (Self::ApiRequestsPerMinute, Plan::Professional) => Some(600),
            // A client that asks more often than this has gone wrong.
            (Self::ApiRequestsPerMinute, Plan::Enterprise) => Some(6_000),
            (Self::Platforms, Plan::Professional | Plan::Enterprise)
            | (Self::Users | Self::Campaigns | Self::PostsPerMonth | Self::StorageGb, Plan::Enterprise) => None,
        }
    }

    /// What is counted, after a number: "users", "posts in a month".
    pub const fn counted(self) -> &'static str {
        match self {
            Self::Users => "users, open invitations included",
            Self::Campaigns => "campaigns",
            Self::PostsPerMonth => "posts in a month",
            Self::Platforms => "platforms",
            Self::StorageGb => "GB of stored files",
            Self::ApiRequestsPerMinute => "API requests in a minute",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_plan_allows_less_than_a_smaller_one() {
        for limit in Limit::ALL {
            let allowed: Vec<i64> = Plan::ALL.iter().map(|plan| limit.default_of(*plan).unwrap_or(i64::MAX)).collect();
            assert!(allowed.is_sorted(), "{limit}: {allowed:?}");
            assert!(allowed[0] > 0, "{limit}");
        }
    }

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for limit in Limit::ALL {
            assert_eq!(limit.key().parse::<Limit>().as_ref(), Ok(limit));
        }
        let refused = "seats".parse::<Limit>().unwrap_err();
        assert!(refused.contains("“seats” is not a limit; use one of: users, campaigns"), "{refused}");
    }
}
