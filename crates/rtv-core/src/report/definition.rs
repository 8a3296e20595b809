//! What a marketer builds: ordered sections of text, figures, charts and tables.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, FieldError, Result};
use crate::report::query::{Dimension, Measure, Query, Source, words};

words! {
    /// How a chart shows its figures.
    ChartKind, "chart" {
        /// A line through time.
        Line = "line", "Line";
        /// A filled line through time.
        Area = "area", "Area";
        /// Bars beside each other.
        Bar = "bar", "Bar";
        /// Bars on each other.
        StackedBar = "stacked_bar", "Stacked bar";
        /// Shares of a circle.
        Pie = "pie", "Pie";
        /// Shares of a ring.
        Donut = "donut", "Donut";
        /// Weekday × hour.
        HeatMap = "heat_map", "Heat map";
        /// Measures that narrow from one to the next.
        Funnel = "funnel", "Funnel";
    }
}

/// The highest number of a part: far more than anybody builds, and far from where numbers end.
const MOST_ID: u32 = 1_000_000_000;

/// Characters of one text block.
pub const MAX_TEXT: usize = 10_000;

/// How large a definition may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sections of a report.
    pub sections: usize,
    /// Blocks of all sections together.
    pub blocks: usize,
    /// Characters of a name or title.
    pub name: usize,
    /// Characters of the description.
    pub description: usize,
}

/// How large a definition may be.
pub const LIMITS: Limits = Limits { sections: 40, blocks: 120, name: 120, description: 1_000 };

/// A report as it was built. Each save is a version of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it covers where nothing else is asked: a filter as addresses write it, see
    /// [`PageFilter`](crate::filter::PageFilter).
    pub parameters: String,
    /// Its parts in order.
    pub sections: Vec<Section>,
    /// The highest number that a part had that is deleted, so that its address shows no other; 0 where a part that is there has a
    /// higher one.
    #[serde(default)]
    pub last_id: u32,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its number, which stays when it is moved; unique in the report, also among blocks.
    pub id: u32,
    /// Heading.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// Something that a section holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number, which stays when it is moved; unique in the report, also among sections.
    pub id: u32,
    /// Heading; may be empty.
    pub title: String,
    /// What it shows.
    pub content: Content,
}

/// What a block shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Plain text; empty lines part paragraphs.
    Text {
        /// The words.
        text: String,
    },
    /// One measure with its comparison.
    Metric {
        /// Of what; has one measure and no dimension.
        query: Query,
    },
    /// A drawing.
    Chart {
        /// How it is drawn.
        kind: ChartKind,
        /// What it shows: the first dimension along the axis, the second splits into series.
        query: Query,
    },
    /// Rows and columns.
    Table {
        /// What it shows.
        query: Query,
        /// Whether a last row holds the totals of all rows, shown or not.
        has_totals: bool,
    },
}

impl Content {
    /// Its query, where it has one.
    pub const fn query(&self) -> Option<&Query> {
        match self {
            Self::Text { .. } => None,
            Self::Metric { query } | Self::Chart { query, .. } | Self::Table { query, .. } => Some(query),
        }
    }

    /// Name of its type for people.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Text { .. } => "Text",
            Self::Metric { .. } => "Figure",
            Self::Chart { .. } => "Chart",
            Self::Table { .. } => "Table",
        }
    }

    /// Refuses what cannot be shown, all at once and by name.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Text { text } if text.chars().count() > MAX_TEXT => {
                Err(Error::invalid("text", format!("use at most {MAX_TEXT} characters, or a second block.")))
            }
            Self::Text { text } if text.contains(NUL) => Err(Error::invalid("text", NO_NUL)),
            Self::Text { .. } => Ok(()),
            Self::Metric { query } => {
                query.check()?;
                if !query.dimensions.is_empty() {
                    return Err(Error::invalid("dimension", "a figure is not told apart; leave the dimensions out."));
                }
                if query.measures.len() != 1 {
                    return Err(Error::invalid("measure", "choose one measure."));
                }
                Ok(())
            }
            Self::Chart { kind, query } => {
                query.check()?;
                kind.check(query)
            }
            Self::Table { query, .. } => {
                query.check()?;
                if query.dimensions.is_empty() {
                    return Err(Error::invalid("dimension", "choose what the rows are told apart by."));
                }
                Ok(())
            }
        }
    }
}

