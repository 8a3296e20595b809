//! One typed query over all sources. A browser sends keys of these lists and never SQL; what is in no list, or does not
//! belong to the source, is refused by name.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError, Result};
use crate::kpi::{Combines, Kpi, Unit};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$line:meta])* $variant:ident = $key:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum $name { $($(#[$line])* $variant,)* }

        impl $name {
            /// All of them, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As stored, and in addresses and forms.
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
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|one| one.key() == text).ok_or_else(|| {
                    let known = Self::ALL.iter().map(|one| one.key()).collect::<Vec<_>>().join(", ");
                    Error::invalid($what, format!("there is no {} “{text}”; use one of {known}.", $what))
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(one: $name) -> Self {
                one.key().to_owned()
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where figures come from.
    Source, "source" {
        /// The KPIs of all that is covered.
        Kpis = "kpis", "KPIs";
        /// Posts, one by one.
        Posts = "posts", "Posts";
        /// KPIs by campaign.
        Campaigns = "campaigns", "Campaigns";
        /// KPIs by platform.
        Platforms = "platforms", "Platforms";
        /// KPIs by team.
        Teams = "teams", "Teams";
        /// Followers of the accounts.
        Audience = "audience", "Audience";
        /// One's own brand among its competitors, by calendar month.
        Competitors = "competitors", "Competitors";
        /// What was planned, sent, missed.
        Deliveries = "deliveries", "Deliveries";
    }
}

words! {
    /// By what figures are told apart.
    Dimension, "dimension" {
        /// A day in the report's zone.
        Day = "day", "Day";
        /// A week, named by its first day.
        Week = "week", "Week";
        /// A calendar month.
        Month = "month", "Month";
        /// A day of the week.
        Weekday = "weekday", "Weekday";
        /// An hour of the day.
        Hour = "hour", "Hour";
        /// A network.
        Platform = "platform", "Platform";
        /// A connected profile.
        Account = "account", "Account";
        /// Posts that serve one goal.
        Campaign = "campaign", "Campaign";
        /// What a team is responsible for; something that two teams are responsible for counts with both.
        Team = "team", "Team";
        /// One post, by its text.
        Post = "post", "Post";
        /// When a post was published.
        PublishedAt = "published_at", "Published";
        /// What a post consists of.
        PostKind = "kind", "Kind";
        /// The platform's own id of a post.
        PostId = "post_id", "Post ID";
        /// Where a delivery stands.
        State = "state", "State";
        /// One's own organisation, or a competitor.
        Brand = "brand", "Brand";
    }
}

words! {
    /// What is measured.
    Measure, "measure" {
        /// See [`Kpi::Reach`].
        Reach = "reach", "Summed reach";
        /// See [`Kpi::Impressions`].
        Impressions = "impressions", "Impressions";
        /// See [`Kpi::Engagements`].
        Engagements = "engagements", "Engagements";
        /// See [`Kpi::EngagementRate`].
        EngagementRate = "engagement_rate", "Engagement rate";
        /// See [`Kpi::FollowerGrowth`].
        FollowerGrowth = "follower_growth", "Follower growth";
        /// See [`Kpi::Sentiment`].
        Sentiment = "sentiment", "Average sentiment";
        /// See [`Kpi::Published`].
        Published = "published", "Content published";
        /// See [`Kpi::Conversions`].
        Conversions = "conversions", "Conversions";
        /// See [`Kpi::Revenue`].
        Revenue = "revenue", "Revenue";
        /// See [`Kpi::Roi`].
        Roi = "roi", "ROI";
        /// Reactions of a post.
        Reactions = "reactions", "Reactions";
        /// Comments on a post.
        Comments = "comments", "Comments";
        /// Shares of a post.
        Shares = "shares", "Shares";
        /// Clicks on a post.
        Clicks = "clicks", "Clicks";
        /// Followers at the end.
        Followers = "followers", "Followers";
        /// Deliveries.
        Deliveries = "deliveries", "Deliveries";
        /// Deliveries that were read back from the platform.
        Confirmed = "confirmed", "Published deliveries";
        /// Deliveries whose time went by.
        Missed = "missed", "Missed deliveries";
        /// Deliveries that the platform refused.
        Rejected = "rejected", "Refused deliveries";
        /// What anybody can see of how people answer posts.
        Interactions = "interactions", "Public interactions";
        /// The share of a brand in the public interactions of all brands.
        ShareOfVoice = "share_of_voice", "Share of voice";
        /// The place of a brand among all brands.
        Position = "position", "Market position";
    }
}

impl Measure {
    /// The KPI that it is, where it is one.
    pub const fn kpi(self) -> Option<Kpi> {
        Some(match self {
            Self::Reach => Kpi::Reach,
            Self::Impressions => Kpi::Impressions,
            Self::Engagements => Kpi::Engagements,
            Self::EngagementRate => Kpi::EngagementRate,
            Self::FollowerGrowth => Kpi::FollowerGrowth,
            Self::Sentiment => Kpi::Sentiment,
            Self::Published => Kpi::Published,
            Self::Conversions => Kpi::Conversions,
            Self::Revenue => Kpi::Revenue,
            Self::Roi => Kpi::Roi,
            Self::Reactions
            | Self::Comments
            | Self::Shares
            | Self::Clicks
            | Self::Followers
            | Self::Deliveries
            | Self::Confirmed
            | Self::Missed
            | Self::Rejected
            | Self::Interactions
            | Self::ShareOfVoice
            | Self::Position => return None,
        })
    }

    /// Unit of the exact value.
    pub const fn unit(self) -> Unit {
        match (self, self.kpi()) {
            (_, Some(kpi)) => kpi.unit(),
            (Self::ShareOfVoice, None) => Unit::Percent,
            (_, None) => Unit::Count,
        }
    }

    /// Whether it is counted anew at each time: its values add up over accounts, and never over times.
    pub const fn is_stock(self) -> bool {
        matches!(self, Self::Followers)
    }

    /// How values combine.
    pub const fn combines(self) -> Combines {
        match (self, self.kpi()) {
            (_, Some(kpi)) => kpi.combines(),
            // A place does not add up either.
            (Self::ShareOfVoice | Self::Position, None) => Combines::RatioOfSums,
            (_, None) => Combines::Adds,
        }
    }

    /// Definition in one sentence, as it was when a report was made.
    pub const fn definition(self) -> &'static str {
        match self {
            Self::Reactions => "Reactions to a post, of every kind, as the platform counts them.",
            Self::Comments => "Comments on a post, as the platform counts them.",
            Self::Shares => "Shares of a post, as the platform counts them.",
            Self::Clicks => "Clicks on a post, as the platform counts them.",
            Self::Followers => "Followers on the last day that is known, added up over accounts.",
            Self::Deliveries => "Deliveries planned for the period.",
            Self::Confirmed => "Deliveries that were read back from the platform.",
            Self::Missed => "Deliveries whose time went by before they could go out.",
            Self::Rejected => "Deliveries that the platform refused.",
            Self::Interactions => {
                "Reactions, comments and shares of the posts that were published in a month, as anybody can see them; clicks are left out."
            }
            Self::ShareOfVoice => {
                "Public interactions of a brand divided by those of all brands that are compared, on the same platforms in the same months."
            }
            Self::Position => {
                "Place of a brand by public interactions among the brands that are compared; brands with equally many share a place."
            }
            Self::Reach
            | Self::Impressions
            | Self::Engagements
            | Self::EngagementRate
            | Self::FollowerGrowth
            | Self::Sentiment
            | Self::Published
            | Self::Conversions
            | Self::Revenue
            | Self::Roi => match self.kpi() {
                Some(kpi) => kpi.definition(),
                None => "",
            },
        }
    }
}

impl Dimension {
    /// Whether it parts a period into the times that follow each other in it.
    pub const fn is_course(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }
}

impl Source {
    /// What it can be told apart by.
    pub const fn dimensions(self) -> &'static [Dimension] {
        use Dimension as D;
        match self {
            Self::Kpis => &[D::Day, D::Week, D::Month, D::Weekday, D::Hour, D::Platform, D::Account, D::Campaign],
            Self::Posts => {
                &[D::PublishedAt, D::Day, D::Platform, D::Account, D::Campaign, D::Post, D::PostKind, D::PostId]
            }
            Self::Campaigns => &[D::Campaign, D::Platform, D::Day, D::Week, D::Month],
            Self::Teams => &[D::Team, D::Platform, D::Day, D::Week, D::Month],
            Self::Platforms | Self::Audience => &[D::Platform, D::Account, D::Day, D::Week, D::Month],
            Self::Deliveries => &[D::State, D::Platform, D::Account, D::Campaign, D::Day, D::Week, D::Month],
            // Figures of competitors are kept by calendar month.
            Self::Competitors => &[D::Brand, D::Platform, D::Month],
        }
    }

    /// What it measures.
    pub const fn measures(self) -> &'static [Measure] {
        use Measure as M;
        match self {
            Self::Kpis | Self::Platforms => &[
                M::Reach,
                M::Impressions,
                M::Engagements,
                M::EngagementRate,
                M::FollowerGrowth,
                M::Sentiment,
                M::Published,
                M::Conversions,
                M::Revenue,
                M::Roi,
            ],
            // Followers belong to accounts, so neither a campaign nor a team with campaigns has a growth of its own.
            Self::Campaigns | Self::Teams => &[
                M::Reach,
                M::Impressions,
                M::Engagements,
                M::EngagementRate,
                M::Sentiment,
                M::Published,
                M::Conversions,
                M::Revenue,
                M::Roi,
            ],
            Self::Posts => &[
                M::Reach,
                M::Impressions,
                M::Engagements,
                M::EngagementRate,
                M::Reactions,
                M::Comments,
                M::Shares,
                M::Clicks,
                M::Sentiment,
                M::Conversions,
                M::Revenue,
            ],
            Self::Audience => &[M::Followers, M::FollowerGrowth],
            Self::Deliveries => &[M::Deliveries, M::Confirmed, M::Missed, M::Rejected],
            Self::Competitors => &[M::ShareOfVoice, M::Position, M::Interactions, M::Published, M::Followers],
        }
    }

    /// What stands first where nothing was chosen.
    pub const fn first_dimension(self) -> Dimension {
        match self {
            Self::Kpis => Dimension::Day,
            Self::Posts => Dimension::PublishedAt,
            Self::Campaigns => Dimension::Campaign,
            Self::Platforms => Dimension::Platform,
            Self::Teams => Dimension::Team,
            Self::Audience => Dimension::Account,
            Self::Deliveries => Dimension::State,
            Self::Competitors => Dimension::Brand,
        }
    }
}

/// By which column rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// By a dimension, in its natural order.
    Dimension {
        /// Which.
        by: Dimension,
        /// The last first.
        is_descending: bool,
    },
    /// By a measure; what is missing stands last.
    Measure {
        /// Which.
        by: Measure,
        /// The greatest first.
        is_descending: bool,
    },
}

/// What one chart, table or figure asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Of what.
    pub source: Source,
    /// Told apart by these, the outermost first; at most [`Query::MOST_DIMENSIONS`], one for [`Source::Posts`] aside, which lists
    /// posts with whatever is asked about them.
    pub dimensions: Vec<Dimension>,
    /// What is measured, at most [`Query::MOST_MEASURES`].
    pub measures: Vec<Measure>,
    /// The order of the rows; `None` is that of the dimensions.
    pub sort: Option<Sort>,
    /// So many rows are shown; `None` shows all. What is left out is always said.
    pub limit: Option<u32>,
    /// Whether each measure stands beside its value in the period of comparison.
    pub is_compared: bool,
}

