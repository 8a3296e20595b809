//! How two versions of a report differ, part by part, in words.

use rtv_core::report::{Block, Content, Definition, Query, Section, Sort};

/// How a part differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is only in the newer one.
    Added(String),
    /// It is only in the older one.
    Removed(String),
    /// It stands elsewhere.
    Moved(String),
    /// What of it changed: its name, what it was, what it is.
    Changed(String, String, String),
}

/// How the newer of two versions differs from the older. Nothing is said of equal ones, and something of all others.
pub fn compare(older: &Definition, newer: &Definition) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut changed = |what: &str, was: &str, is: &str| {
        if was != is {
            differences.push(Difference::Changed(what.to_owned(), was.to_owned(), is.to_owned()));
        }
    };
    changed("Name", &older.name, &newer.name);
    changed("Description", &older.description, &newer.description);
    changed("Parameters", &older.parameters, &newer.parameters);
    for section in &newer.sections {
        match older.section(section.id) {
            Some(was) if was.title != section.title => {
                differences.push(Difference::Changed(section_name(section), was.title.clone(), section.title.clone()));
            }
            Some(_) => {}
            None => differences.push(Difference::Added(section_name(section))),
        }
    }
    for section in older.sections.iter().filter(|one| newer.section(one.id).is_none()) {
        differences.push(Difference::Removed(section_name(section)));
    }
    for block in newer.blocks() {
        let Some(before) = older.block(block.id) else {
            differences.push(Difference::Added(block_name(block)));
            continue;
        };
        if before.title != block.title {
            let what = format!("Title of {}", block_name(block));
            differences.push(Difference::Changed(what, before.title.clone(), block.title.clone()));
        }
        if before.content != block.content {
            let (was, is) = (described(&before.content), described(&block.content));
            differences.push(Difference::Changed(block_name(block), was, is));
        }
    }
    for block in older.blocks().filter(|one| newer.block(one.id).is_none()) {
        differences.push(Difference::Removed(block_name(block)));
    }
    differences.extend(moved(older, newer));
    differences
}

fn section_name(section: &Section) -> String {
    name(&section.title, "Section")
}

fn block_name(block: &Block) -> String {
    name(&block.title, block.content.label())
}

fn name(title: &str, label: &str) -> String {
    if title.is_empty() { label.to_owned() } else { format!("{label} “{title}”") }
}

/// Sections in another order, and blocks in another section or in another order within theirs.
fn moved(older: &Definition, newer: &Definition) -> Vec<Difference> {
    let numbers = |definition: &Definition| definition.sections.iter().map(|one| one.id).collect::<Vec<_>>();
    let shifted = out_of_order(&numbers(older), &numbers(newer));
    let mut moved: Vec<Difference> = newer
        .sections
        .iter()
        .filter(|section| shifted.contains(&section.id))
        .map(|section| Difference::Moved(section_name(section)))
        .collect();
    for section in &newer.sections {
        let blocks = |section: &Section| section.blocks.iter().map(|one| one.id).collect::<Vec<_>>();
        let before = older.section(section.id).map(blocks).unwrap_or_default();
        let shifted = out_of_order(&before, &blocks(section));
        let is_moved = |block: &&Block| {
            shifted.contains(&block.id) || (!before.contains(&block.id) && older.block(block.id).is_some())
        };
        moved.extend(section.blocks.iter().filter(is_moved).map(|block| Difference::Moved(block_name(block))));
    }
    moved
}

/// The fewest of those in both lists that have to be moved to come from the one order to the other.
fn out_of_order(was: &[u32], is: &[u32]) -> Vec<u32> {
    let kept: Vec<(u32, usize)> =
        is.iter().filter_map(|id| was.iter().position(|one| one == id).map(|place| (*id, place))).collect();
    // The longest run that stands in the old order stays; a report has few parts.
    let mut longest: Vec<Vec<usize>> = Vec::new();
    for (index, (_, place)) in kept.iter().enumerate() {
        let before = (0..index).filter(|one| kept[*one].1 < *place).max_by_key(|one| longest[*one].len());
        let mut run = before.map(|one| longest[one].clone()).unwrap_or_default();
        run.push(index);
        longest.push(run);
    }
    let stays = longest.into_iter().max_by_key(Vec::len).unwrap_or_default();
    kept.iter().enumerate().filter(|(index, _)| !stays.contains(index)).map(|(_, (id, _))| *id).collect()
}

/// What a block shows, in a phrase that says all of it: two that differ are never described alike.
fn described(content: &Content) -> String {
    match content {
        Content::Text { text } => text.clone(),
        Content::Metric { query } => asked("Figure", query),
        Content::Chart { kind, query } => asked(&format!("{} chart", kind.label()), query),
        Content::Table { query, has_totals } => {
            format!("{}{}", asked("Table", query), if *has_totals { ", with totals" } else { "" })
        }
    }
}

