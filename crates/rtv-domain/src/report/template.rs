//! What a report may start from.

use rtv_core::report::{Block, ChartKind, Content, Definition, Dimension, Measure, Query, Section, Sort, Source};

/// What a report may start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// The month before, for those who decide.
    MonthlyExecutive,
    /// What a campaign came to.
    CampaignWrapUp,
    /// Platforms beside each other.
    PlatformComparison,
    /// What went out in the last seven days.
    WeeklyActivity,
    /// The brand among its competitors.
    MarketPosition,
    /// Nothing yet.
    Blank,
}

impl Template {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::MonthlyExecutive,
        Self::CampaignWrapUp,
        Self::PlatformComparison,
        Self::WeeklyActivity,
        Self::MarketPosition,
        Self::Blank,
    ];

    /// In forms.
    pub const fn key(self) -> &'static str {
        match self {
            Self::MonthlyExecutive => "monthly",
            Self::CampaignWrapUp => "campaign",
            Self::PlatformComparison => "platforms",
            Self::WeeklyActivity => "weekly",
            Self::MarketPosition => "market",
            Self::Blank => "blank",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::MonthlyExecutive => "Monthly executive",
            Self::CampaignWrapUp => "Campaign wrap-up",
            Self::PlatformComparison => "Platform comparison",
            Self::WeeklyActivity => "Weekly activity",
            Self::MarketPosition => "Market position",
            Self::Blank => "Blank report",
        }
    }

    /// What it is for, in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::MonthlyExecutive => {
                "The month before in figures, its course, where it came from, and its best posts."
            }
            Self::CampaignWrapUp => "What a campaign reached, from impression to conversion, platform by platform.",
            Self::PlatformComparison => "The same figures for each platform, and what each adds to the whole.",
            Self::WeeklyActivity => "What went out in the last seven days, when, and what is planned or missed.",
            Self::MarketPosition => {
                "The brand among its competitors: share of voice, place, and how both went by month."
            }
            Self::Blank => "One empty section.",
        }
    }

    /// The report that it gives.
    pub fn definition(self) -> Definition {
        let mut parts = Parts::default();
        let (parameters, sections) = match self {
            Self::MonthlyExecutive => ("range=last-month", monthly(&mut parts)),
            Self::CampaignWrapUp => ("range=90d", campaign(&mut parts)),
            Self::PlatformComparison => ("range=90d", platforms(&mut parts)),
            Self::WeeklyActivity => ("range=7d", weekly(&mut parts)),
            Self::MarketPosition => ("range=last-quarter", market(&mut parts)),
            Self::Blank => ("", vec![parts.section("", Vec::new())]),
        };
        Definition {
            name: if self == Self::Blank { "New report".into() } else { self.label().into() },
            description: if self == Self::Blank { String::new() } else { self.description().into() },
            parameters: parameters.into(),
            sections,
            last_id: 0,
        }
    }
}

/// Gives parts their numbers.
#[derive(Default)]
struct Parts {
    last: u32,
}

