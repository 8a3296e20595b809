//! Excel's own charts, drawn from cells of the same sheet. Where the table's cells do not lie as Excel needs them (a split into series, the
//! steps of a funnel, the grid of a heat map, slices of which some are put together), the same values stand once more beside the table.

use std::collections::HashMap;

use rtv_charts::{ReportChart, Words};
use rtv_core::kpi::Unit;
use rtv_core::report::{Cell, ChartKind, Column, Kind, Table};
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartDataLabel, ChartEmptyCells, ChartLegendPosition, ChartType, ConditionalFormat2ColorScale, Worksheet,
    XlsxError,
};

use super::sheet::{column_number, row_number};
use crate::words::showing;

/// Most series of a chart of Excel's.
const MOST_SERIES: usize = 255;

/// Size of a chart, in pixels.
const SIZE: (u32, u32) = (760, 400);

/// Colours of a heat map, from nothing to the most.
const SCALE: (u32, u32) = (0x00FF_FFFF, 0x002F_6DB5);

/// Where the cells stand that a chart is drawn from.
pub(super) struct Cells<'a> {
    /// Name of the sheet.
    pub(super) sheet: &'a str,
    /// The table itself, or what stands beside it.
    pub(super) table: &'a Table,
    /// Its first column.
    pub(super) first: u16,
}

/// The picture of shares: Excel draws what is below zero as if it were above, and as many slices as there are rows, so it is given
/// those of the picture. `None` of other kinds.
pub(super) fn shares(kind: ChartKind, table: &Table, currency: &str) -> Option<ReportChart> {
    matches!(kind, ChartKind::Pie | ChartKind::Donut)
        .then(|| ReportChart::of(kind, table, &Words::english("", currency)))
}

/// What has to stand beside the table so that a chart of the kind can be drawn; `None` where its own cells do.
pub(super) fn beside(kind: ChartKind, table: &Table, shares: Option<&ReportChart>) -> Option<Table> {
    if let Some(shares) = shares {
        return slices(table, shares);
    }
    match kind {
        ChartKind::HeatMap => Some(grid(table)),
        ChartKind::Funnel => Some(steps(table)),
        _ if table.dimensions() > 1 => Some(split(table)),
        _ => None,
    }
}

/// The first dimension downwards, a column for each value of the second.
fn split(table: &Table) -> Table {
    let dimensions = table.dimensions();
    let measures = &table.columns[dimensions..];
    let mut series: Vec<(String, usize)> = Vec::new();
    let mut places: HashMap<(String, usize), usize> = HashMap::new();
    let mut lines: Vec<(Cell, HashMap<usize, Cell>)> = Vec::new();
    let mut line_of: HashMap<String, usize> = HashMap::new();
    for row in &table.rows {
        let [along, by, ..] = row.as_slice() else { continue };
        let line = *line_of.entry(format!("{along:?}")).or_insert_with(|| {
            lines.push((along.clone(), HashMap::new()));
            lines.len() - 1
        });
        for (measure, cell) in row.iter().skip(dimensions).enumerate() {
            let name = name_of(by, table.columns[1].kind);
            let place = *places.entry((name.clone(), measure)).or_insert_with(|| {
                series.push((name, measure));
                series.len() - 1
            });
            lines[line].1.insert(place, cell.clone());
        }
    }
    let columns = series.iter().map(|(name, measure)| {
        let Some(column) = measures.get(*measure) else { return table.columns[0].clone() };
        // What is compared has the same name twice.
        let label = if *measure == 0 { name.clone() } else { format!("{name}, {}", column.label) };
        Column { label, ..column.clone() }
    });
    let columns: Vec<Column> = std::iter::once(table.columns[0].clone()).chain(columns).collect();
    let rows = lines.into_iter().map(|(along, mut cells)| {
        let values = (0..series.len()).map(|place| cells.remove(&place).unwrap_or(Cell::Missing));
        std::iter::once(along).chain(values).collect()
    });
    of_rows(columns, rows.collect())
}

/// A row for each slice of the picture; `None` where these are the rows of the table.
fn slices(table: &Table, shares: &ReportChart) -> Option<Table> {
    if !shares.rest.category && shares.categories.len() == table.rows.len() {
        return None;
    }
    let name = Column { kind: Kind::Text, ..table.columns.first()?.clone() };
    let measure = table.columns.iter().find(|column| column.kind.is_number())?.clone();
    let values = shares.series.first().map_or(&[][..], |series| &series.values);
    let rows = shares.categories.iter().zip(values).map(|(name, value)| {
        let value = value.and_then(|value| Decimal::try_from(value).ok());
        vec![Cell::Text(name.clone()), value.map_or(Cell::Missing, Cell::Number)]
    });
    Some(of_rows(vec![name, measure], rows.collect()))
}