impl Query {
    /// More would fit on no page.
    pub const MOST_DIMENSIONS: usize = 8;

    /// More would fit on no page.
    pub const MOST_MEASURES: usize = 12;

    /// Refuses by name what the source does not have, all at once.
    pub fn check(&self) -> Result<()> {
        let mut errors: Vec<FieldError> = Vec::new();
        let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.into(), message });
        let known = |labels: Vec<&str>| labels.join(", ");
        for (index, dimension) in self.dimensions.iter().enumerate() {
            if !self.source.dimensions().contains(dimension) {
                let has = known(self.source.dimensions().iter().map(|one| one.label()).collect());
                refuse(
                    "dimension",
                    format!("{} cannot be told apart by “{}”; use {has}.", self.source.label(), dimension.label()),
                );
            }
            if self.dimensions[..index].contains(dimension) {
                refuse("dimension", format!("“{}” is chosen twice; leave one out.", dimension.label()));
            }
        }
        for (index, measure) in self.measures.iter().enumerate() {
            if !self.source.measures().contains(measure) {
                let has = known(self.source.measures().iter().map(|one| one.label()).collect());
                refuse("measure", format!("{} do not measure “{}”; use {has}.", self.source.label(), measure.label()));
            }
            if self.measures[..index].contains(measure) {
                refuse("measure", format!("“{}” is chosen twice; leave one out.", measure.label()));
            }
        }
        if self.measures.is_empty() {
            refuse("measure", "choose what is measured.".into());
        }
        if self.dimensions.len() > Self::MOST_DIMENSIONS {
            refuse("dimension", format!("choose at most {}.", Self::MOST_DIMENSIONS));
        }
        if self.measures.len() > Self::MOST_MEASURES {
            refuse("measure", format!("choose at most {}.", Self::MOST_MEASURES));
        }
        if self.source != Source::Posts && self.dimensions.iter().filter(|one| one.is_course()).count() > 1 {
            refuse("dimension", "choose one of Day, Week and Month.".into());
        }
        let hours = [Dimension::Weekday, Dimension::Hour];
        if self.source == Source::Kpis && self.dimensions.iter().any(|one| hours.contains(one)) {
            if self.dimensions.iter().any(|one| !hours.contains(one)) {
                refuse("dimension", "Weekday and Hour go with each other alone; leave the others out.".into());
            }
            let kept = [Measure::Published, Measure::Engagements, Measure::EngagementRate];
            if let Some(other) = self.measures.iter().find(|measure| !kept.contains(measure)) {
                refuse(
                    "measure",
                    format!(
                        "“{}” is not kept by hour; use {}.",
                        other.label(),
                        known(kept.map(Measure::label).to_vec())
                    ),
                );
            }
            if self.is_compared {
                refuse("compare", "hours of the week are not compared; leave the comparison out.".into());
            }
        }
        if self.dimensions.contains(&Dimension::Campaign) && self.measures.contains(&Measure::FollowerGrowth) {
            refuse(
                "measure",
                "followers belong to accounts, not to campaigns; leave “Follower growth” out, or Campaign.".into(),
            );
        }
        if self.source == Source::Posts && self.is_compared {
            refuse(
                "compare",
                "each post is one publication and has nothing before it; leave the comparison out.".into(),
            );
        }
        match self.sort {
            Some(Sort::Dimension { by, .. }) if !self.dimensions.contains(&by) => {
                refuse("sort", format!("“{}” is no column; sort by one that is shown.", by.label()));
            }
            Some(Sort::Measure { by, .. }) if !self.measures.contains(&by) => {
                refuse("sort", format!("“{}” is no column; sort by one that is shown.", by.label()));
            }
            _ => {}
        }
        if self.limit == Some(0) {
            refuse("limit", "show at least one row, or leave it empty for all.".into());
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }
}