impl Parts {
    fn id(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn section(&mut self, title: &str, blocks: Vec<Block>) -> Section {
        Section { id: self.id(), title: title.into(), blocks }
    }

    fn block(&mut self, title: &str, content: Content) -> Block {
        Block { id: self.id(), title: title.into(), content }
    }

    fn metrics(&mut self, measures: &[Measure]) -> Vec<Block> {
        measures
            .iter()
            .map(|measure| {
                let query = Query { is_compared: true, ..ask(Source::Kpis, &[], &[*measure]) };
                self.block("", Content::Metric { query })
            })
            .collect()
    }

    fn chart(&mut self, title: &str, kind: ChartKind, query: Query) -> Block {
        self.block(title, Content::Chart { kind, query })
    }

    fn table(&mut self, title: &str, query: Query) -> Block {
        self.block(title, Content::Table { query, has_totals: true })
    }
}

fn ask(source: Source, dimensions: &[Dimension], measures: &[Measure]) -> Query {
    Query {
        source,
        dimensions: dimensions.to_vec(),
        measures: measures.to_vec(),
        sort: None,
        limit: None,
        is_compared: false,
    }
}

/// The greatest first, so many of them.
fn top(query: Query, by: Measure, limit: Option<u32>) -> Query {
    Query { sort: Some(Sort::Measure { by, is_descending: true }), limit, ..query }
}

fn monthly(parts: &mut Parts) -> Vec<Section> {
    use Measure as M;
    let mut first =
        parts.metrics(&[M::Reach, M::Impressions, M::Engagements, M::EngagementRate, M::FollowerGrowth, M::Published]);
    first.push(parts.chart(
        "Engagements by day",
        ChartKind::Line,
        Query { is_compared: true, ..ask(Source::Kpis, &[Dimension::Day], &[M::Engagements]) },
    ));
    let by_platform = Query {
        is_compared: true,
        ..ask(Source::Platforms, &[Dimension::Platform], &[M::Reach, M::Engagements, M::EngagementRate, M::Published])
    };
    let second = vec![
        parts.chart(
            "Share of engagements",
            ChartKind::Donut,
            top(ask(Source::Platforms, &[Dimension::Platform], &[M::Engagements]), M::Engagements, None),
        ),
        parts.table("Platforms", by_platform),
    ];
    let posts = ask(
        Source::Posts,
        &[Dimension::Post, Dimension::Platform, Dimension::PublishedAt],
        &[M::Impressions, M::Engagements, M::EngagementRate],
    );
    let third = vec![parts.table("Best posts", top(posts, M::Engagements, Some(10)))];
    vec![
        parts.section("The month in figures", first),
        parts.section("Where it came from", second),
        parts.section("What worked", third),
    ]
}

fn campaign(parts: &mut Parts) -> Vec<Section> {
    use Measure as M;
    let mut first = parts.metrics(&[M::Impressions, M::Engagements, M::Conversions, M::Revenue, M::Roi]);
    first.push(parts.chart(
        "From impression to conversion",
        ChartKind::Funnel,
        ask(Source::Kpis, &[], &[M::Impressions, M::Engagements, M::Conversions]),
    ));
    let second = vec![
        parts.chart(
            "Engagements by week and platform",
            ChartKind::StackedBar,
            ask(Source::Kpis, &[Dimension::Week, Dimension::Platform], &[M::Engagements]),
        ),
        parts.table(
            "Campaigns",
            top(
                ask(
                    Source::Campaigns,
                    &[Dimension::Campaign],
                    &[M::Published, M::Impressions, M::Engagements, M::EngagementRate, M::Conversions, M::Revenue],
                ),
                M::Engagements,
                None,
            ),
        ),
    ];
    vec![parts.section("What it came to", first), parts.section("Step by step", second)]
}

fn platforms(parts: &mut Parts) -> Vec<Section> {
    use Measure as M;
    let first = vec![
        parts.table(
            "Side by side",
            ask(
                Source::Platforms,
                &[Dimension::Platform],
                &[M::Published, M::Reach, M::Impressions, M::Engagements, M::EngagementRate, M::FollowerGrowth],
            ),
        ),
        parts.chart(
            "Engagement rate",
            ChartKind::Bar,
            ask(Source::Platforms, &[Dimension::Platform], &[M::EngagementRate]),
        ),
    ];
    let second = vec![
        parts.chart(
            "Engagements by week",
            ChartKind::Area,
            ask(Source::Kpis, &[Dimension::Week, Dimension::Platform], &[M::Engagements]),
        ),
        parts.table(
            "Followers",
            ask(Source::Audience, &[Dimension::Platform, Dimension::Account], &[M::Followers, M::FollowerGrowth]),
        ),
    ];
    vec![parts.section("Platforms", first), parts.section("Their course", second)]
}

fn weekly(parts: &mut Parts) -> Vec<Section> {
    use Measure as M;
    let mut first = parts.metrics(&[M::Published, M::Engagements, M::EngagementRate]);
    first.push(
        parts.table("Deliveries", ask(Source::Deliveries, &[Dimension::State, Dimension::Platform], &[M::Deliveries])),
    );
    let posts = ask(
        Source::Posts,
        &[Dimension::PublishedAt, Dimension::Platform, Dimension::Account, Dimension::Post],
        &[M::Impressions, M::Engagements],
    );
    let second = vec![
        parts.chart(
            "When posts went out",
            ChartKind::HeatMap,
            ask(Source::Kpis, &[Dimension::Weekday, Dimension::Hour], &[M::Published]),
        ),
        parts.table("Posts", posts),
    ];
    vec![parts.section("The week", first), parts.section("What went out", second)]
}

fn market(parts: &mut Parts) -> Vec<Section> {
    use Measure as M;
    let of_market = |dimensions: &[Dimension], measures: &[Measure]| ask(Source::Competitors, dimensions, measures);
    let mut first: Vec<Block> = [M::ShareOfVoice, M::Position, M::Interactions]
        .into_iter()
        .map(|measure| {
            let query = Query { is_compared: true, ..of_market(&[], &[measure]) };
            parts.block("", Content::Metric { query })
        })
        .collect();
    first.push(parts.chart(
        "Public interactions by brand",
        ChartKind::Donut,
        top(of_market(&[Dimension::Brand], &[M::Interactions]), M::Interactions, None),
    ));
    first.push(parts.table(
        "Brands",
        top(
            Query {
                is_compared: true,
                ..of_market(
                    &[Dimension::Brand],
                    &[M::ShareOfVoice, M::Position, M::Interactions, M::Published, M::Followers],
                )
            },
            M::Interactions,
            None,
        ),
    ));
    let second = vec![
        parts.chart(
            "Share of voice by month",
            ChartKind::Line,
            of_market(&[Dimension::Month, Dimension::Brand], &[M::ShareOfVoice]),
        ),
        parts.table(
            "Platform by platform",
            of_market(
                &[Dimension::Platform, Dimension::Brand],
                &[M::ShareOfVoice, M::Position, M::Interactions, M::Followers],
            ),
        ),
    ];
    vec![parts.section("Where the brand stands", first), parts.section("By month and platform", second)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_report_that_can_be_saved() {
        for template in Template::ALL {
            let definition = template.definition();
            assert_eq!(definition.check(), Ok(()), "{}", template.key());
            let parts: usize = definition.sections.len() + definition.blocks().count();
            assert_eq!(definition.next_id() as usize, parts + 1, "{}: numbers without gaps", template.key());
        }
    }
}
