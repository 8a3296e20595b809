//! What the command palette and the search page offer, and how they find it: one list of entries and one ranking for
//! both, so that they never disagree. Only what the person may open is listed.

use core::cmp::Reverse;

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use rtv_ui::{IconName, KeyDialog, Palette, PaletteGroup, PaletteItem};

use crate::keyboard;
use crate::page::{Frame, Place};

/// The page that searches without a script.
pub const SEARCH: &str = "/search";
/// The page with all keys.
pub const HELP: &str = "/help/keyboard";

/// What lies over a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// The palette.
    Palette,
    /// The list of keys.
    Keys,
}

/// Kinds of entries, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page of this tenant, or of the person.
    Place,
    /// Another tenant.
    Tenant,
    /// A page that was open before in this window.
    Recent,
    /// How something is done.
    Help,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Place, Self::Tenant, Self::Recent, Self::Help];

    const fn label(self) -> &'static str {
        match self {
            Self::Place => "Go to",
            Self::Tenant => "Switch organisation",
            Self::Recent => "Recent",
            Self::Help => "Help",
        }
    }
}

/// One thing to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its kind.
    pub kind: Kind,
    /// What is shown, and where it leads.
    pub item: PaletteItem,
}

fn entry(kind: Kind, icon: IconName, label: &str, detail: &str, href: String) -> Entry {
    Entry { kind, item: PaletteItem { label: label.into(), detail: detail.into(), href, icon } }
}

/// Everything that the person may open from here. `place` is the page that is shown, `query` what goes along to another
/// tenant.
pub fn entries(frame: Option<&Frame>, place: Option<Place>, query: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(frame) = frame {
        entries.extend(
            frame
                .places
                .iter()
                .map(|one| entry(Kind::Place, one.icon(), one.label(), one.group(), one.address(&frame.slug))),
        );
        if frame.can_halt {
            // Opens the page that halts; nothing is halted from here.
            let href = format!("{}/halt", Place::Switches.address(&frame.slug));
            entries.push(entry(Kind::Place, IconName::Stop, "Halt…", "Kill switches", href));
        }
    }
    entries.push(entry(Kind::Place, IconName::User, "Profile", "Your account", "/me".into()));
    entries.push(entry(Kind::Place, IconName::Sessions, "Sessions", "Your account", "/me/sessions".into()));
    if let Some(frame) = frame {
        entries.extend(frame.tenants.iter().filter(|one| !one.current).map(|one| {
            let link = one.clone().link(place, query);
            entry(Kind::Tenant, IconName::Tenant, &link.name, &link.role, link.href)
        }));
    }
    entries.push(entry(Kind::Help, IconName::Keyboard, "Keyboard shortcuts", "Help", HELP.into()));
    entries
}

/// Points of an entry; `None` where a word of what was typed is not in it. The beginning of the name counts most, then
/// the beginning of a word, then any place, then letters in their order; what stands beside the name counts least.
fn points(item: &PaletteItem, typed: &str) -> Option<u32> {
    let (label, detail) = (item.label.to_lowercase(), item.detail.to_lowercase());
    let begins_word = |text: &str, term: &str| {
        text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word.starts_with(term))
    };
    typed
        .split_whitespace()
        .map(|term| {
            if label.starts_with(term) {
                Some(8)
            } else if begins_word(&label, term) {
                Some(6)
            } else if label.contains(term) {
                Some(4)
            } else if begins_word(&detail, term) {
                Some(2)
            } else {
                is_in_order(&label, term).then_some(1)
            }
        })
        .sum()
}

/// Whether the letters stand in the text in this order: "kbs" finds "Keyboard shortcuts". One letter alone says nothing.
fn is_in_order(text: &str, letters: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().count() > 1 && letters.chars().all(|wanted| rest.any(|letter| letter == wanted))
}

