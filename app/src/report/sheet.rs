//! A filled report as sheets of paper on the page: what the PDF holds, from the same typed result. Paper is white in the dark, too.

use leptos::prelude::*;
use rtv_core::period::Period;
use rtv_core::report::{Cell, Column, Filled, FilledBlock, FilledContent, Metric, Table};
use rtv_domain::format::{Format, MISSING, machine};
use rtv_ui::Disclosure;

/// Rows of a table that a page shows: it is no place for thousands.
pub(super) const SHOWN_ROWS: u32 = 50;

/// What sheets need to know beside the report.
pub(super) struct Around {
    pub(super) tenant: rtv_domain::Tenant,
    pub(super) format: Format,
    /// Address that charts stand below: `{charts}/{block}?{query}`.
    pub(super) charts: String,
    pub(super) query: String,
    /// The part that is being worked at, and the address at which parts are chosen.
    pub(super) chosen: Option<(Option<u32>, String)>,
}

/// The sheets.
pub(super) fn sheets(filled: &Filled, around: &Around) -> AnyView {
    let format = &around.format;
    let head = head(filled, format);
    let sections = filled
        .sections
        .iter()
        .map(|section| {
            let title =
                (!section.title.is_empty()).then(|| view! { <h2 class="c-sheet__title">{section.title.clone()}</h2> });
            let nothing =
                section.blocks.is_empty().then(|| view! { <p class="c-sheet__empty">"This section is empty."</p> });
            let blocks = grouped(&section.blocks)
                .into_iter()
                .map(|group| match group {
                    Group::Metrics(metrics) => {
                        let remarks = Metric::remarks_of(metrics.iter().map(|(_, one)| *one));
                        let remarks = (!remarks.is_empty()).then(|| {
                            let each = remarks.into_iter().map(|one| view! { <p class="c-sheet__note">{one}</p> });
                            view! { <div class="c-sheet__remarks">{each.collect_view()}</div> }
                        });
                        let tiles = metrics
                            .into_iter()
                            .map(|(block, one)| chosen(block, around, tile(block, one, filled.previous, format)))
                            .collect_view();
                        view! {
                            <div class="c-sheet__metrics">{tiles}</div>
                            {remarks}
                        }
                        .into_any()
                    }
                    Group::Block(one) => chosen(one, around, block(one, around)),
                })
                .collect_view();
            view! {
                <section class="c-sheet" id=format!("part-{}", section.id)>
                    {title}
                    {nothing}
                    {blocks}
                    <p class="c-sheet__foot" aria-hidden="true">{foot(filled, format)}</p>
                </section>
            }
        })
        .collect_view();
    view! {
        <div class="c-sheets" data-report="">
            <section class="c-sheet" data-cover="">{head}</section>
            {sections}
            <section class="c-sheet">{appendix(filled)}</section>
        </div>
    }
    .into_any()
}

fn foot(filled: &Filled, format: &Format) -> String {
    format!("{} · {} · {}", filled.tenant, filled.name, format.period(filled.period))
}

fn head(filled: &Filled, format: &Format) -> AnyView {
    let previous =
        filled.previous.map(|previous| format!(", compared with {}", format.period(previous))).unwrap_or_default();
    let description =
        (!filled.description.is_empty()).then(|| view! { <p class="c-sheet__lead">{filled.description.clone()}</p> });
    let mut facts = vec![
        ("Period".to_owned(), format!("{}{previous}", format.period(filled.period))),
        ("Zone".to_owned(), filled.zone.name().to_owned()),
        ("Data as of".to_owned(), filled.as_of.map_or_else(|| MISSING.to_owned(), |at| format.instant(at))),
    ];
    if let Some(version) = filled.version {
        facts.push(("Version".to_owned(), version.to_string()));
    }
    facts.extend(
        filled
            .filters
            .iter()
            .filter_map(|one| one.split_once(": ").map(|(what, names)| (what.to_owned(), names.to_owned()))),
    );
    let facts =
        facts.into_iter().map(|(term, value)| view! { <div><dt>{term}</dt><dd>{value}</dd></div> }).collect_view();
    view! {
        <p class="c-sheet__tenant">{filled.tenant.clone()}</p>
        <h2 class="c-sheet__name">{filled.name.clone()}</h2>
        {description}
        <dl class="c-sheet__facts">{facts}</dl>
    }
    .into_any()
}