/// Weekdays downwards, hours to the right: all of them, also those in which nothing is known.
fn grid(table: &Table) -> Table {
    let measure = table.columns.get(2);
    let kind = measure.map_or(Kind::Number(Unit::Count), |column| column.kind);
    let key = measure.map_or("", |column| column.key.as_str());
    let hours = (0..24).map(|hour| Column { key: key.into(), label: hour.to_string(), kind });
    let weekday = Column { key: "weekday".into(), label: "Weekday".into(), kind: Kind::Weekday };
    let mut rows: Vec<Vec<Cell>> = (0..7)
        .map(|weekday| std::iter::once(Cell::Ordinal(weekday)).chain(std::iter::repeat_n(Cell::Missing, 24)).collect())
        .collect();
    for row in &table.rows {
        if let [Cell::Ordinal(weekday), Cell::Ordinal(hour), value, ..] = row.as_slice()
            && let Some(place) = rows.get_mut(usize::from(*weekday)).and_then(|row| row.get_mut(usize::from(*hour) + 1))
        {
            *place = value.clone();
        }
    }
    of_rows(std::iter::once(weekday).chain(hours).collect(), rows)
}

/// A row for each measure, beside it what it is compared with.
fn steps(table: &Table) -> Table {
    let is_previous = |column: &Column| column.key.ends_with("_previous");
    let is_compared = table.columns.iter().any(is_previous);
    let kind = table.columns.first().map_or(Kind::Number(Unit::Count), |column| column.kind);
    let column = |key: &str, label: &str, kind| Column { key: key.into(), label: label.into(), kind };
    let mut columns = vec![column("step", "Step", Kind::Text), column("value", "Value", kind)];
    if is_compared {
        columns.push(column("value_previous", "Previous", kind));
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let value = table.rows.first().and_then(|row| row.get(index)).cloned().unwrap_or(Cell::Missing);
        match rows.last_mut() {
            Some(step) if is_previous(column) => step.push(value),
            _ => rows.push(vec![Cell::Text(column.label.clone()), value]),
        }
    }
    of_rows(columns, rows)
}

fn of_rows(columns: Vec<Column>, rows: Vec<Vec<Cell>>) -> Table {
    Table { columns, of_rows: rows.len() as u64, rows, totals: None, whole: None, notes: Vec::new() }
}

/// A value as the name of a series.
fn name_of(cell: &Cell, kind: Kind) -> String {
    match cell {
        Cell::Missing => "—".into(),
        Cell::Text(text) => text.clone(),
        Cell::Day(day) if kind == Kind::Month => day.format("%b %Y").to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Instant(at) => at.to_rfc3339(),
        Cell::Ordinal(number) if kind == Kind::Weekday => {
            crate::words::weekday(*number).map_or_else(|| number.to_string(), str::to_owned)
        }
        Cell::Ordinal(number) => number.to_string(),
        Cell::Number(value) => value.to_string(),
    }
}

/// Earlier values beside later ones are a comparison; on top of them, or as shares, they would be a sum of two periods.
const fn shows_previous(kind: ChartKind) -> bool {
    matches!(kind, ChartKind::Line | ChartKind::Bar | ChartKind::Funnel)
}