impl ChartKind {
    /// Refuses a query that this kind cannot draw, and says what it could.
    fn check(self, query: &Query) -> Result<()> {
        let (dimensions, measures) = (query.dimensions.len(), query.measures.len());
        let refuse = |field: &str, message: &str| Err(Error::invalid(field, message));
        if query.source == Source::Posts {
            return refuse("source", "posts are listed one by one; draw KPIs, or show posts in a table.");
        }
        // What the parts of a whole are: slices, or what lies on each other.
        let parts = match self {
            Self::Pie | Self::Donut => query.dimensions.first(),
            Self::StackedBar | Self::Area => query.dimensions.get(1),
            Self::Line | Self::Bar | Self::HeatMap | Self::Funnel => None,
        };
        match self {
            Self::Funnel if dimensions > 0 => refuse("dimension", "a funnel has no dimension; its steps are measures."),
            Self::Funnel if measures < 2 => refuse("measure", "choose at least two measures, the widest first."),
            Self::HeatMap if query.dimensions != [Dimension::Weekday, Dimension::Hour] => {
                refuse("dimension", "a heat map shows Weekday by Hour; choose these two in this order.")
            }
            Self::Pie | Self::Donut if dimensions != 1 => refuse("dimension", "choose one dimension for the shares."),
            Self::HeatMap | Self::Pie | Self::Donut if measures != 1 => refuse("measure", "choose one measure."),
            Self::Pie | Self::Donut if query.measures.iter().any(|measure| !is_shared(*measure)) => refuse(
                "measure",
                "shares of a rate or a mean say nothing; choose something that adds up, or a bar chart.",
            ),
            Self::Line | Self::Area | Self::Bar | Self::StackedBar if !matches!(dimensions, 1 | 2) => {
                refuse("dimension", "choose one dimension for the axis, and one more to split by at most.")
            }
            Self::Line | Self::Area | Self::Bar | Self::StackedBar if dimensions == 2 && measures != 1 => {
                refuse("measure", "choose one measure where the chart is split.")
            }
            Self::Area | Self::StackedBar if query.measures.iter().any(|measure| !is_shared(*measure)) => {
                refuse("measure", "rates and means do not add up; choose a line or a bar chart.")
            }
            _ if parts.is_some_and(|one| one.is_course()) && query.measures.iter().any(|one| one.is_stock()) => refuse(
                "dimension",
                "followers are counted anew at each time and do not add up over times; choose a line or a bar chart.",
            ),
            Self::Pie | Self::Donut if parts == Some(&Dimension::Team) => refuse(
                "dimension",
                "teams may share accounts, so their shares do not add up to the whole; choose a bar chart.",
            ),
            // Two scales in one picture would say what the figures do not.
            _ if query.measures.windows(2).any(|pair| pair[0].unit() != pair[1].unit()) => {
                refuse("measure", "choose measures of one unit, or make a chart for each.")
            }
            _ => Ok(()),
        }
    }
}

/// Whether parts of it add up to the whole.
const fn is_shared(measure: Measure) -> bool {
    use crate::kpi::Combines;
    matches!(measure.combines(), Combines::Adds | Combines::SummedOnly)
}

/// The one character that PostgreSQL stores in no text.
const NUL: char = '\0';
const NO_NUL: &str = "take out the character NUL, which nobody sees and which cannot be stored.";

impl Definition {
    /// Refuses what cannot be a report. Fields of a block are named as `block.7.measure`.
    pub fn check(&self) -> Result<()> {
        self.check_but(&|_| false)
    }

    /// The same of what was made from another version. What that has already was taken once: where it is refused by now, nothing else
    /// of the report has to wait for it.
    pub fn check_after(&self, before: &Self) -> Result<()> {
        self.check_but(&|content| before.blocks().any(|block| block.content == *content))
    }

    /// The same without what blocks show, which is refused in its place where the report is filled.
    pub fn check_frame(&self) -> Result<()> {
        self.check_but(&|_| true)
    }

