//! Keyboard shortcuts: the one list of them that the help shows, and the listener that acts on them. Keys that are
//! pressed alone can be switched off, never act while one types, and none of them changes anything. A page takes part
//! without a word of code here: what carries `aria-keyshortcuts` is pressed by that key, and rows of tables are walked.

use rtv_ui::KeyGroup;

use crate::page::Place;

/// All keys, for somebody who may open these places.
pub fn groups(places: &[Place], has_mac_keys: bool) -> Vec<KeyGroup> {
    let command = if has_mac_keys { "⌘" } else { "Ctrl" };
    let row = |keys: &[&str], what: &str| (keys.iter().map(|key| (*key).to_owned()).collect(), what.to_owned());
    let group = |label: &str, rows| KeyGroup { label: label.into(), rows };
    let places: Vec<_> =
        places.iter().map(|place| row(&["G", &place.key().to_uppercase().to_string()], place.label())).collect();
    let mut groups = vec![group(
        "Everywhere",
        vec![
            row(&[command, "K"], "Find a page or an organisation"),
            row(&["/"], "The same, with one key"),
            row(&["?"], "Show these keys"),
            row(&["H"], "Open the page that halts, if you may halt"),
            row(&[command, "Enter"], "Send the form that you are in"),
            row(&["Esc"], "Close what is open"),
        ],
    )];
    if !places.is_empty() {
        groups.push(group("Go to, one key after the other", places));
    }
    groups.push(group(
        "Figures",
        vec![row(&["["], "Earlier period"), row(&["]"], "Later period"), row(&["X"], "Comparison on or off")],
    ));
    groups.push(group(
        "Lists",
        vec![row(&["J"], "Next row"), row(&["K"], "Previous row"), row(&["Enter"], "Open the row that you are in")],
    ));
    groups
}

#[cfg(feature = "hydrate")]
pub(crate) use listener::listen;

#[cfg(feature = "hydrate")]
mod listener {
    use core::time::Duration;

    use leptos::ev::{self, KeyboardEvent};
    use leptos::prelude::*;
    use wasm_bindgen::JsCast as _;
    use web_sys::{Element, HtmlElement, HtmlFormElement, HtmlSelectElement};

    use crate::arrival::all;
    use crate::page::{Frame, Place};
    use crate::palette::Overlay;

    /// How long `g` waits for the key of a place.
    const PATIENCE: Duration = Duration::from_millis(1_500);

    /// Listens as long as the page stands.
    pub(crate) fn listen(frame: &Frame, overlay: RwSignal<Option<Overlay>>) {
        let (slug, places) = (frame.slug.clone(), frame.places.clone());
        let (has_single_keys, has_mac_keys) = (frame.preference.has_single_keys, frame.has_mac_keys);
        let is_going = StoredValue::new(false);
        let handle = window_event_listener(ev::keydown, move |event| {
            if event.default_prevented() || event.is_composing() {
                return;
            }
            let has_command = if has_mac_keys { event.meta_key() } else { event.ctrl_key() };
            if has_command && !event.alt_key() && !event.shift_key() {
                with_command(&event, overlay);
                return;
            }
            let is_alone = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if !has_single_keys || !is_alone || overlay.get_untracked().is_some() || is_typing() {
                return;
            }
            let key = event.key();
            if is_going.get_value() {
                is_going.set_value(false);
                if let Some(place) = places.iter().find(|place| key.eq_ignore_ascii_case(&place.key().to_string())) {
                    event.prevent_default();
                    go(*place, &slug);
                }
                return;
            }
            let is_done = match key.as_str() {
                "?" => open(overlay, Overlay::Keys),
                "/" => open(overlay, Overlay::Palette),
                "g" | "G" => {
                    is_going.set_value(true);
                    set_timeout(
                        move || {
                            is_going.try_set_value(false);
                        },
                        PATIENCE,
                    );
                    true
                }
                // Leads to the page that halts.
                "h" | "H" => follow_halt(),
                "[" | "]" => press(&key),
                "x" | "X" => press("x"),
                "j" | "J" => walk(1),
                "k" | "K" => walk(-1),
                "Enter" => open_row(),
                _ => false,
            };
            if is_done {
                event.prevent_default();
            }
        });
        on_cleanup(move || handle.remove());
    }

