//! What can be done to a definition, one step at a time. Each gives a new definition, which is checked and saved as a version, and
//! says what it did.

use crate::error::{Error, FieldError, Result};
use crate::report::definition::{Block, ChartKind, Content, Definition, Section};
use crate::report::query::{Measure, Query, Sort, Source};

/// One step of building.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// An empty section at the end.
    AddSection,
    /// Something new at the end of a section.
    AddBlock {
        /// The section.
        section: u32,
        /// What.
        kind: NewBlock,
    },
    /// One place up or down; a block leaves its section at the end of it.
    Move {
        /// Section or block.
        part: u32,
        /// Towards the beginning.
        is_up: bool,
    },
    /// To the place before another part: a block before a block, or at the end of a section; a section before a section.
    MoveBefore {
        /// Section or block.
        part: u32,
        /// Section or block.
        target: u32,
    },
    /// The same again, right behind it.
    Copy {
        /// Section or block.
        part: u32,
    },
    /// Without it.
    Delete {
        /// Section or block.
        part: u32,
    },
    /// A section's heading.
    SetSection {
        /// The section.
        part: u32,
        /// Its heading.
        title: String,
    },
    /// What a block shows.
    SetBlock {
        /// The block.
        part: u32,
        /// Its heading.
        title: String,
        /// What it shows.
        content: Content,
    },
    /// Name, purpose and what it covers.
    SetDetails {
        /// What it is called.
        name: String,
        /// What it is for.
        description: String,
        /// What it covers, as addresses write it.
        parameters: String,
    },
}

/// What a new block begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewBlock {
    /// Words.
    Text,
    /// One measure.
    Metric,
    /// A drawing.
    Chart,
    /// Rows and columns.
    Table,
}

impl NewBlock {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 4] = [Self::Metric, Self::Chart, Self::Table, Self::Text];

    /// In forms.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Metric => "metric",
            Self::Chart => "chart",
            Self::Table => "table",
        }
    }

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Metric => "Figure",
            Self::Chart => "Chart",
            Self::Table => "Table",
        }
    }

    /// Something that can be shown at once and says what it could be.
    fn content(self) -> Content {
        let ask = |source: Source, measures: &[Measure]| Query {
            source,
            dimensions: vec![source.first_dimension()],
            measures: measures.to_vec(),
            sort: None,
            limit: None,
            is_compared: false,
        };
        match self {
            Self::Text => Content::Text { text: String::new() },
            Self::Metric => Content::Metric {
                query: Query {
                    dimensions: Vec::new(),
                    is_compared: true,
                    ..ask(Source::Kpis, &[Measure::Engagements])
                },
            },
            Self::Chart => Content::Chart { kind: ChartKind::Line, query: ask(Source::Kpis, &[Measure::Engagements]) },
            Self::Table => Content::Table {
                query: ask(Source::Platforms, &[Measure::Impressions, Measure::Engagements, Measure::EngagementRate]),
                has_totals: true,
            },
        }
    }
}

/// What an edit gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The definition after it.
    pub definition: Definition,
    /// What was done, as a phrase.
    pub summary: String,
    /// The part to look at now.
    pub part: Option<u32>,
}

/// Where a part stands.
enum Place {
    Section(usize),
    Block(usize, usize),
}

impl Definition {
    /// The block of a number.
    pub fn block(&self, id: u32) -> Option<&Block> {
        self.blocks().find(|block| block.id == id)
    }