fn appendix(filled: &Filled) -> AnyView {
    let notes = filled.notes.iter().map(|note| view! { <li>{note.clone()}</li> }).collect_view();
    let meanings = filled
        .meanings
        .iter()
        .map(|one| view! { <div><dt>{one.label.clone()}</dt><dd>{one.definition.clone()}</dd></div> })
        .collect_view();
    let definitions = (!filled.meanings.is_empty()).then(|| {
        view! {
            <h3 class="c-sheet__subtitle">"What the figures mean"</h3>
            <dl class="c-sheet__meanings">{meanings}</dl>
        }
    });
    view! {
        <h2 class="c-sheet__title">"How to read this"</h2>
        <ul class="c-sheet__notes">{notes}</ul>
        {definitions}
    }
    .into_any()
}

enum Group<'a> {
    /// Figures that stand beside each other.
    Metrics(Vec<(&'a FilledBlock, &'a Metric)>),
    Block(&'a FilledBlock),
}

/// Figures that follow each other share a row.
fn grouped(blocks: &[FilledBlock]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for block in blocks {
        match (&block.content, groups.last_mut()) {
            (FilledContent::Metric(metric), Some(Group::Metrics(metrics))) => metrics.push((block, metric)),
            (FilledContent::Metric(metric), _) => groups.push(Group::Metrics(vec![(block, metric)])),
            _ => groups.push(Group::Block(block)),
        }
    }
    groups
}

/// A part that can be chosen to be worked at.
fn chosen(block: &FilledBlock, around: &Around, inside: AnyView) -> AnyView {
    let id = block.id;
    let link = around.chosen.as_ref().map(|(_, path)| {
        view! { <a class="c-sheet__pick" href=format!("{path}part={id}") aria-label=format!("Change {}", block.title)></a> }
    });
    let is_chosen = around.chosen.as_ref().is_some_and(|(chosen, _)| *chosen == Some(id));
    view! {
        <div class="c-sheet__block" id=format!("part-{id}") data-block=id data-chosen=is_chosen.then_some("true")>
            {inside}
            {link}
        </div>
    }
    .into_any()
}

fn block(block: &FilledBlock, around: &Around) -> AnyView {
    let title = (!block.title.is_empty()).then(|| view! { <h3 class="c-sheet__subtitle">{block.title.clone()}</h3> });
    let inside = match &block.content {
        FilledContent::Text(text) => paragraphs(text),
        FilledContent::Metric(metric) => tile(block, metric, None, &around.format),
        FilledContent::Refused(reason) => {
            view! { <p class="c-sheet__refused" role="note">{reason.clone()}</p> }.into_any()
        }
        FilledContent::Table(one) => beginning(one, &around.format),
        FilledContent::Chart { kind, table: one } => {
            let src = if around.query.is_empty() {
                format!("{}/{}", around.charts, block.id)
            } else {
                format!("{}/{}?{}", around.charts, block.id, around.query)
            };
            let alt = format!("{}: {}", block.title, summary(one, &around.format));
            // The picture comes from all rows, and so does what is said of it; the table below it alone is shortened.
            let figures = beginning(one, &around.format);
            let notes = super::chart::chart(&around.tenant, &block.title, *kind, one).notes;
            let notes = (!notes.is_empty()).then(|| {
                let notes = notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view();
                view! { <ul class="c-sheet__notes">{notes}</ul> }
            });
            let assets = expect_context::<crate::request::Assets>();
            let option = format!("{src}{}as=option", if src.contains('?') { '&' } else { '?' });
            view! {
                <div class="c-chart__canvas">
                    <div class="c-chart__picture">
                        <img class="c-sheet__chart" src=src alt=alt width="640" height="280" loading="lazy" />
                    </div>
                    // A sheet is paper, light on every screen.
                    <div
                        class="c-chart__live"
                        hidden
                        data-chart=option
                        data-theme="light"
                        data-module=assets.chart_js
                        data-echarts=assets.echarts
                    ></div>
                </div>
                {notes}
                <Disclosure summary="Figures of this chart">{figures}</Disclosure>
            }
            .into_any()
        }
    };
    view! {
        {title}
        {inside}
    }
    .into_any()
}