    fn with_command(event: &KeyboardEvent, overlay: RwSignal<Option<Overlay>>) {
        match event.key().as_str() {
            "k" | "K" => {
                event.prevent_default();
                if overlay.get_untracked() != Some(Overlay::Palette) {
                    overlay.set(Some(Overlay::Palette));
                }
            }
            "Enter" if is_typing() => {
                let form = document().active_element().and_then(|field| field.closest("form").ok().flatten());
                if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
                    event.prevent_default();
                    // Says what is missing where the browser's own check refuses.
                    let _ = form.request_submit();
                }
            }
            _ => {}
        }
    }

    fn open(overlay: RwSignal<Option<Overlay>>, over: Overlay) -> bool {
        overlay.set(Some(over));
        true
    }

    /// Whether keys belong to what has the focus.
    fn is_typing() -> bool {
        document()
            .active_element()
            .is_some_and(|element| element.matches("input, textarea, select, [contenteditable]").unwrap_or(false))
    }

    /// Follows the link of the navigation, so that the router does it as it does for a press.
    fn go(place: Place, slug: &str) {
        if let Some(link) = first(&format!("nav a[href=\"{}\"]", place.address(slug))) {
            link.click();
        }
    }

    fn follow_halt() -> bool {
        let link = first("header .c-halt");
        if let Some(link) = &link {
            link.click();
        }
        link.is_some()
    }

    fn first(selector: &str) -> Option<HtmlElement> {
        all(selector).into_iter().next()
    }

    /// Presses what says that it has this key. A choice goes to "none" and back to its first.
    fn press(key: &str) -> bool {
        let Some(target) = first(&format!("main [aria-keyshortcuts=\"{key}\"]")) else { return false };
        let select = target.query_selector("select").ok().flatten();
        let Some(select) = select.and_then(|select| select.dyn_into::<HtmlSelectElement>().ok()) else {
            target.click();
            return true;
        };
        if select.value() == "none" {
            select.set_selected_index(0);
        } else {
            select.set_value("none");
        }
        if let Some(form) = select.form() {
            let _ = form.request_submit();
        }
        true
    }

    /// The rows that are seen, and the one that has the focus or holds it.
    fn rows() -> (Vec<HtmlElement>, Option<usize>) {
        let rows: Vec<HtmlElement> =
            all::<HtmlElement>("main tbody tr").into_iter().filter(|row| row.offset_height() > 0).collect();
        let focused = document().active_element();
        let at = rows.iter().position(|row| row.contains(focused.as_deref()));
        (rows, at)
    }

    fn walk(step: isize) -> bool {
        let (rows, at) = rows();
        let next = match at {
            Some(at) => at.checked_add_signed(step).filter(|next| *next < rows.len()),
            None if step > 0 => Some(0),
            None => rows.len().checked_sub(1),
        };
        let Some(row) = next.and_then(|next| rows.get(next)) else { return false };
        let _ = row.set_attribute("tabindex", "-1");
        let _ = row.focus();
        true
    }

    /// Follows the first link of the row that has the focus itself.
    fn open_row() -> bool {
        let link = document()
            .active_element()
            .filter(|element: &Element| element.tag_name() == "TR")
            .and_then(|row| row.query_selector("a[href]").ok().flatten())
            .and_then(|link| link.dyn_into::<HtmlElement>().ok());
        if let Some(link) = &link {
            link.click();
        }
        link.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_the_places_that_one_may_open() {
        let goes = |places: &[Place]| {
            groups(places, false).into_iter().find(|group| group.label.starts_with("Go to")).map(|group| group.rows)
        };
        assert_eq!(goes(&[]), None);
        assert_eq!(goes(&[Place::Posts]), Some(vec![(vec!["G".to_owned(), "P".to_owned()], "Posts".to_owned())]));
    }

    #[test]
    fn the_command_key_is_the_keyboards_own() {
        let first = |has_mac_keys| groups(&[], has_mac_keys)[0].rows[0].0[0].clone();
        assert_eq!((first(false), first(true)), ("Ctrl".to_owned(), "⌘".to_owned()));
    }
}
