//! The catalogue of KPIs: key, label, unit, direction, definition and how a KPI combines.
//! How each is computed from the roll-ups stands in `rtv-domain`'s file of the same name.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A named measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kpi {
    /// People who saw a post at least once, summed over posts.
    Reach,
    /// Times shown.
    Impressions,
    /// Reactions, comments, shares and clicks.
    Engagements,
    /// Engagements per impression.
    EngagementRate,
    /// Followers gained.
    FollowerGrowth,
    /// Mean sentiment.
    Sentiment,
    /// Posts published.
    Published,
    /// Attributed conversions.
    Conversions,
    /// Attributed revenue.
    Revenue,
    /// Return on cost.
    Roi,
}

/// Unit of a KPI's exact value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// A whole number of things.
    Count,
    /// A share; 0.125 is 12.5 %.
    Percent,
    /// A mean score from −1 to +1.
    Score,
    /// An amount in the tenant's currency.
    Money,
    /// A multiple; 2.4 is 2.4 times.
    Multiple,
}

/// How a KPI combines over posts, days, accounts and platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combines {
    /// Values add.
    Adds,
    /// Values may be added, but the sum counts some people more than once and must be labelled as a sum.
    SummedOnly,
    /// Sum of numerators over sum of denominators, never a mean of ratios.
    RatioOfSums,
    /// Mean weighted by the number of observations.
    WeightedMean,
}

impl Kpi {
    /// All KPIs, in the order of the dashboard.
    pub const ALL: [Self; 10] = [
        Self::Reach,
        Self::Impressions,
        Self::Engagements,
        Self::EngagementRate,
        Self::FollowerGrowth,
        Self::Sentiment,
        Self::Published,
        Self::Conversions,
        Self::Revenue,
        Self::Roi,
    ];

    /// Key in addresses, `data-kpi` and the API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Impressions => "impressions",
            Self::Engagements => "engagements",
            Self::EngagementRate => "engagement_rate",
            Self::FollowerGrowth => "follower_growth",
            Self::Sentiment => "sentiment",
            Self::Published => "published",
            Self::Conversions => "conversions",
            Self::Revenue => "revenue",
            Self::Roi => "roi",
        }
    }

    /// Name for people. Reach is not additive, so its sum is called what it is.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reach => "Summed reach",
            Self::Impressions => "Impressions",
            Self::Engagements => "Engagements",
            Self::EngagementRate => "Engagement rate",
            Self::FollowerGrowth => "Follower growth",
            Self::Sentiment => "Average sentiment",
            Self::Published => "Content published",
            Self::Conversions => "Conversions",
            Self::Revenue => "Revenue",
            Self::Roi => "ROI",
        }
    }

    /// Definition in one sentence.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Reach => {
                "People who saw a post at least once, as the platform reports it, added up over posts; someone who saw two posts counts twice."
            }
            Self::Impressions => "Times posts were shown.",
            Self::Engagements => "Reactions, comments, shares and clicks, as each platform defines them.",
            Self::EngagementRate => {
                "Engagements divided by impressions, or by reach where impressions are missing; a ratio of sums."
            }
            Self::FollowerGrowth => {
                "Followers at the end of the period minus followers at its start, added up over accounts."
            }
            Self::Sentiment => "Mean sentiment of scored engagements, from −1 (negative) to +1 (positive).",
            Self::Published => "Posts published: confirmed deliveries and imported posts.",
            Self::Conversions => "Conversions attributed to posts.",
            Self::Revenue => "Revenue attributed to posts, in the organisation’s currency.",
            Self::Roi => "Revenue minus cost, divided by cost.",
        }
    }

    /// Unit of the exact value.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Reach
            | Self::Impressions
            | Self::Engagements
            | Self::FollowerGrowth
            | Self::Published
            | Self::Conversions => Unit::Count,
            Self::EngagementRate => Unit::Percent,
            Self::Sentiment => Unit::Score,
            Self::Revenue => Unit::Money,
            Self::Roi => Unit::Multiple,
        }
    }

    /// Whether more is better; `None` where neither direction is good in itself.
    pub const fn up_is_good(self) -> Option<bool> {
        match self {
            Self::Published => None,
            Self::Reach
            | Self::Impressions
            | Self::Engagements
            | Self::EngagementRate
            | Self::FollowerGrowth
            | Self::Sentiment
            | Self::Conversions
            | Self::Revenue
            | Self::Roi => Some(true),
        }
    }

    /// Whether a target for a month is shared out over its days. A rate is wanted at any time, whatever the period.
    pub const fn is_shared_out(self) -> bool {
        matches!(self.combines(), Combines::Adds | Combines::SummedOnly)
    }

    /// Whether a single post has it, so that posts can be ranked by it. Followers belong to an account, each post is one
    /// publication, and the return on the cost of one post alone says little.
    pub const fn is_of_a_post(self) -> bool {
        match self {
            Self::Reach
            | Self::Impressions
            | Self::Engagements
            | Self::EngagementRate
            | Self::Sentiment
            | Self::Conversions
            | Self::Revenue => true,
            Self::FollowerGrowth | Self::Published | Self::Roi => false,
        }
    }

    /// How values combine.
    pub const fn combines(self) -> Combines {
        match self {
            Self::Reach => Combines::SummedOnly,
            Self::EngagementRate | Self::Roi => Combines::RatioOfSums,
            Self::Sentiment => Combines::WeightedMean,
            Self::Impressions
            | Self::Engagements
            | Self::FollowerGrowth
            | Self::Published
            | Self::Conversions
            | Self::Revenue => Combines::Adds,
        }
    }
}

impl fmt::Display for Kpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Kpi {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|kpi| kpi.key() == text)
            .ok_or_else(|| Error::invalid("metric", format!("use one of {}.", Self::ALL.map(Self::key).join(", "))))
    }
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// What happened in the window.
    Period,
    /// Totals so far of what was published in the window.
    Lifetime,
}

impl Basis {
    /// As stored and as the API writes it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Period => "period",
            Self::Lifetime => "lifetime",
        }
    }

    /// Explanation for people.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Period => "What happened in the period, whenever the post was published.",
            Self::Lifetime => "Totals to date of what was published in the period.",
        }
    }
}

impl FromStr for Basis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "period" => Ok(Self::Period),
            "lifetime" => Ok(Self::Lifetime),
            _ => Err(Error::invalid("basis", "use period or lifetime.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kpi_reads_back_its_key() {
        for kpi in Kpi::ALL {
            assert_eq!(kpi.key().parse(), Ok(kpi));
            assert!(kpi.definition().ends_with('.'), "{kpi}");
        }
    }
}