/// What a chart shows, for people who cannot see it: where it begins and ends.
fn summary(table: &Table, format: &Format) -> String {
    let Some(number) = table.columns.iter().position(|column| column.kind.is_number()) else { return String::new() };
    let column = &table.columns[number];
    let words = |row: &Vec<Cell>| {
        let name = (0..number).map(|at| text(format, &table.columns[at], &row[at])).collect::<Vec<_>>().join(", ");
        format!("{name} {}", text(format, column, &row[number]))
    };
    match (table.rows.first(), table.rows.last()) {
        (Some(first), Some(last)) if table.rows.len() > 1 => {
            format!("{} in {} rows, from {} to {}.", column.label, table.rows.len(), words(first), words(last))
        }
        (Some(only), _) => format!("{} {}.", column.label, words(only)),
        _ => "nothing in this period.".into(),
    }
}

fn paragraphs(words: &str) -> AnyView {
    words
        .replace("\r\n", "\n")
        .split("\n\n")
        .filter(|one| !one.trim().is_empty())
        .map(|one| view! { <p class="c-sheet__text">{one.trim().to_owned()}</p> })
        .collect_view()
        .into_any()
}

fn tile(block: &FilledBlock, metric: &Metric, previous: Option<Period>, format: &Format) -> AnyView {
    let value = metric.value.map_or_else(|| MISSING.to_owned(), |value| format.exact(metric.unit, value));
    let change = rtv_domain::report::change(format, metric, previous).map(|change| {
        let tone = change.is_better.map(|is_better| if is_better { "good" } else { "bad" });
        let words = if change.text.is_empty() { change.words } else { format!(" {}", change.words) };
        view! { <p class="c-sheet__change" data-tone=tone>{change.text}<span class="c-sheet__before">{words}</span></p> }
    });
    let note = metric.note.clone().map(|note| view! { <p class="c-sheet__note">{note}</p> });
    view! {
        <div class="c-sheet__metric" data-kpi=metric.key.clone() data-value=metric.value.map(machine).unwrap_or_default()>
            <h3 class="c-sheet__label">{block.title.clone()}</h3>
            <p class="c-sheet__value">{value}</p>
            {change}
            {note}
        </div>
    }
    .into_any()
}

/// The beginning of a table.
fn beginning(one: &Table, format: &Format) -> AnyView {
    let first = one.first(usize::try_from(SHOWN_ROWS).unwrap_or(usize::MAX));
    table(&first, format, &total_label(&first, format))
}

/// What the row of a table's totals is called.
pub(super) fn total_label(table: &Table, format: &Format) -> String {
    table.total_label(&|number| count(format, number))
}

