//! From a filled table to a chart: which columns are categories, which are series, what a chart has no room for and how it says so.
//! Sums are made with the exact figures; a rate is never added up. Nothing that is left out is left out silently: each time a sentence
//! stands in the chart's notes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{Datelike, Days, Months, NaiveDate};
use rtv_core::Brand;
use rtv_core::kpi::{Combines, Unit as Measured};
use rtv_core::report::{Cell, ChartKind, Kind, Measure, Table};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Along, ReportChart, Rest};
use crate::number::{self, NumberStyle, Unit};
use crate::trend::{Role, Series};

/// Points of one line: three years of days.
const MOST_POINTS: usize = 1_100;
/// Bars that stand beside each other, whatever their colours.
const MOST_STANDING: usize = 124;
/// Names along an axis, and bars that lie, whatever their colours.
const MOST_NAMES: usize = 12;
const MOST_LYING: usize = 24;
/// Slices of a pie.
const MOST_SLICES: usize = 8;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Names in one sentence.
const MOST_NAMED: usize = 12;

/// Writes a cell that tells rows apart, or leaves it to the chart.
pub type CellWords<'a> = dyn Fn(Kind, &Cell) -> Option<String> + 'a;

/// The words of a chart and what else its table does not hold.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// Name of the chart.
    pub title: &'a str,
    /// The tenant's currency, as it is shown.
    pub currency: &'a str,
    /// How numbers are written.
    pub numbers: NumberStyle,
    /// CSS font family.
    pub font_family: &'a str,
    /// The tenant's colour.
    pub brand: Option<Brand>,
    /// How a cell that tells rows apart is written; `None` of one leaves it to the chart, which writes English.
    pub cell: Option<&'a CellWords<'a>>,
    /// What is known by no name of its own.
    pub other: &'a str,
    /// What is not known.
    pub unknown: &'a str,
    /// Shown in place of a drawing while no value is known.
    pub no_data: &'a str,
}

impl<'a> Words<'a> {
    /// English words for a chart of that name.
    pub const fn english(title: &'a str, currency: &'a str) -> Self {
        Self {
            title,
            currency,
            numbers: NumberStyle::ENGLISH,
            font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif",
            brand: None,
            cell: None,
            other: "Other",
            unknown: "Not known",
            no_data: "No values in this period.",
        }
    }
}

/// A series with its exact figures.
#[derive(Debug, Clone)]
struct Raw {
    name: String,
    role: Role,
    values: Vec<Option<Decimal>>,
}

/// Column of a measure and of its value in the period compared with.
type Pair = (usize, Option<usize>);

/// What is on its way from table to chart.
struct Build<'a> {
    table: &'a Table,
    words: &'a Words<'a>,
    kind: ChartKind,
    /// Index of each measure, and of its value in the period compared with.
    measures: Vec<Pair>,
    unit: Unit,
    adds_up: bool,
    cells: Vec<Cell>,
    categories: Vec<String>,
    series: Vec<Raw>,
    rest: Rest,
    notes: Vec<String>,
}

impl ReportChart {
    /// The chart of a table whose first columns are dimensions (none for a funnel): the first lies along the axis, the second parts the
    /// series. What the kind has no room for is left out with a sentence in `notes`.
    pub fn of(kind: ChartKind, table: &Table, words: &Words<'_>) -> Self {
        let mut build = Build::of(kind, table, words);
        let dimensions = table.dimensions();
        match kind {
            ChartKind::Funnel => build.steps(dimensions),
            ChartKind::HeatMap => build.week(dimensions),
            ChartKind::Pie | ChartKind::Donut => build.slices(dimensions),
            ChartKind::Line | ChartKind::Area | ChartKind::Bar | ChartKind::StackedBar => build.along(dimensions),
        }
        build.finish()
    }
}

impl<'a> Build<'a> {
    fn of(kind: ChartKind, table: &'a Table, words: &'a Words<'a>) -> Self {
        let mut measures: Vec<Pair> = Vec::new();
        for (index, column) in table.columns.iter().enumerate().filter(|(_, column)| column.kind.is_number()) {
            let is_previous = measures.last().is_some_and(|(before, previous)| {
                previous.is_none() && column.key.strip_suffix("_previous") == Some(table.columns[*before].key.as_str())
            });
            match measures.last_mut() {
                Some((_, previous)) if is_previous => *previous = Some(index),
                _ => measures.push((index, None)),
            }
        }
        let mut build = Self {
            table,
            words,
            kind,
            measures,
            unit: Unit::Count,
            adds_up: false,
            cells: Vec::new(),
            categories: Vec::new(),
            series: Vec::new(),
            rest: Rest::default(),
            notes: Vec::new(),
        };
        build.one_unit();
        build
    }