    /// The section of a number.
    pub fn section(&self, id: u32) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }

    /// Does a step. A part that is not there any more is refused.
    pub fn edited(&self, edit: &Edit) -> Result<Edited> {
        let mut next = self.clone();
        let (summary, part) = match edit {
            Edit::AddSection => {
                let id = next.next_id();
                next.sections.push(Section { id, title: String::new(), blocks: Vec::new() });
                ("Added a section".to_owned(), Some(id))
            }
            Edit::AddBlock { section, kind } => {
                let id = next.next_id();
                let index = next.sections.iter().position(|one| one.id == *section).ok_or_else(gone)?;
                next.sections[index].blocks.push(Block { id, title: String::new(), content: kind.content() });
                (format!("Added a {}", kind.label().to_lowercase()), Some(id))
            }
            Edit::Move { part, is_up } => {
                let name = self.name_of(*part)?;
                next.shift(*part, *is_up)?;
                (format!("Moved {name} {}", if *is_up { "up" } else { "down" }), Some(*part))
            }
            Edit::MoveBefore { part, target } => {
                let name = self.name_of(*part)?;
                next.put_before(*part, *target)?;
                (format!("Moved {name}"), Some(*part))
            }
            Edit::Copy { part } => {
                let name = self.name_of(*part)?;
                let id = next.copy(*part)?;
                (format!("Copied {name}"), Some(id))
            }
            Edit::Delete { part } => {
                let name = self.name_of(*part)?;
                let beside = next.take_out(*part)?;
                (format!("Deleted {name}"), beside)
            }
            Edit::SetSection { part, title } => {
                let section = next.sections.iter_mut().find(|one| one.id == *part).ok_or_else(gone)?;
                title.trim().clone_into(&mut section.title);
                (format!("Changed {}", next.name_of(*part)?), Some(*part))
            }
            Edit::SetBlock { part, title, content } => {
                // Refused by the names of the form, not by those of the whole definition.
                content.check()?;
                let block = next.sections.iter_mut().flat_map(|one| &mut one.blocks).find(|one| one.id == *part);
                let block = block.ok_or_else(gone)?;
                title.trim().clone_into(&mut block.title);
                block.content = content.clone();
                (format!("Changed {}", next.name_of(*part)?), Some(*part))
            }
            Edit::SetDetails { name, description, parameters } => {
                name.trim().clone_into(&mut next.name);
                description.trim().clone_into(&mut next.description);
                next.parameters.clone_from(parameters);
                ("Changed name, purpose or parameters".to_owned(), None)
            }
        };
        next.keep_ids_of(self);
        next.check_after(self).map_err(|error| own_names(error, part))?;
        Ok(Edited { definition: next, summary, part })
    }

    fn place(&self, part: u32) -> Result<Place> {
        for (index, section) in self.sections.iter().enumerate() {
            if section.id == part {
                return Ok(Place::Section(index));
            }
            if let Some(block) = section.blocks.iter().position(|block| block.id == part) {
                return Ok(Place::Block(index, block));
            }
        }
        Err(gone())
    }

    /// What a part is called in a sentence.
    fn name_of(&self, part: u32) -> Result<String> {
        let (label, title) = match self.place(part)? {
            Place::Section(index) => ("section", &self.sections[index].title),
            Place::Block(section, block) => {
                let block = &self.sections[section].blocks[block];
                let label = match block.content {
                    Content::Text { .. } => "text",
                    Content::Metric { .. } => "figure",
                    Content::Chart { .. } => "chart",
                    Content::Table { .. } => "table",
                };
                (label, &block.title)
            }
        };
        Ok(if title.is_empty() { format!("a {label}") } else { format!("{label} “{title}”") })
    }

    fn shift(&mut self, part: u32, is_up: bool) -> Result<()> {
        match self.place(part)? {
            Place::Section(index) => {
                let to = if is_up { index.checked_sub(1) } else { Some(index + 1) };
                if let Some(to) = to.filter(|to| *to < self.sections.len()) {
                    self.sections.swap(index, to);
                }
            }
            Place::Block(section, block) => {
                let last = self.sections[section].blocks.len() - 1;
                if is_up && block > 0 {
                    self.sections[section].blocks.swap(block, block - 1);
                } else if !is_up && block < last {
                    self.sections[section].blocks.swap(block, block + 1);
                } else if is_up && section > 0 {
                    let moved = self.sections[section].blocks.remove(block);
                    self.sections[section - 1].blocks.push(moved);
                } else if !is_up && section + 1 < self.sections.len() {
                    let moved = self.sections[section].blocks.remove(block);
                    self.sections[section + 1].blocks.insert(0, moved);
                }
            }
        }
        Ok(())
    }

    fn put_before(&mut self, part: u32, target: u32) -> Result<()> {
        if part == target {
            return Ok(());
        }
        match (self.place(part)?, self.place(target)?) {
            (Place::Section(from), Place::Section(_)) => {
                let section = self.sections.remove(from);
                let Place::Section(to) = self.place(target)? else { return Err(gone()) };
                self.sections.insert(to, section);
            }
            (Place::Block(section, block), Place::Section(_)) => {
                let moved = self.sections[section].blocks.remove(block);
                let Place::Section(to) = self.place(target)? else { return Err(gone()) };
                self.sections[to].blocks.push(moved);
            }
            (Place::Block(section, block), Place::Block(..)) => {
                let moved = self.sections[section].blocks.remove(block);
                let Place::Block(to, place) = self.place(target)? else { return Err(gone()) };
                self.sections[to].blocks.insert(place, moved);
            }
            (Place::Section(_), Place::Block(..)) => {
                return Err(Error::invalid("target", "a section goes before a section, not into one."));
            }
        }
        Ok(())
    }

    fn copy(&mut self, part: u32) -> Result<u32> {
        let mut next = self.next_id();
        match self.place(part)? {
            Place::Section(index) => {
                let mut copy = self.sections[index].clone();
                copy.id = next;
                for block in &mut copy.blocks {
                    next = next.saturating_add(1);
                    block.id = next;
                }
                let id = copy.id;
                self.sections.insert(index + 1, copy);
                Ok(id)
            }
            Place::Block(section, block) => {
                let mut copy = self.sections[section].blocks[block].clone();
                copy.id = next;
                self.sections[section].blocks.insert(block + 1, copy);
                Ok(next)
            }
        }
    }

    /// Takes a part out and names the one that stands in its place.
    fn take_out(&mut self, part: u32) -> Result<Option<u32>> {
        Ok(match self.place(part)? {
            Place::Section(index) => {
                self.sections.remove(index);
                self.sections.get(index.min(self.sections.len().saturating_sub(1))).map(|section| section.id)
            }
            Place::Block(section, block) => {
                let section = &mut self.sections[section];
                section.blocks.remove(block);
                let beside = section.blocks.get(block.min(section.blocks.len().saturating_sub(1)));
                Some(beside.map_or(section.id, |block| block.id))
            }
        })
    }
}