fn count(format: &Format, number: u64) -> String {
    format.count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A table with its totals, called as it is said, and with what is left out.
fn table(table: &Table, format: &Format, total_label: &str) -> AnyView {
    if table.rows.is_empty() {
        return view! { <p class="c-sheet__empty">"Nothing in this period."</p> }.into_any();
    }
    let head = table
        .columns
        .iter()
        .map(|column| view! { <th scope="col" class:is-number=column.kind.is_number()>{column.label.clone()}</th> })
        .collect_view();
    let cells = |row: &[Cell], is_total: bool| {
        table
            .columns
            .iter()
            .zip(row)
            .enumerate()
            .map(|(index, (column, cell))| {
                let exact = match cell {
                    Cell::Number(value) => Some(machine(*value)),
                    _ => None,
                };
                let words = if is_total && index == 0 {
                    total_label.to_owned()
                } else {
                    cell_text(format, column, cell, is_total)
                };
                view! { <td class:is-number=column.kind.is_number() data-key=column.key.clone() data-value=exact>{words}</td> }
            })
            .collect_view()
    };
    let rows = table.rows.iter().map(|row| view! { <tr>{cells(row, false)}</tr> }).collect_view();
    let totals = table.totals.as_ref().map(|totals| view! { <tfoot><tr>{cells(totals, true)}</tr></tfoot> });
    let cut = table.is_cut().then(|| {
        let words = format!("Showing {} of {}.", count(format, table.rows.len() as u64), count(format, table.of_rows));
        let whole = table.whole.clone().map(|href| view! { " " <a href=href>"See the whole table"</a> });
        view! { <p class="c-sheet__note" data-cut=table.of_rows>{words}{whole}</p> }
    });
    let notes = table.notes.iter().map(|note| view! { <p class="c-sheet__note">{note.clone()}</p> }).collect_view();
    view! {
        <div class="c-sheet__scroll" tabindex="0" role="group" aria-label="Table">
            <table class="c-sheet__table">
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
                {totals}
            </table>
        </div>
        {cut}
        {notes}
    }
    .into_any()
}

/// Nothing stands in the totals of what is no figure.
fn cell_text(format: &Format, column: &Column, cell: &Cell, is_total: bool) -> String {
    if is_total && !column.kind.is_number() { String::new() } else { text(format, column, cell) }
}

fn text(format: &Format, column: &Column, cell: &Cell) -> String {
    format.cell(column.kind, cell)
}

/// A table on a sheet of its own; its totals are called so.
pub(super) fn alone(one: &Table, format: &Format, total_label: &str) -> AnyView {
    let inside = table(one, format, total_label);
    view! { <div class="c-sheets"><section class="c-sheet" data-wide="">{inside}</section></div> }.into_any()
}

#[cfg(test)]
mod tests {
    use rtv_core::kpi::Unit;
    use rtv_core::report::{ChartKind, Kind};

    use super::*;
    use crate::report::changed::tests::tenant;

    fn table_of(rows: u32) -> Table {
        let column = |key: &str, label: &str, kind| Column { key: key.into(), label: label.into(), kind };
        Table {
            columns: vec![
                column("account", "Account", Kind::Text),
                column("reach", "Summed reach", Kind::Number(Unit::Count)),
            ],
            rows: (1..=rows)
                .map(|number| vec![Cell::Text(format!("account {number}")), Cell::Number(number.into())])
                .collect(),
            totals: None,
            of_rows: rows.into(),
            whole: Some("/t/acme/reports/1/tables/2".into()),
            notes: Vec::new(),
        }
    }

    fn drawn(content: FilledContent) -> String {
        let tenant = tenant();
        let around = Around {
            format: Format::of(&tenant),
            tenant,
            charts: "/t/acme/reports/1/charts".into(),
            query: String::new(),
            chosen: None,
        };
        let assets = crate::request::Assets {
            js: String::new(),
            wasm: String::new(),
            css: String::new(),
            chart_js: String::new(),
            echarts: String::new(),
            favicon: String::new(),
        };
        Owner::new_root(None).with(|| {
            provide_context(assets);
            block(&FilledBlock { id: 2, title: "Reach".into(), content }, &around).to_html()
        })
    }

    #[test]
    fn what_is_said_of_a_chart_comes_from_all_rows_and_its_table_shows_the_beginning() {
        let html = drawn(FilledContent::Chart { kind: ChartKind::Bar, table: table_of(60) });
        assert!(html.contains("“Other” holds 49 of 60 (Account)."), "the note is the picture's: {html}");
        assert!(html.contains("Summed reach in 60 rows, from account 1 1 to account 60 60."), "the words too: {html}");
        assert_eq!(html.matches("<tr>").count(), 1 + 50, "the headings and the first rows: {html}");
        assert_eq!(html.matches("Showing 50 of 60.").count(), 1, "said of the table alone: {html}");
        assert!(html.contains("href=\"/t/acme/reports/1/tables/2\""), "{html}");
    }

    #[test]
    fn totals_of_more_rows_than_are_shown_say_so() {
        let totalled = |rows: u32| {
            let totals = Some(vec![Cell::Missing, Cell::Number(9.into())]);
            drawn(FilledContent::Table(Table { totals, ..table_of(rows) }))
        };
        let (all, beginning) = (totalled(50), totalled(1_200));
        assert!(all.contains(">Total<"), "{all}");
        assert!(beginning.contains(">Total of all 1,200<"), "{beginning}");
        assert!(!beginning.contains(">Total<"), "{beginning}");
    }

    #[test]
    fn a_page_shows_the_beginning_of_a_table_and_a_short_one_whole() {
        let long = drawn(FilledContent::Table(table_of(51)));
        assert_eq!((long.matches("<tr>").count(), long.contains("Showing 50 of 51.")), (1 + 50, true), "{long}");
        let short = drawn(FilledContent::Table(table_of(50)));
        assert_eq!((short.matches("<tr>").count(), short.contains("Showing")), (1 + 50, false), "{short}");
    }
}
