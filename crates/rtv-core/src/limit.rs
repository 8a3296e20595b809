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
        let [free, starter, professional, enterprise] = match self {
            Self::Users => [Some(5), Some(10), Some(50), None],
            Self::Campaigns => [Some(20), Some(100), Some(1_000), None],
            Self::PostsPerMonth => [Some(2_000), Some(10_000), Some(100_000), None],
            Self::Platforms => [Some(3), Some(5), None, None],
            Self::StorageGb => [Some(1), Some(10), Some(100), None],
            // A client that asks more often than the last has gone wrong.
            Self::ApiRequestsPerMinute => [Some(60), Some(120), Some(600), Some(6_000)],
        };
        match plan {
            Plan::Free => free,
            Plan::Starter => starter,
            Plan::Professional => professional,
            Plan::Enterprise => enterprise,
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