fn asked(kind: &str, query: &Query) -> String {
    let Query { source, dimensions, measures, sort, limit, is_compared } = query;
    let measures = measures.iter().map(|one| one.label()).collect::<Vec<_>>().join(", ");
    let dimensions = dimensions.iter().map(|one| one.label()).collect::<Vec<_>>().join(", ");
    let by = if dimensions.is_empty() { String::new() } else { format!(" by {dimensions}") };
    let sort = match sort {
        None => String::new(),
        Some(Sort::Dimension { by, is_descending }) => {
            format!(", sorted by {}, {}", by.label(), if *is_descending { "last to first" } else { "first to last" })
        }
        Some(Sort::Measure { by, is_descending }) => {
            format!(", sorted by {}, {}", by.label(), if *is_descending { "greatest first" } else { "least first" })
        }
    };
    let limit = limit.map(|limit| format!(", at most {limit} rows")).unwrap_or_default();
    let compared = if *is_compared { ", compared" } else { "" };
    format!("{kind}: {measures}{by} of {}{sort}{limit}{compared}", source.label())
}

#[cfg(test)]
mod tests {
    use rtv_core::report::{Dimension, Measure, Source};

    use super::*;

    fn text(id: u32) -> Block {
        Block { id, title: format!("T{id}"), content: Content::Text { text: String::new() } }
    }

    fn report(sections: &[(u32, &[u32])]) -> Definition {
        let section = |(id, blocks): &(u32, &[u32])| Section {
            id: *id,
            title: format!("S{id}"),
            blocks: blocks.iter().map(|id| text(*id)).collect(),
        };
        Definition { name: "R".into(), sections: sections.iter().map(section).collect(), ..Definition::default() }
    }

    fn moved_of(older: &[(u32, &[u32])], newer: &[(u32, &[u32])]) -> Vec<String> {
        let moved = |one| match one {
            Difference::Moved(what) => what,
            other => panic!("{other:?}"),
        };
        compare(&report(older), &report(newer)).into_iter().map(moved).collect()
    }

    #[test]
    fn what_was_moved_is_named_also_across_the_border_of_a_section() {
        let before: [(u32, &[u32]); 3] = [(1, &[11, 12]), (2, &[21, 22]), (3, &[])];
        assert_eq!(moved_of(&before, &before), Vec::<String>::new());
        // The order of all blocks together is the same.
        assert_eq!(moved_of(&before, &[(1, &[11]), (2, &[12, 21, 22]), (3, &[])]), ["Text “T12”"]);
        assert_eq!(moved_of(&before, &[(1, &[11, 12]), (3, &[]), (2, &[21, 22])]), ["Section “S3”"]);
        assert_eq!(moved_of(&before, &[(1, &[12, 11]), (2, &[21, 22]), (3, &[])]), ["Text “T12”"]);
        // One that goes to the front is the one that was moved, not those behind it.
        assert_eq!(moved_of(&[(1, &[1, 2, 3, 4])], &[(1, &[4, 1, 2, 3])]), ["Text “T4”"]);
    }

    #[test]
    fn every_field_of_a_block_that_changes_is_told() {
        let query = Query {
            source: Source::Kpis,
            dimensions: vec![Dimension::Day],
            measures: vec![Measure::Engagements],
            sort: None,
            limit: None,
            is_compared: false,
        };
        let before = Content::Table { query: query.clone(), has_totals: true };
        let by_day = |is_descending| Some(Sort::Dimension { by: Dimension::Day, is_descending });
        let by_engagements = |is_descending| Some(Sort::Measure { by: Measure::Engagements, is_descending });
        let others = [
            Query { source: Source::Platforms, ..query.clone() },
            Query { dimensions: vec![Dimension::Week], ..query.clone() },
            Query { measures: vec![Measure::Impressions], ..query.clone() },
            Query { sort: by_day(false), ..query.clone() },
            Query { sort: by_day(true), ..query.clone() },
            Query { sort: by_engagements(false), ..query.clone() },
            Query { sort: by_engagements(true), ..query.clone() },
            Query { limit: Some(5), ..query.clone() },
            Query { is_compared: true, ..query.clone() },
        ];
        let contents = others.map(|query| Content::Table { query, has_totals: true });
        let without = Content::Table { query, has_totals: false };
        let mut told = vec![described(&before)];
        for after in contents.into_iter().chain([without]) {
            told.push(described(&after));
            let of = |content: &Content| {
                let mut one = report(&[(1, &[2])]);
                one.sections[0].blocks[0].content = content.clone();
                one
            };
            assert_eq!(compare(&of(&before), &of(&after)).len(), 1, "{after:?}");
        }
        for (index, one) in told.iter().enumerate() {
            assert!(!told[..index].contains(one), "{one}");
        }
    }
}