impl Query {
    /// The same with another source: what that does not have is left out, and where nothing is left it begins anew.
    #[must_use]
    pub fn of_source(mut self, source: Source) -> Self {
        if self.source == source {
            return self;
        }
        self.source = source;
        let had_dimensions = !self.dimensions.is_empty();
        self.dimensions.retain(|one| source.dimensions().contains(one));
        self.measures.retain(|one| source.measures().contains(one));
        if had_dimensions && !self.dimensions.contains(&source.first_dimension()) {
            self.dimensions = vec![source.first_dimension()];
        }
        if self.measures.is_empty() {
            self.measures = source.measures().iter().copied().take(1).collect();
        }
        self.sort = self.sort.filter(|sort| match sort {
            Sort::Dimension { by, .. } => self.dimensions.contains(by),
            Sort::Measure { by, .. } => self.measures.contains(by),
        });
        self.is_compared &= source != Source::Posts;
        self
    }
}

fn gone() -> Error {
    Error::invalid("part", "this part is not in the report any more; load the page again.")
}

/// Fields by the names of the form that was sent: of the part that it is about, without its number.
fn own_names(error: Error, part: Option<u32>) -> Error {
    let (Error::Invalid(errors), Some(part)) = (&error, part) else { return error };
    let prefixes = [format!("block.{part}."), format!("section.{part}.")];
    let renamed = errors.iter().map(|one| {
        let field = prefixes.iter().find_map(|prefix| one.field.strip_prefix(prefix.as_str())).unwrap_or(&one.field);
        FieldError { field: field.to_owned(), message: one.message.clone() }
    });
    Error::Invalid(renamed.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Definition {
        let text = |id: u32| Block { id, title: format!("T{id}"), content: Content::Text { text: "x".into() } };
        Definition {
            name: "R".into(),
            description: String::new(),
            parameters: String::new(),
            sections: vec![
                Section { id: 1, title: "A".into(), blocks: vec![text(2), text(3)] },
                Section { id: 4, title: "B".into(), blocks: vec![text(5)] },
            ],
            last_id: 0,
        }
    }

    fn order(definition: &Definition) -> Vec<u32> {
        definition
            .sections
            .iter()
            .flat_map(|section| core::iter::once(section.id).chain(section.blocks.iter().map(|block| block.id)))
            .collect()
    }

    #[track_caller]
    fn check(edit: &Edit, expected: &[u32], summary: &str) {
        let edited = report().edited(edit).unwrap();
        assert_eq!((order(&edited.definition).as_slice(), edited.summary.as_str()), (expected, summary));
    }

    #[test]
    fn a_block_that_moves_past_the_end_of_its_section_enters_the_next() {
        check(&Edit::Move { part: 3, is_up: true }, &[1, 3, 2, 4, 5], "Moved text “T3” up");
        check(&Edit::Move { part: 3, is_up: false }, &[1, 2, 4, 3, 5], "Moved text “T3” down");
        check(&Edit::Move { part: 5, is_up: true }, &[1, 2, 3, 5, 4], "Moved text “T5” up");
        check(&Edit::Move { part: 5, is_up: false }, &[1, 2, 3, 4, 5], "Moved text “T5” down");
        check(&Edit::Move { part: 4, is_up: true }, &[4, 5, 1, 2, 3], "Moved section “B” up");
        check(&Edit::Move { part: 1, is_up: true }, &[1, 2, 3, 4, 5], "Moved section “A” up");
    }

    #[test]
    fn parts_are_dragged_before_others() {
        check(&Edit::MoveBefore { part: 5, target: 2 }, &[1, 5, 2, 3, 4], "Moved text “T5”");
        check(&Edit::MoveBefore { part: 2, target: 4 }, &[1, 3, 4, 5, 2], "Moved text “T2”");
        check(&Edit::MoveBefore { part: 4, target: 1 }, &[4, 5, 1, 2, 3], "Moved section “B”");
        check(&Edit::MoveBefore { part: 3, target: 3 }, &[1, 2, 3, 4, 5], "Moved text “T3”");
        assert!(report().edited(&Edit::MoveBefore { part: 4, target: 2 }).is_err());
    }

    #[test]
    fn copies_have_numbers_of_their_own_and_what_is_deleted_names_its_neighbour() {
        check(&Edit::Copy { part: 2 }, &[1, 2, 6, 3, 4, 5], "Copied text “T2”");
        check(&Edit::Copy { part: 1 }, &[1, 2, 3, 6, 7, 8, 4, 5], "Copied section “A”");
        check(&Edit::Delete { part: 2 }, &[1, 3, 4, 5], "Deleted text “T2”");
        assert_eq!(report().edited(&Edit::Delete { part: 2 }).unwrap().part, Some(3));
        assert_eq!(report().edited(&Edit::Delete { part: 5 }).unwrap().part, Some(4));
        assert_eq!(report().edited(&Edit::Delete { part: 4 }).unwrap().part, Some(1));
    }

    #[test]
    fn a_number_of_a_deleted_part_is_given_to_no_other() {
        let deleted = report().edited(&Edit::Delete { part: 5 }).unwrap().definition;
        let added = deleted.edited(&Edit::AddBlock { section: 4, kind: NewBlock::Text }).unwrap();
        assert_eq!(added.part, Some(6));
        // What was stored before the number was kept is read.
        let mut stored = serde_json::to_value(report()).unwrap();
        stored.as_object_mut().unwrap().remove("last_id");
        assert_eq!(serde_json::from_value::<Definition>(stored).unwrap(), report());
    }

    #[test]
    fn a_number_beyond_the_highest_is_refused_by_name() {
        for wrong in [u32::MAX, 1_000_000_001] {
            let mut report = report();
            report.sections[0].blocks[0].id = wrong;
            let Err(Error::Invalid(errors)) = report.check() else { panic!("{wrong} was taken") };
            assert_eq!(errors[0].field, "sections");
            assert!(errors[0].message.contains(&wrong.to_string()), "{errors:?}");
            for edit in [Edit::AddSection, Edit::Copy { part: 1 }] {
                assert!(matches!(report.edited(&edit), Err(Error::Invalid(_))), "{edit:?}");
            }
        }
    }

    #[test]
    fn a_nul_is_refused_by_name_wherever_it_stands() {
        let mut report = report();
        for text in [&mut report.name, &mut report.description] {
            *text = "a\0b".into();
        }
        report.sections[0].title = "a\0b".into();
        report.sections[0].blocks[0].title = "a\0".into();
        report.sections[0].blocks[1].content = Content::Text { text: "\0".into() };
        let Err(Error::Invalid(errors)) = report.check() else { panic!("they were taken") };
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["name", "description", "section.1.title", "block.2.title", "block.3.text"]);
    }

    #[test]
    fn a_part_that_is_gone_is_refused_and_changes_nothing() {
        for edit in [
            Edit::Move { part: 9, is_up: true },
            Edit::Copy { part: 9 },
            Edit::Delete { part: 9 },
            Edit::SetSection { part: 2, title: "a block is no section".into() },
            Edit::AddBlock { section: 9, kind: NewBlock::Text },
        ] {
            assert!(matches!(report().edited(&edit), Err(Error::Invalid(_))), "{edit:?}");
        }
    }

    #[test]
    fn every_new_block_can_be_shown_at_once() {
        for kind in NewBlock::ALL {
            let edited = report().edited(&Edit::AddBlock { section: 4, kind }).unwrap();
            assert_eq!(order(&edited.definition), [1, 2, 3, 4, 5, 6]);
            assert_eq!(edited.part, Some(6));
        }
    }

    #[test]
    fn refusals_name_the_fields_of_the_form() {
        let title = "x".repeat(200);
        let content = Content::Text { text: String::new() };
        let Err(Error::Invalid(errors)) = report().edited(&Edit::SetBlock { part: 2, title, content }) else {
            panic!("a title that is too long was taken")
        };
        assert_eq!(errors.iter().map(|one| one.field.as_str()).collect::<Vec<_>>(), ["title"]);
    }

    #[test]
    fn a_chart_that_was_taken_once_and_is_refused_by_now_keeps_nobody_from_the_rest() {
        let mut stored = report();
        let query = Query {
            source: Source::Teams,
            dimensions: vec![crate::report::Dimension::Team],
            measures: vec![Measure::Engagements],
            sort: None,
            limit: None,
            is_compared: false,
        };
        let content = Content::Chart { kind: ChartKind::Pie, query };
        stored.sections[0].blocks[0].content = content.clone();
        assert!(stored.check().is_err());
        let title = String::new();
        for edit in [
            Edit::SetSection { part: 4, title: "C".into() },
            Edit::Move { part: 2, is_up: false },
            Edit::Copy { part: 1 },
            Edit::Delete { part: 2 },
        ] {
            assert!(stored.edited(&edit).is_ok(), "{edit:?}");
        }
        let Err(Error::Invalid(errors)) = stored.edited(&Edit::SetBlock { part: 2, title: title.clone(), content })
        else {
            panic!("it was taken again")
        };
        assert_eq!(errors[0].field, "dimension");
        let content = Content::Text { text: "y".into() };
        assert!(stored.edited(&Edit::SetBlock { part: 2, title, content }).unwrap().definition.check().is_ok());
    }

    #[test]
    fn another_source_keeps_what_it_has_too() {
        let query = Query {
            source: Source::Kpis,
            dimensions: vec![crate::report::Dimension::Day, crate::report::Dimension::Platform],
            measures: vec![Measure::Engagements, Measure::FollowerGrowth],
            sort: Some(Sort::Measure { by: Measure::FollowerGrowth, is_descending: true }),
            limit: Some(5),
            is_compared: true,
        };
        let of_posts = query.clone().of_source(Source::Posts);
        assert_eq!(of_posts.check(), Ok(()));
        assert_eq!(of_posts.measures, [Measure::Engagements]);
        assert_eq!(of_posts.sort, None);
        for source in Source::ALL {
            assert_eq!(query.clone().of_source(*source).check(), Ok(()), "{source}");
        }
    }
}