    fn check_but(&self, is_taken: &dyn Fn(&Content) -> bool) -> Result<()> {
        let mut errors: Vec<FieldError> = Vec::new();
        let mut refuse = |field: String, message: String| errors.push(FieldError { field, message });
        let name = self.name.trim().chars().count();
        if name == 0 || name > LIMITS.name {
            refuse("name".into(), format!("give it a name of at most {} characters.", LIMITS.name));
        }
        if self.description.chars().count() > LIMITS.description {
            refuse("description".into(), format!("use at most {} characters.", LIMITS.description));
        }
        for (field, text) in [("name", &self.name), ("description", &self.description)] {
            if text.contains(NUL) {
                refuse(field.into(), NO_NUL.into());
            }
        }
        if self.sections.len() > LIMITS.sections {
            refuse("sections".into(), format!("use at most {} sections.", LIMITS.sections));
        }
        if self.blocks().count() > LIMITS.blocks {
            refuse("blocks".into(), format!("use at most {} blocks.", LIMITS.blocks));
        }
        let mut ids: Vec<u32> = self.sections.iter().map(|one| one.id).chain(self.blocks().map(|one| one.id)).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            refuse("sections".into(), "two parts have the same id; give each its own.".into());
        }
        if self.highest_id() > MOST_ID {
            refuse("sections".into(), format!("use ids up to {MOST_ID}; one is {}.", self.highest_id()));
        }
        for section in &self.sections {
            if section.title.chars().count() > LIMITS.name {
                refuse(format!("section.{}.title", section.id), format!("use at most {} characters.", LIMITS.name));
            }
            if section.title.contains(NUL) {
                refuse(format!("section.{}.title", section.id), NO_NUL.into());
            }
        }
        for block in self.blocks() {
            if block.title.chars().count() > LIMITS.name {
                refuse(format!("block.{}.title", block.id), format!("use at most {} characters.", LIMITS.name));
            }
            if block.title.contains(NUL) {
                refuse(format!("block.{}.title", block.id), NO_NUL.into());
            }
            if let Err(Error::Invalid(of_block)) = block.content.check()
                && !is_taken(&block.content)
            {
                for error in of_block {
                    refuse(format!("block.{}.{}", block.id, error.field), error.message);
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }

    /// All blocks in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }

    /// A number that no part has or had.
    pub fn next_id(&self) -> u32 {
        self.highest_id().saturating_add(1)
    }

    /// Keeps the numbers spent that another version of the report has spent.
    pub fn keep_ids_of(&mut self, before: &Self) {
        // Where nothing else changes, this does not either.
        if self.highest_id() < before.highest_id() {
            self.last_id = before.highest_id();
        }
    }

    /// The highest number that a part has or had.
    fn highest_id(&self) -> u32 {
        let ids = self.sections.iter().map(|one| one.id).chain(self.blocks().map(|one| one.id));
        ids.max().unwrap_or(0).max(self.last_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ChartKind, source: Source, dimensions: &[Dimension], measure: Measure, expect: Option<&str>) {
        let query = Query {
            source,
            dimensions: dimensions.to_vec(),
            measures: vec![measure],
            sort: None,
            limit: None,
            is_compared: false,
        };
        let refused = match (Content::Chart { kind, query }).check() {
            Ok(()) => None,
            Err(Error::Invalid(errors)) => errors.into_iter().next().map(|one| (one.field, one.message)),
            Err(other) => panic!("{other:?}"),
        };
        let told = refused.as_ref().map(|(field, message)| (field.as_str(), message.contains("do not add up")));
        assert_eq!(told, expect.map(|field| (field, true)), "{kind} by {dimensions:?}: {refused:?}");
    }

    #[test]
    fn followers_of_several_times_are_no_parts_of_a_whole() {
        use Dimension as D;
        let followers = |kind, dimensions: &[D], expect| {
            check(kind, Source::Audience, dimensions, Measure::Followers, expect);
        };
        for time in [D::Day, D::Week, D::Month] {
            followers(ChartKind::Pie, &[time], Some("dimension"));
            followers(ChartKind::Donut, &[time], Some("dimension"));
            followers(ChartKind::StackedBar, &[D::Platform, time], Some("dimension"));
            followers(ChartKind::Area, &[D::Account, time], Some("dimension"));
            // Accounts lie on each other at each time, which is the sum of that time.
            followers(ChartKind::Area, &[time, D::Account], None);
            followers(ChartKind::StackedBar, &[time, D::Platform], None);
            followers(ChartKind::Area, &[time], None);
            followers(ChartKind::Line, &[D::Platform, time], None);
            followers(ChartKind::Bar, &[D::Platform, time], None);
        }
        followers(ChartKind::Pie, &[D::Platform], None);
        check(ChartKind::Donut, Source::Competitors, &[D::Month], Measure::Followers, Some("dimension"));
        // What comes anew each day adds up.
        check(ChartKind::Pie, Source::Audience, &[D::Month], Measure::FollowerGrowth, None);
        check(ChartKind::StackedBar, Source::Kpis, &[D::Platform, D::Week], Measure::Engagements, None);
    }

    #[test]
    fn teams_that_may_share_accounts_have_no_shares_of_a_circle() {
        let by_team = |kind, expect| check(kind, Source::Teams, &[Dimension::Team], Measure::Engagements, expect);
        by_team(ChartKind::Pie, Some("dimension"));
        by_team(ChartKind::Donut, Some("dimension"));
        by_team(ChartKind::Bar, None);
        check(ChartKind::Pie, Source::Teams, &[Dimension::Platform], Measure::Engagements, None);
    }
}