/// What the cells hold and Excel's chart of them does not show, in sentences that stand above it. `drawn` are the cells that it is
/// drawn from.
pub(super) fn left_out(kind: ChartKind, table: &Table, drawn: &Table, shares: Option<&ReportChart>) -> Option<String> {
    if let Some(shares) = shares {
        return (!shares.notes.is_empty()).then(|| shares.notes.join(" "));
    }
    let mut sentences = Vec::new();
    if kind != ChartKind::HeatMap && !shows_previous(kind) && has_previous(table) {
        sentences.push("Earlier values are not drawn; they stand in the cells.".to_owned());
    }
    if lies_below(kind, drawn) {
        sentences.push("Values below zero cannot lie on each other, so they are drawn as lines.".to_owned());
    }
    if table.is_cut() {
        sentences.push(showing(table));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Columns that become series.
fn series(kind: ChartKind, table: &Table) -> Vec<usize> {
    (table.dimensions()..table.columns.len())
        .filter(|&index| shows_previous(kind) || !table.columns[index].key.ends_with("_previous"))
        .collect()
}

/// Whether areas would lie on each other of which some are below zero: Excel would take these off the others.
fn lies_below(kind: ChartKind, table: &Table) -> bool {
    let series = series(kind, table);
    let is_below = |row: &Vec<Cell>| {
        series.iter().any(|&index| matches!(row.get(index), Some(Cell::Number(value)) if *value < Decimal::ZERO))
    };
    kind == ChartKind::Area && series.len() > 1 && table.rows.iter().any(is_below)
}

fn has_previous(table: &Table) -> bool {
    table.columns.iter().any(|column| column.key.ends_with("_previous"))
}

/// Draws the chart beside its cells. The sentence says what of them it does not show.
pub(super) fn draw(
    sheet: &mut Worksheet,
    kind: ChartKind,
    title: &str,
    cells: &Cells<'_>,
) -> Result<Option<String>, XlsxError> {
    let table = cells.table;
    let last = row_number(table.rows.len());
    if last == 0 {
        return Ok(None);
    }
    if kind == ChartKind::HeatMap {
        let scale = ConditionalFormat2ColorScale::new().set_minimum_color(SCALE.0).set_maximum_color(SCALE.1);
        sheet.add_conditional_format(1, cells.first + 1, last, cells.first + 24, &scale)?;
        return Ok(None);
    }
    let mut series = series(kind, table);
    if matches!(kind, ChartKind::Pie | ChartKind::Donut) {
        series.truncate(1);
    }
    let all = series.len();
    series.truncate(MOST_SERIES);

    let mut chart = Chart::new(match kind {
        ChartKind::Line => ChartType::Line,
        ChartKind::Area if lies_below(kind, table) => ChartType::Line,
        ChartKind::Area if all > 1 => ChartType::AreaStacked,
        ChartKind::Area => ChartType::Area,
        ChartKind::StackedBar => ChartType::ColumnStacked,
        ChartKind::Pie => ChartType::Pie,
        ChartKind::Donut => ChartType::Doughnut,
        ChartKind::Funnel => ChartType::Bar,
        ChartKind::Bar | ChartKind::HeatMap => ChartType::Column,
    });
    for &index in &series {
        let column = cells.first + column_number(index);
        let one = chart.add_series();
        one.set_categories((cells.sheet, 1, cells.first, last, cells.first))
            .set_values((cells.sheet, 1, column, last, column))
            .set_name((cells.sheet, 0, column));
        if matches!(kind, ChartKind::Pie | ChartKind::Donut) {
            one.set_data_label(ChartDataLabel::new().show_percentage());
        }
    }
    // A title could be read as a reference to cells, so it stands above the chart and not in it.
    chart.title().set_hidden();
    chart.set_alt_text(format!("{title}: a chart of the cells beside it"));
    chart.set_width(SIZE.0).set_height(SIZE.1);
    chart.show_empty_cells_as(ChartEmptyCells::Gaps);
    // Rows that a filter hides stay in the chart, which stands for the report and not for the filter.
    chart.show_hidden_data();
    if series.len() > 1 || matches!(kind, ChartKind::Pie | ChartKind::Donut) {
        chart.legend().set_position(ChartLegendPosition::Bottom);
    } else {
        chart.legend().set_hidden();
    }
    match kind {
        ChartKind::Pie | ChartKind::Donut => {}
        ChartKind::Funnel => {
            // The axes of a bar chart are those of a column chart that was turned, so its steps stand on the vertical one.
            chart.y_axis().set_reverse();
        }
        // Days are drawn at their distances; weeks and months would become thin bars there, and what is ordered by a measure would change its order.
        _ if table.columns[0].kind == Kind::Day && is_ascending(table) => {
            chart.x_axis().set_date_axis(true).set_num_format("yyyy-mm-dd");
        }
        _ => {
            chart.x_axis().set_text_axis(true);
        }
    }
    let beside = cells.first + column_number(table.columns.len() + 1);
    sheet.insert_chart(1, beside, &chart)?;
    Ok((all > MOST_SERIES).then(|| {
        format!(
            "“{title}”: Excel draws {MOST_SERIES} series in a chart; the other {} stand in its cells.",
            all - MOST_SERIES
        )
    }))
}

fn is_ascending(table: &Table) -> bool {
    table.rows.windows(2).all(|pair| match (&pair[0][..], &pair[1][..]) {
        ([Cell::Day(left), ..], [Cell::Day(right), ..]) => left < right,
        _ => false,
    })
}

/// The column in which a chart's title stands.
pub(super) fn title_at(cells: &Cells<'_>) -> u16 {
    cells.first + column_number(cells.table.columns.len() + 1)
}