    /// Two scales in one picture would say what the figures do not.
    fn one_unit(&mut self) {
        let Some(&(first, _)) = self.measures.first() else { return };
        let kind = self.table.columns[first].kind;
        let (kept, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.measures)
            .into_iter()
            .partition(|(index, _)| self.table.columns[*index].kind == kind);
        if !others.is_empty() {
            let names = self.listed(others.iter().map(|(index, _)| self.table.columns[*index].label.clone()));
            self.notes.push(format!("Not drawn, because it is measured in another unit: {names}."));
        }
        self.measures = kept;
        self.unit = match kind {
            Kind::Number(Measured::Percent) => Unit::Percent,
            Kind::Number(Measured::Score) => Unit::Score,
            Kind::Number(Measured::Money) => Unit::Money(self.words.currency.to_owned()),
            Kind::Number(Measured::Multiple) => Unit::Ratio,
            _ => Unit::Count,
        };
        // What is not known to add up is not added up.
        self.adds_up = self.measures.iter().all(|(index, _)| {
            let measure: Result<Measure, _> = self.table.columns[*index].key.parse();
            measure.is_ok_and(|measure| matches!(measure.combines(), Combines::Adds | Combines::SummedOnly))
        });
    }

    /// Whether the values of a dimension's rows have a sum: followers of one time are mostly those of another too.
    fn adds_up_over(&self, dimension: usize) -> bool {
        let kind = self.table.columns.get(dimension).map(|column| column.kind);
        let is_stock = self.measures.iter().any(|(index, _)| {
            let measure: Result<Measure, _> = self.table.columns[*index].key.parse();
            measure.is_ok_and(Measure::is_stock)
        });
        self.adds_up && !(is_stock && matches!(kind, Some(Kind::Day | Kind::Week | Kind::Month)))
    }

    fn label(&self, column: usize) -> String {
        self.table.columns[column].label.clone()
    }

    /// Name of a measure's value in the period compared with; never that of the measure itself.
    fn label_before(&self, current: usize, previous: usize) -> String {
        let (current, label) = (self.label(current), self.label(previous));
        if current == label { format!("{label}, before") } else { label }
    }

    /// The steps of a funnel are the measures of one row.
    fn steps(&mut self, dimensions: usize) {
        if dimensions > 0 {
            self.notes.push("A funnel has no dimension: its steps are measures. Leave the dimensions out.".into());
            return;
        }
        let row = self.table.rows.first();
        self.categories = self.measures.iter().map(|(index, _)| self.label(*index)).collect();
        let values = self.measures.iter().map(|(index, _)| row.and_then(|row| figure(row, *index))).collect();
        self.series = vec![Raw { name: self.words.title.to_owned(), role: Role::Current, values }];
        self.not_compared();
        let below = self.picked(0, |value| value < Decimal::ZERO);
        if !below.is_empty() {
            self.notes.push(format!("Below zero and therefore without a bar: {below}."));
        }
        match self.series[0].values.first() {
            Some(Some(first)) if *first > Decimal::ZERO => {
                let first = &self.categories[0];
                self.notes.push(format!("Percentages are shares of “{first}”."));
            }
            _ if !self.categories.is_empty() => {
                let first = &self.categories[0];
                self.notes.push(format!("“{first}” is not above zero, so there are no shares of it."));
            }
            _ => {}
        }
    }

