//! What has changed since a run was made: the same report is made of the facts as they are now, and compared cell by cell. Runs on
//! the server only.

use std::collections::{BTreeSet, HashMap};

use rtv_core::Error;
use rtv_core::filter::PageFilter;
use rtv_core::report::{Cell, Filled, FilledBlock, FilledContent, Metric, Table};
use rtv_domain::TenantContext;
use rtv_domain::format::{Format, MISSING};
use rtv_domain::report::{self, Asked, Run, Shown};

/// Rows of a run that are compared one by one while a page is made; of a longer one, figures, totals and numbers of rows are.
const MOST_COMPARED: usize = 5_000;

/// So many rows of a table are named; the others are counted.
const NAMED: usize = 3;

/// What the same report would say now, figure by figure and row by row. `None` where it cannot be looked at: what it was narrowed to
/// is gone, or whoever looks sees other figures than its author did.
pub(super) async fn since(
    ctx: &TenantContext,
    run: &Run,
    then: &Filled,
    path: &str,
) -> Result<Option<Vec<String>>, Error> {
    let definition = report::version(ctx, run.report, run.version).await?;
    let parameters = PageFilter::from_query(&run.parameters)?;
    let rows: usize = then.tables().map(|table| table.rows.len()).sum();
    let by_rows = rows <= MOST_COMPARED;
    let asked = Asked {
        parameters: &parameters,
        version: u32::try_from(run.version).ok(),
        // All rows that the run has are compared, and no others.
        shown: if by_rows { Shown::AsDefined } else { Shown::AtMost(1) },
        address: path,
    };
    let now = match report::fill(&run.as_made(ctx), &definition, &asked).await {
        Ok(now) => now,
        // An account, a campaign or a team that it names is gone, or whoever looks sees no figures.
        Err(Error::Invalid(_) | Error::Forbidden(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    if now.filters != then.filters {
        return Ok(None);
    }
    let format = Format::of(ctx.tenant());
    let mut changed = differences(&format, then, &now, by_rows);
    if !by_rows {
        let most = format.count(i64::try_from(MOST_COMPARED).unwrap_or(i64::MAX));
        changed
            .push(format!("It has more than {most} rows, so only figures, totals and numbers of rows are compared."));
    }
    Ok(Some(changed))
}

fn blocks(filled: &Filled) -> impl Iterator<Item = &FilledBlock> {
    filled.sections.iter().flat_map(|section| &section.blocks)
}

/// What is different, in sentences.
fn differences(format: &Format, then: &Filled, now: &Filled, by_rows: bool) -> Vec<String> {
    let mut changed = Vec::new();
    if then.zone != now.zone {
        changed.push(format!("Days were counted in {} then, and are in {} now.", then.zone, now.zone));
    }
    for (was, is) in blocks(then).zip(blocks(now)) {
        match (&was.content, &is.content) {
            (FilledContent::Metric(before), FilledContent::Metric(after)) => {
                changed.extend(of_metric(format, before, after));
            }
            (
                FilledContent::Table(before) | FilledContent::Chart { table: before, .. },
                FilledContent::Table(after) | FilledContent::Chart { table: after, .. },
            ) => changed.extend(of_table(format, &was.title, before, after, by_rows)),
            (before, after) if before == after => {}
            (FilledContent::Refused(_), FilledContent::Refused(why)) => {
                changed.push(format!("{}: it still cannot be filled, for another reason. {why}", was.title));
            }
            (FilledContent::Refused(_), _) => changed.push(format!("{}: it can be filled now.", is.title)),
            (_, FilledContent::Refused(why)) => changed.push(format!("{}: it cannot be filled now. {why}", was.title)),
            _ => changed.push(format!("{}: it is something else now.", was.title)),
        }
    }
    // A chart and the table beside it say the same.
    let mut told = BTreeSet::new();
    changed.retain(|line| told.insert(line.clone()));
    changed
}

fn of_metric(format: &Format, before: &Metric, after: &Metric) -> Vec<String> {
    let pairs = [(before.value, after.value, ""), (before.previous, after.previous, ", before")];
    pairs
        .into_iter()
        .filter(|(was, is, _)| was != is)
        .map(|(was, is, which)| {
            let words =
                |value: Option<_>| value.map_or_else(|| MISSING.to_owned(), |value| format.exact(before.unit, value));
            format!("{}{which}: {} then, {} now.", before.label, words(was), words(is))
        })
        .collect()
}

fn of_table(format: &Format, title: &str, before: &Table, after: &Table, by_rows: bool) -> Vec<String> {
    let keys = |table: &Table| table.columns.iter().map(|column| column.key.clone()).collect::<Vec<_>>();
    if keys(before) != keys(after) {
        return vec![format!("{title}: it has other columns now.")];
    }
    let mut changed = Vec::new();
    if before.of_rows != after.of_rows {
        let count = |number: u64| format.count(i64::try_from(number).unwrap_or(i64::MAX));
        changed.push(format!("{title}: {} rows then, {} now.", count(before.of_rows), count(after.of_rows)));
    }
    if let (Some(was), Some(is)) = (&before.totals, &after.totals) {
        for ((column, was), is) in before.columns.iter().zip(was).zip(is).filter(|((_, was), is)| was != is) {
            let words = |cell| format.cell(column.kind, cell);
            changed.push(format!("{title}, {} in total: {} then, {} now.", column.label, words(was), words(is)));
        }
    }
    if by_rows && before.rows != after.rows {
        changed.extend(of_rows(format, title, before, after));
    }
    changed
}

/// Rows of which one table has another version, or that one of them has alone.
struct Rows<'a> {
    differing: Vec<(&'a [Cell], &'a [Cell])>,
    added: Vec<&'a [Cell]>,
    removed: Vec<&'a [Cell]>,
}

/// Pairs rows: first those that are the same in every cell, then those of the same dimensions.
fn paired<'a>(dimensions: usize, before: &'a Table, after: &'a Table) -> Rows<'a> {
    let mut same: HashMap<String, usize> = HashMap::new();
    for row in &after.rows {
        *same.entry(format!("{row:?}")).or_default() += 1;
    }
    let mut take = |row: &Vec<Cell>| match same.get_mut(&format!("{row:?}")) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    let mut gone: Vec<&'a [Cell]> = before.rows.iter().filter(|row| !take(row)).map(Vec::as_slice).collect();
    // What is left of each kind was not there before.
    let mut new: HashMap<String, Vec<(usize, &'a [Cell])>> = HashMap::new();
    for (place, row) in after.rows.iter().enumerate().rev() {
        if take(row) {
            new.entry(format!("{:?}", &row[..dimensions])).or_default().push((place, row));
        }
    }
    let mut differing = Vec::new();
    gone.retain(|row| match new.get_mut(&format!("{:?}", &row[..dimensions])).and_then(Vec::pop) {
        Some((_, now)) => {
            // A figure that is only written in another way is the same one.
            if *row != now {
                differing.push((*row, now));
            }
            false
        }
        None => true,
    });
    let mut added: Vec<(usize, &'a [Cell])> = new.into_values().flatten().collect();
    added.sort_unstable_by_key(|(place, _)| *place);
    Rows { differing, added: added.into_iter().map(|(_, row)| row).collect(), removed: gone }
}

fn of_rows(format: &Format, title: &str, before: &Table, after: &Table) -> Vec<String> {
    let dimensions = before.columns.iter().position(|column| column.kind.is_number()).unwrap_or(before.columns.len());
    let Rows { differing, added, removed } = paired(dimensions, before, after);
    let count = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 row {one}")),
        _ => Some(format!("{} rows {many}", format.count(i64::try_from(number).unwrap_or(i64::MAX)))),
    };
    let counted: Vec<String> = [
        count(differing.len(), "has other figures", "have other figures"),
        count(added.len(), "was added", "were added"),
        count(removed.len(), "was removed", "were removed"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if counted.is_empty() {
        let is_ordered_alike = before.rows == after.rows;
        return if is_ordered_alike {
            Vec::new()
        } else {
            vec![format!("{title}: its rows stand in another order now.")]
        };
    }
    let mut lines = vec![format!("{title}: {}.", counted.join(", "))];
    let name = |row: &[Cell]| {
        let words =
            before.columns.iter().zip(row).take(dimensions).map(|(column, cell)| format.cell(column.kind, cell));
        let name = words.collect::<Vec<_>>().join(", ");
        if name.is_empty() { "its row".to_owned() } else { short(&name) }
    };
    lines.extend(differing.iter().take(NAMED).map(|(was, is)| {
        let cells = before.columns.iter().zip(was.iter().zip(is.iter())).filter(|(_, (was, is))| was != is);
        let words = cells.map(|(column, (was, is))| {
            format!("{} {} then, {} now", column.label, format.cell(column.kind, was), format.cell(column.kind, is))
        });
        format!("{title}, {}: {}.", name(was), words.collect::<Vec<_>>().join("; "))
    }));
    let left = NAMED.saturating_sub(differing.len());
    lines.extend(added.iter().take(left).map(|row| format!("{title}, {}: added.", name(row))));
    let left = left.saturating_sub(added.len());
    lines.extend(removed.iter().take(left).map(|row| format!("{title}, {}: removed.", name(row))));
    lines
}

/// The beginning of what a post says is enough to know it by.
fn short(name: &str) -> String {
    const MOST: usize = 80;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let start: String = name.chars().take(MOST).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
pub(super) mod tests {
    use rtv_core::kpi::Unit;
    use rtv_core::report::{Column, Kind};
    use rtv_core::{Plan, TenantId, TenantStatus};
    use rtv_domain::Tenant;

    use super::*;

    /// A tenant that writes English.
    pub(in crate::report) fn tenant() -> Tenant {
        Tenant {
            id: TenantId::OPERATOR,
            slug: "acme".parse().unwrap(),
            name: "Acme".into(),
            plan: Plan::Free,
            status: TenantStatus::Active,
            status_reason: None,
            is_house: false,
            zone: chrono_tz::UTC,
            locale: "en-GB".into(),
            currency: "EUR".into(),
            week_start: 0,
            brand: None,
            has_sample_data: false,
            mfa_required: false,
            session_timeout: rtv_domain::session::IDLE,
            ip_ranges: Vec::new(),
            over_limits: Vec::new(),
            is_sandbox: false,
            logo: None,
        }
    }

    fn format() -> Format {
        Format::of(&tenant())
    }

    fn column(key: &str, kind: Kind) -> Column {
        Column { key: key.into(), label: key.into(), kind }
    }

    fn table(rows: &[(&str, i64)]) -> Table {
        Table {
            columns: vec![column("platform", Kind::Text), column("reach", Kind::Number(Unit::Count))],
            rows: rows
                .iter()
                .map(|(name, reach)| vec![Cell::Text((*name).into()), Cell::Number((*reach).into())])
                .collect(),
            totals: None,
            of_rows: u64::try_from(rows.len()).unwrap(),
            whole: None,
            notes: Vec::new(),
        }
    }

    fn told(before: &[(&str, i64)], after: &[(&str, i64)]) -> Vec<String> {
        let format = format();
        of_table(&format, "Platforms", &table(before), &table(after), true)
    }

    #[test]
    fn rows_that_differ_are_counted_and_named_also_where_nothing_else_does() {
        assert_eq!(told(&[("a", 1), ("b", 2)], &[("a", 1), ("b", 2)]), Vec::<String>::new());
        assert_eq!(
            told(&[("a", 1), ("b", 2)], &[("a", 2), ("b", 1)]),
            [
                "Platforms: 2 rows have other figures.",
                "Platforms, a: reach 1 then, 2 now.",
                "Platforms, b: reach 2 then, 1 now."
            ]
        );
        assert_eq!(
            told(&[("a", 1), ("b", 2)], &[("c", 3), ("a", 1)]),
            ["Platforms: 1 row was added, 1 row was removed.", "Platforms, c: added.", "Platforms, b: removed."]
        );
        assert_eq!(
            told(&[("a", 1), ("b", 2)], &[("b", 2), ("a", 1)]),
            ["Platforms: its rows stand in another order now."]
        );
    }

    #[test]
    fn rows_of_the_same_name_are_paired_once_each_and_only_a_few_are_named() {
        assert_eq!(
            told(&[("a", 1), ("a", 1), ("a", 2)], &[("a", 1), ("a", 2), ("a", 3)]),
            ["Platforms: 1 row has other figures.", "Platforms, a: reach 1 then, 3 now."]
        );
        let many = |add: i64| ["a", "b", "c", "d", "e"].map(|name| (name, add));
        let lines = told(&many(1), &many(2));
        assert_eq!((lines.len(), lines[0].as_str()), (1 + NAMED, "Platforms: 5 rows have other figures."));
    }

    #[test]
    fn the_earlier_value_of_a_figure_is_compared_too() {
        let metric = |value: i64, previous: i64| Metric {
            key: "reach".into(),
            label: "Reach".into(),
            unit: Unit::Count,
            value: Some(value.into()),
            previous: Some(previous.into()),
            is_compared: true,
            compared_with: None,
            remarks: Vec::new(),
            up_is_good: Some(true),
            note: None,
        };
        let format = format();
        assert_eq!(of_metric(&format, &metric(1, 2), &metric(1, 3)), ["Reach, before: 2 then, 3 now."]);
    }
}