/// What was typed finds these, the best first; nothing typed finds all. A kind stands where its best entry does.
pub fn find(entries: &[Entry], typed: &str) -> Vec<PaletteGroup> {
    let typed = typed.to_lowercase();
    let mut groups: Vec<(u32, PaletteGroup)> = Kind::ALL
        .into_iter()
        .filter_map(|kind| {
            let mut found: Vec<(u32, &PaletteItem)> = entries
                .iter()
                .filter(|entry| entry.kind == kind)
                .filter_map(|entry| Some((points(&entry.item, &typed)?, &entry.item)))
                .collect();
            found.sort_by_key(|(points, _)| Reverse(*points));
            let best = found.first()?.0;
            let items = found.into_iter().map(|(_, item)| item.clone()).collect();
            Some((best, PaletteGroup { label: kind.label().into(), items }))
        })
        .collect();
    groups.sort_by_key(|(best, _)| Reverse(*best));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Opens the palette in place of the search page, unless the link was pressed to open elsewhere.
pub(crate) fn open_instead(event: &MouseEvent, overlay: RwSignal<Option<Overlay>>) {
    if event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key() && !event.alt_key() {
        event.prevent_default();
        overlay.set(Some(Overlay::Palette));
    }
}

/// What lies over the page at the moment, if anything.
#[component]
pub(crate) fn Overlays(
    frame: Frame,
    place: Option<Place>,
    query: String,
    overlay: RwSignal<Option<Overlay>>,
) -> impl IntoView {
    let on_close = Callback::new(move |()| overlay.set(None));
    move || {
        overlay.get().map(|over| match over {
            Overlay::Palette => {
                let typed = RwSignal::new(String::new());
                #[allow(unused_mut)]
                let mut entries = entries(Some(&frame), place, &query);
                #[cfg(feature = "hydrate")]
                entries.extend(
                    crate::recent::visited()
                        .into_iter()
                        .map(|(href, title)| entry(Kind::Recent, IconName::Recent, &title, "", href)),
                );
                let groups = Memo::new(move |_| find(&entries, &typed.read()));
                view! { <Palette typed groups search=SEARCH slug=frame.slug.clone() on_close /> }.into_any()
            }
            Overlay::Keys => {
                let groups = keyboard::groups(&frame.places, frame.has_mac_keys);
                view! { <KeyDialog groups help=HELP on_close /> }.into_any()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(typed: &str, labels: &[(&str, Kind)]) -> Vec<String> {
        let entries: Vec<Entry> = labels
            .iter()
            .map(|(label, kind)| entry(*kind, IconName::Posts, label, kind.label(), String::new()))
            .collect();
        find(&entries, typed).into_iter().flat_map(|group| group.items).map(|item| item.label).collect()
    }

    const ALL: [(&str, Kind); 5] = [
        ("Dashboard", Kind::Place),
        ("Posts", Kind::Place),
        ("Meadow Goods", Kind::Tenant),
        ("Port Dashing", Kind::Tenant),
        ("Keyboard shortcuts", Kind::Help),
    ];

    #[test]
    fn nothing_typed_finds_everything_in_the_order_of_the_kinds() {
        assert_eq!(names("", &ALL), ALL.map(|(label, _)| label));
        assert_eq!(names("  ", &ALL).len(), ALL.len());
    }

    #[test]
    fn the_beginning_of_a_name_wins_over_the_beginning_of_a_word_and_that_over_any_place() {
        assert_eq!(names("da", &ALL), ["Dashboard", "Port Dashing"]);
        assert_eq!(names("DASH", &ALL), ["Dashboard", "Port Dashing"]);
        assert_eq!(names("po", &ALL), ["Posts", "Port Dashing"]);
        assert_eq!(names("board", &ALL), ["Dashboard", "Keyboard shortcuts"]);
        assert_eq!(names("key", &ALL), ["Keyboard shortcuts"]);
    }

    #[test]
    fn letters_in_order_are_enough_and_every_word_must_be_found() {
        assert_eq!(names("kbsh", &ALL), ["Keyboard shortcuts"]);
        assert_eq!(names("goods mea", &ALL), ["Meadow Goods"]);
        assert_eq!(names("switch meadow", &ALL), ["Meadow Goods"]);
        assert_eq!(names("posts meadow", &ALL), Vec::<String>::new());
        assert_eq!(names("zz", &ALL), Vec::<String>::new());
    }

    #[test]
    fn a_kind_stands_where_its_best_entry_does() {
        let labels = [("Report", Kind::Place), ("Port", Kind::Tenant)];
        assert_eq!(names("port", &labels), ["Port", "Report"]);
    }
}