    /// Seven rows of 24 hours, whatever rows the table has.
    fn week(&mut self, dimensions: usize) {
        let kinds =
            self.table.columns.first().zip(self.table.columns.get(1)).map(|(one, other)| (one.kind, other.kind));
        if dimensions != 2 || kinds != Some((Kind::Weekday, Kind::Hour)) {
            self.notes.push("A heat map shows Weekday by Hour; choose these two in this order.".into());
            return;
        }
        let Some(&(measure, _)) = self.measures.first() else { return };
        self.first_measure_only();
        self.not_compared();
        self.cells = (0..24).map(Cell::Ordinal).collect();
        self.categories = self.cells.iter().map(|hour| self.text(Kind::Hour, hour)).collect();
        self.series = (0..7)
            .map(|weekday| Raw {
                name: self.text(Kind::Weekday, &Cell::Ordinal(weekday)),
                role: Role::Current,
                values: vec![None; 24],
            })
            .collect();
        let mut beyond = 0_usize;
        for row in &self.table.rows {
            match (row.first(), row.get(1)) {
                (Some(Cell::Ordinal(weekday @ 0..7)), Some(Cell::Ordinal(hour @ 0..24))) => {
                    self.series[usize::from(*weekday)].values[usize::from(*hour)] = figure(row, measure);
                }
                _ => beyond += 1,
            }
        }
        if beyond > 0 {
            self.notes.push(format!("{beyond} rows have no weekday and hour, and no cell."));
        }
    }

    /// At most eight slices, all of them above zero.
    fn slices(&mut self, dimensions: usize) {
        let Some(&(measure, _)) = self.measures.first() else { return };
        if dimensions != 1 {
            self.notes.push("A pie shows the shares of one dimension; choose one.".into());
            return;
        }
        if !self.adds_up {
            self.notes
                .push("Shares of a rate or a mean say nothing; choose something that adds up, or a bar chart.".into());
            return;
        }
        if !self.adds_up_over(0) {
            self.notes.push("Followers of several times have no sum, so there are no shares of it.".into());
            return;
        }
        self.first_measure_only();
        self.not_compared();
        let kind = self.table.columns[0].kind;
        self.categories =
            self.table.rows.iter().map(|row| self.text(kind, row.first().unwrap_or(&Cell::Missing))).collect();
        let values: Vec<Option<Decimal>> = self.table.rows.iter().map(|row| figure(row, measure)).collect();
        let all = self.table.totals.as_ref().and_then(|totals| figure(totals, measure));
        self.series = vec![Raw { name: self.label(measure), role: Role::Current, values }];
        let without = self.picked(0, |value| value <= Decimal::ZERO);
        if !without.is_empty() {
            self.notes.push(format!("Not above zero and therefore without a slice: {without}."));
        }
        let unknown = self.picked_unknown(0);
        if !unknown.is_empty() {
            self.notes.push(format!("Not known and therefore without a slice: {unknown}."));
        }
        // What the table leaves out is a part of the whole as well.
        let shown: Option<Decimal> =
            self.series[0].values.iter().flatten().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value));
        let beyond = match (all, shown) {
            (Some(all), Some(shown)) if self.table.is_cut() => {
                all.checked_sub(shown).filter(|rest| *rest > Decimal::ZERO)
            }
            _ => None,
        };
        let mut order: Vec<(usize, Decimal)> = self.series[0]
            .values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| value.filter(|value| *value > Decimal::ZERO).map(|value| (index, value)))
            .collect();
        let drawn = order.len();
        let has_rest = beyond.is_some() || drawn > MOST_SLICES;
        order.sort_by(|(_, one), (_, other)| other.cmp(one));
        let small = order.split_off(drawn.min(if has_rest { MOST_SLICES - 1 } else { MOST_SLICES }));
        order.sort_unstable_by_key(|(index, _)| *index);
        let mut categories: Vec<String> = order.iter().map(|(index, _)| self.categories[*index].clone()).collect();
        let mut values: Vec<Option<Decimal>> = order.iter().map(|(_, value)| Some(*value)).collect();
        if has_rest {
            let rest = small.iter().map(|(_, value)| *value).chain(beyond);
            values.push(sum(rest.map(Some)));
            categories.push(self.words.other.to_owned());
            self.rest.category = true;
            let left_out =
                if beyond.is_some() { self.table.of_rows.saturating_sub(as_u64(self.table.rows.len())) } else { 0 };
            let held = as_u64(small.len()) + left_out;
            let count = as_u64(drawn) + left_out;
            let (held, count) = (self.count(held), self.count(count));
            self.notes.push(format!("“{}” holds {held} of {count}.", self.words.other));
        }
        if beyond.is_none() {
            self.cut_table(" Shares are of what is shown");
        }
        self.categories = categories;
        self.series[0].values = values;
    }

    /// Lines and bars.
    fn along(&mut self, dimensions: usize) {
        match dimensions {
            0 => self.measures_along(),
            1 => self.rows_along(),
            _ => self.split(dimensions),
        }
        self.cut_table("");
        let is_line = matches!(self.kind, ChartKind::Line | ChartKind::Area);
        let first = self.table.columns.first().map(|column| column.kind).filter(|kind| !kind.is_number());
        if self.is_time() {
            self.in_order(first.unwrap_or(Kind::Text), is_line);
            let standing = MOST_STANDING / self.beside().max(1);
            self.newest(if is_line { MOST_POINTS } else { standing.max(MOST_NAMES) });
        } else {
            let lying = if is_line { MOST_NAMES } else { MOST_LYING / self.beside().max(1) };
            self.largest(lying.clamp(3, MOST_NAMES));
        }
        self.gaps();
        if self.kind == ChartKind::Area && self.currents() > 1 {
            let is_below =
                self.series.iter().flat_map(|one| one.values.iter().flatten()).any(|value| *value < Decimal::ZERO);
            if is_below {
                self.notes.push("Values below zero cannot lie on each other, so they are drawn as lines.".into());
            } else {
                self.notes.push("The areas lie on each other: the upper edge is their sum.".into());
            }
        }
    }

    /// Without a dimension the measures themselves are compared.
    fn measures_along(&mut self) {
        let row = self.table.rows.first();
        self.categories = self.measures.iter().map(|(index, _)| self.label(*index)).collect();
        let column = |pick: &dyn Fn(&Pair) -> Option<usize>| -> Vec<Option<Decimal>> {
            self.measures.iter().map(|one| pick(one).and_then(|index| row.and_then(|row| figure(row, index)))).collect()
        };
        let current = column(&|(current, _)| Some(*current));
        let previous = column(&|(_, previous)| *previous);
        let is_compared = self.measures.iter().any(|(_, previous)| previous.is_some());
        self.series = vec![Raw { name: self.words.title.to_owned(), role: Role::Current, values: current }];
        if is_compared {
            self.series.push(Raw {
                name: format!("{}, before", self.words.title),
                role: Role::Previous,
                values: previous,
            });
        }
        // Different measures have no sum.
        self.adds_up = false;
    }

    /// A row is a category, a measure a series.
    fn rows_along(&mut self) {
        let most = self.most_series(self.measures.iter().any(|(_, previous)| previous.is_some()));
        if self.measures.len() > most {
            let left = self.measures.split_off(most);
            let names = self.listed(left.iter().map(|(index, _)| self.label(*index)));
            self.notes.push(format!("Not drawn, because more than {most} could not be told apart: {names}."));
        }
        let kind = self.table.columns[0].kind;
        self.cells = self.table.rows.iter().map(|row| row.first().cloned().unwrap_or(Cell::Missing)).collect();
        self.categories = self.cells.iter().map(|cell| self.text(kind, cell)).collect();
        for (current, previous) in self.measures.clone() {
            let values = |index| self.table.rows.iter().map(|row| figure(row, index)).collect();
            let mut made = vec![Raw { name: self.label(current), role: Role::Current, values: values(current) }];
            if let Some(previous) = previous {
                let name = self.label_before(current, previous);
                made.push(Raw { name, role: Role::Previous, values: values(previous) });
            }
            self.series.extend(made);
        }
    }

    /// The first dimension lies along the axis, the second parts the series.
    fn split(&mut self, dimensions: usize) {
        let Some(&(current, previous)) = self.measures.first() else { return };
        self.first_measure_only();
        if dimensions > 2 {
            let names = self.listed((2..dimensions).map(|index| self.label(index)));
            self.notes.push(format!("A chart shows two dimensions; not told apart by {names}."));
        }
        let (along, apart) = (self.table.columns[0].kind, self.table.columns[1].kind);
        let (mut cells, mut parts): (Vec<Cell>, Vec<Cell>) = (Vec::new(), Vec::new());
        let place = |known: &mut Vec<Cell>, cell: &Cell| {
            known.iter().position(|one| one == cell).unwrap_or_else(|| {
                known.push(cell.clone());
                known.len() - 1
            })
        };
        let mut found: Vec<(usize, usize, &Vec<Cell>)> = Vec::new();
        for row in &self.table.rows {
            if let (Some(one), Some(other)) = (row.first(), row.get(1)) {
                found.push((place(&mut cells, one), place(&mut parts, other), row));
            }
        }
        // Times and weekdays part in their own order, whatever the rows are sorted by.
        let mut made: Vec<[Raw; 2]> = parts
            .iter()
            .map(|part| {
                let name = self.text(apart, part);
                let raw = |name: String, role| Raw { name, role, values: vec![None; cells.len()] };
                [raw(name.clone(), Role::Current), raw(format!("{name}, before"), Role::Previous)]
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut repeated = 0_usize;
        for (category, part, row) in found {
            let is_first = seen.insert((category, part));
            for (side, column) in [(0, Some(current)), (1, previous)] {
                let value = column.and_then(|column| figure(row, column));
                let place = &mut made[part][side].values[category];
                *place = match (*place, value) {
                    _ if is_first => value,
                    (Some(one), Some(other)) if self.adds_up => one.checked_add(other),
                    (one, other) if self.adds_up => one.or(other),
                    _ => None,
                };
            }
            repeated += usize::from(!is_first && !self.adds_up);
        }
        if repeated > 0 {
            self.notes.push(format!(
                "Rows that repeat the names of another one and do not add up are not drawn: {repeated}."
            ));
        }
        self.categories = cells.iter().map(|cell| self.text(along, cell)).collect();
        self.cells = cells;
        let most = self.most_series(previous.is_some());
        self.fewer_series(&mut made, most);
        self.series = made
            .into_iter()
            .flat_map(|[current, before]| {
                let before = previous.is_some().then_some(before);
                std::iter::once(current).chain(before)
            })
            .collect();
    }

    /// Keeps the largest, and the others as one where they add up.
    fn fewer_series(&mut self, made: &mut Vec<[Raw; 2]>, most: usize) {
        if made.len() <= most {
            return;
        }
        let count = made.len();
        let adds_up = self.adds_up_over(1);
        let size =
            |raw: &Raw| raw.values.iter().flatten().fold(Decimal::ZERO, |sum, value| sum.saturating_add(value.abs()));
        let mut order: Vec<usize> = (0..count).collect();
        if adds_up {
            order.sort_by_key(|index| std::cmp::Reverse(size(&made[*index][0])));
        }
        let mut kept: Vec<usize> = order[..most - usize::from(adds_up)].to_vec();
        kept.sort_unstable();
        let (mut stay, mut go): (Vec<[Raw; 2]>, Vec<[Raw; 2]>) = (Vec::new(), Vec::new());
        for (index, pair) in std::mem::take(made).into_iter().enumerate() {
            if kept.contains(&index) { stay.push(pair) } else { go.push(pair) }
        }
        let kind = self.table.columns[1].label.clone();
        if adds_up {
            let total = |side: usize| -> Vec<Option<Decimal>> {
                (0..self.categories.len())
                    .map(|category| sum(go.iter().map(|pair| pair[side].values[category])))
                    .collect()
            };
            let other = self.words.other;
            let before = format!("{other}, before");
            stay.push([
                Raw { name: other.to_owned(), role: Role::Current, values: total(0) },
                Raw { name: before, role: Role::Previous, values: total(1) },
            ]);
            self.rest.series = true;
            self.notes.push(format!(
                "“{other}” holds {} of {} ({kind}).",
                self.count(as_u64(go.len())),
                self.count(as_u64(count))
            ));
        } else {
            let names = self.listed(go.iter().map(|pair| pair[0].name.clone()));
            self.notes.push(format!("Not drawn, because more than {most} could not be told apart: {names}."));
        }
        *made = stay;
    }

    /// So many series a kind can show; those of the period compared with take their share.
    fn most_series(&self, is_compared: bool) -> usize {
        match (self.kind, is_compared) {
            (ChartKind::Line, false) => 6,
            (ChartKind::Line | ChartKind::Area, true) => 3,
            (ChartKind::Bar, true) => 4,
            _ => 8,
        }
    }

    fn currents(&self) -> usize {
        self.series.iter().filter(|one| one.role == Role::Current).count()
    }

    /// Bars beside each other in one place.
    fn beside(&self) -> usize {
        match self.kind {
            ChartKind::StackedBar => 1 + usize::from(self.series.iter().any(|one| one.role == Role::Previous)),
            _ => self.series.len(),
        }
    }

    fn is_time(&self) -> bool {
        let kind = self.table.columns.first().map(|column| column.kind);
        matches!(kind, Some(Kind::Day | Kind::Week | Kind::Month | Kind::Instant | Kind::Weekday | Kind::Hour))
    }

    /// A line through time runs forward whatever the rows are sorted by. Where times run forward, those without a row are gaps.
    fn in_order(&mut self, kind: Kind, is_line: bool) {
        let mut order: Vec<usize> = (0..self.cells.len()).collect();
        order.sort_by_key(|index| rank(&self.cells[*index]));
        let runs = order.is_sorted();
        if !is_line && !runs {
            return;
        }
        self.pick(&order);
        let days: Option<Vec<NaiveDate>> = self
            .cells
            .iter()
            .map(|cell| match cell {
                Cell::Day(day) => Some(*day),
                _ => None,
            })
            .collect();
        let Some(days) = days.filter(|days| days.windows(2).all(|pair| pair[0] < pair[1])) else { return };
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
        let before = |day: NaiveDate| match kind {
            Kind::Month => day.checked_sub_months(Months::new(1)),
            Kind::Week => day.checked_sub_days(Days::new(7)),
            _ => day.checked_sub_days(Days::new(1)),
        };
        let mut all: Vec<NaiveDate> = Vec::new();
        let mut day = *last;
        // Days that lie off the steps, as of a week that begins on another day, are left as they are.
        while day >= *first && all.len() <= MOST_POINTS {
            all.push(day);
            match before(day) {
                Some(earlier) => day = earlier,
                None => break,
            }
        }
        all.reverse();
        let known: BTreeSet<NaiveDate> = all.iter().copied().collect();
        if all.len() > MOST_POINTS || all.len() == days.len() || !days.iter().all(|day| known.contains(day)) {
            return;
        }
        for series in &mut self.series {
            let mut values = days.iter().zip(std::mem::take(&mut series.values)).peekable();
            series.values =
                all.iter().map(|day| values.next_if(|(at, _)| *at == day).and_then(|(_, value)| value)).collect();
        }
        self.cells = all.into_iter().map(Cell::Day).collect();
        self.categories = self.cells.iter().map(|cell| self.text(kind, cell)).collect();
    }

    /// Keeps these categories in this order.
    fn pick(&mut self, order: &[usize]) {
        self.categories = order.iter().map(|index| self.categories[*index].clone()).collect();
        if !self.cells.is_empty() {
            self.cells = order.iter().map(|index| self.cells[*index].clone()).collect();
        }
        for series in &mut self.series {
            series.values = order.iter().map(|index| series.values[*index]).collect();
        }
    }

    /// Leaves out the earliest times where there are too many.
    fn newest(&mut self, most: usize) {
        let count = self.cells.len();
        if count <= most {
            return;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|index| std::cmp::Reverse(rank(&self.cells[*index])));
        let mut kept = order[..most].to_vec();
        kept.sort_unstable();
        self.pick(&kept);
        let (most, count) = (self.count(as_u64(most)), self.count(as_u64(count)));
        self.notes
            .push(format!("The chart shows the latest {most} of {count}; there is no room for the earlier ones."));
    }

    /// Leaves out the smallest where there are too many, and draws them as one where they add up.
    fn largest(&mut self, most: usize) {
        let count = self.categories.len();
        if count <= most {
            return;
        }
        let label = self.table.columns.first().map(|column| column.label.clone()).unwrap_or_default();
        let size = |index: usize| {
            let current = self.series.iter().filter(|one| one.role == Role::Current);
            current
                .filter_map(|one| one.values[index])
                .fold(Decimal::ZERO, |sum, value| sum.saturating_add(value.abs()))
        };
        let mut order: Vec<usize> = (0..count).collect();
        if self.adds_up {
            order.sort_by_key(|index| std::cmp::Reverse(size(*index)));
        }
        let left = order.split_off(most - usize::from(self.adds_up));
        order.sort_unstable();
        if self.adds_up {
            let sums: Vec<Option<Decimal>> =
                self.series.iter().map(|one| sum(left.iter().map(|index| one.values[*index]))).collect();
            self.pick(&order);
            self.categories.push(self.words.other.to_owned());
            for (series, sum) in self.series.iter_mut().zip(sums) {
                series.values.push(sum);
            }
            self.rest.category = true;
            let (held, count) = (self.count(as_u64(left.len())), self.count(as_u64(count)));
            self.notes.push(format!("“{}” holds {held} of {count} ({label}).", self.words.other));
        } else {
            let names = self.listed(left.iter().map(|index| self.categories[*index].clone()));
            self.pick(&order);
            let (most, count) = (self.count(as_u64(most)), self.count(as_u64(count)));
            self.notes.push(format!("The chart shows {most} of {count} ({label}); there is no room for {names}."));
        }
    }

    /// Says how much is not known. Of a table that is not whole nobody can say whether a value is, or whether its row was left out.
    fn gaps(&mut self) {
        let current = self.series.iter().filter(|one| one.role == Role::Current);
        let empty: Vec<String> =
            current.clone().filter(|one| one.values.iter().all(Option::is_none)).map(|one| one.name.clone()).collect();
        let missing: usize = current.map(|one| one.values.iter().filter(|value| value.is_none()).count()).sum();
        let all = self.currents() * self.categories.len();
        if missing == 0 || missing == all {
            return;
        }
        let (are, gaps) = if missing == 1 { ("is", "a gap") } else { ("are", "gaps") };
        let (unknown, known) =
            if self.table.is_cut() { ("left out by the limit or not known", "shown") } else { ("not known", "known") };
        let (missing, all) = (self.count(as_u64(missing)), self.count(as_u64(all)));
        self.notes.push(format!("{missing} of {all} values {are} {unknown} and {are} {gaps}, not zero."));
        if !empty.is_empty() {
            let names = self.listed(empty.into_iter());
            self.notes.push(format!("No value is {known} of {names}."));
        }
    }

    /// Says that the table itself is not whole.
    fn cut_table(&mut self, and: &str) {
        if self.table.is_cut() {
            let (shown, all) = (self.count(as_u64(self.table.rows.len())), self.count(self.table.of_rows));
            let and = if and.is_empty() { String::new() } else { format!("{and}.") };
            self.notes.push(format!("Showing {shown} of {all}.{and}"));
        }
    }

    fn first_measure_only(&mut self) {
        if self.measures.len() > 1 {
            let left = self.measures.split_off(1);
            let names = self.listed(left.iter().map(|(index, _)| self.label(*index)));
            self.notes.push(format!("A chart of this kind shows one measure; not drawn: {names}."));
        }
    }

    fn not_compared(&mut self) {
        if self.measures.iter().any(|(_, previous)| previous.is_some()) {
            self.notes.push("The period compared with is not drawn in this kind of chart.".into());
        }
    }

    /// Categories whose known value is such, with the value.
    fn picked(&self, series: usize, is_such: impl Fn(Decimal) -> bool) -> String {
        let values = self.categories.iter().zip(&self.series[series].values);
        let such = values.filter_map(|(name, value)| value.filter(|value| is_such(*value)).map(|value| (name, value)));
        self.listed(such.map(|(name, value)| format!("{name} ({})", self.write(value))))
    }

    fn picked_unknown(&self, series: usize) -> String {
        let values = self.categories.iter().zip(&self.series[series].values);
        self.listed(values.filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()))
    }

    /// Names in one sentence, and how many more there are.
    fn listed(&self, names: impl Iterator<Item = String>) -> String {
        // Writing to a text cannot fail, here and below.
        let names: Vec<String> = names.collect();
        let left = names.len().saturating_sub(MOST_NAMED);
        let mut text = names[..names.len() - left].join(", ");
        if left > 0 {
            let _ = write!(text, " and {} more", self.count(as_u64(left)));
        }
        text
    }

    fn count(&self, count: u64) -> String {
        // Exact far beyond what a table holds.
        #[allow(clippy::cast_precision_loss)]
        let count = count as f64;
        number::full(count, &Unit::Count, self.words.numbers)
    }

    fn write(&self, value: Decimal) -> String {
        number::full(value.to_f64().unwrap_or_default(), &self.unit, self.words.numbers)
    }

    /// A cell that tells rows apart, in words.
    fn text(&self, kind: Kind, cell: &Cell) -> String {
        if let Some(text) = self.words.cell.and_then(|write| write(kind, cell)) {
            return text;
        }
        match (kind, cell) {
            (_, Cell::Missing) => self.words.unknown.to_owned(),
            (Kind::Month, Cell::Day(day)) => day.format("%b %Y").to_string(),
            (_, Cell::Day(day)) if self.spans_years() => day.format("%-d %b %Y").to_string(),
            (_, Cell::Day(day)) => day.format("%-d %b").to_string(),
            (_, Cell::Instant(at)) => at.format("%-d %b %Y, %H:%M UTC").to_string(),
            (Kind::Weekday, Cell::Ordinal(day @ 0..7)) => WEEKDAYS[usize::from(*day)].to_owned(),
            (Kind::Hour, Cell::Ordinal(hour)) => format!("{hour:02}:00"),
            (_, Cell::Ordinal(number)) => number.to_string(),
            (_, Cell::Text(text)) => text.clone(),
            (_, Cell::Number(number)) => number.to_string(),
        }
    }

    fn spans_years(&self) -> bool {
        let mut years = self.table.rows.iter().filter_map(|row| match row.first() {
            Some(Cell::Day(day)) => Some(day.year()),
            _ => None,
        });
        let first = years.next();
        years.any(|year| Some(year) != first)
    }

    fn finish(self) -> ReportChart {
        let along = if self.is_time() { Along::Time } else { Along::Names };
        let summary = self.summary();
        let series = self
            .series
            .iter()
            .map(|raw| Series {
                name: raw.name.clone(),
                role: raw.role,
                values: raw.values.iter().map(|value| value.and_then(|value| value.to_f64())).collect(),
            })
            .collect();
        ReportChart {
            kind: self.kind,
            title: self.words.title.to_owned(),
            summary,
            notes: self.notes,
            unit: self.unit,
            along,
            categories: self.categories,
            series,
            rest: self.rest,
            numbers: self.words.numbers,
            font_family: self.words.font_family.to_owned(),
            no_data: self.words.no_data.to_owned(),
            unknown: self.words.unknown.to_owned(),
            brand: self.words.brand,
        }
    }

    /// What the chart shows, for people who cannot see it: kind, extremes, and all that is left out.
    fn summary(&self) -> String {
        let mut text = format!("{} of {}.", self.kind.label(), self.words.title);
        let points = self.series.iter().filter(|one| one.role == Role::Current).flat_map(|one| {
            one.values.iter().enumerate().filter_map(move |(index, value)| value.map(|value| (value, index, one)))
        });
        let place = |index: usize, one: &Raw| {
            let category = self.categories[index].as_str();
            match self.kind {
                ChartKind::HeatMap => format!("{} {category}", one.name),
                _ if self.currents() > 1 => format!("{}, {category}", one.name),
                _ => category.to_owned(),
            }
        };
        let highest = points.clone().max_by_key(|(value, ..)| *value);
        let lowest = points.min_by_key(|(value, ..)| *value);
        if let (Some((high, at, one)), Some((low, low_at, low_one))) = (highest, lowest) {
            let _ = write!(text, " Highest {} ({})", self.write(high), place(at, one));
            if high == low {
                text.push('.');
            } else {
                let _ = write!(text, ", lowest {} ({}).", self.write(low), place(low_at, low_one));
            }
        } else {
            let _ = write!(text, " {}", self.words.no_data);
        }
        for note in &self.notes {
            text.push(' ');
            text.push_str(note);
        }
        text
    }
}

/// The figure in a column.
fn figure(row: &[Cell], column: usize) -> Option<Decimal> {
    match row.get(column) {
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    }
}

/// The sum of what is known; nothing where nothing is.
fn sum(values: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    values
        .flatten()
        .try_fold(None, |sum: Option<Decimal>, value| Some(Some(sum.unwrap_or_default().checked_add(value)?)))
        .flatten()
}

/// The order of times.
fn rank(cell: &Cell) -> (u8, i64) {
    match cell {
        Cell::Day(day) => (0, i64::from(day.num_days_from_ce())),
        Cell::Instant(at) => (0, at.timestamp_millis()),
        Cell::Ordinal(number) => (0, i64::from(*number)),
        _ => (1, 0),
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
