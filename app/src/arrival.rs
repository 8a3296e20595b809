//! What a page that was loaded has for nothing and a change of page inside the browser has not: menus are closed, forms
//! show what the address says, the focus stands where reading begins, and who listens is told. Also closes menus that are
//! left. Runs in the browser only.

use std::cell::{Cell, RefCell};

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, FocusOptions, HtmlElement, HtmlFormElement, Node};

use crate::announce::{Urgency, announce};
use crate::recent;

thread_local! {
    /// Where whoever acts on a page stays when it comes anew: a selector.
    static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
    /// Whether a page was shown before: the first one was loaded and is settled already.
    static IS_LATER: Cell<bool> = const { Cell::new(false) };
    /// Whether the menus are watched; they are once, for all pages.
    static IS_WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Settles the page that was just shown. Is run as an effect of the page, when a page of the same address has changed.
pub(crate) fn settle() {
    watch_menus();
    request_animation_frame(recent::note);
    crate::kill_switch::watch::settle();
    // At once: what the person does next must not be undone.
    if IS_LATER.replace(true) {
        reset_forms();
        close_menus(|_| true);
        render_choices_anew();
        // A page of another address is not in its place before the frame ends.
        request_animation_frame(place_focus);
    }
}

/// The elements that a selector finds.
pub(crate) fn all<T: JsCast>(selector: &str) -> Vec<T> {
    let Ok(found) = document().query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

/// Fields keep what was typed in them although their page has become another one: back and forward would show the
/// figures of one period under the days of another.
fn reset_forms() {
    for form in all::<HtmlFormElement>("form") {
        form.reset();
    }
}

/// Chromium (156) takes fields that were changed inside a closed menu for not rendered when it opens again: people who
/// listen do not hear them, and a press can end the page. Taking the panel out and back makes it look again.
fn render_choices_anew() {
    for panel in all::<HtmlElement>("details[name] > fieldset") {
        panel.set_hidden(true);
        let _ = panel.offset_height();
        panel.set_hidden(false);
    }
}

/// The next page that is settled keeps the focus at what the selector finds, where there is such a thing.
pub(crate) fn keep_place(selector: String) {
    KEPT.set(Some(selector));
}

/// Id of the corner in which a message is repeated.
const CORNER: &str = "message-again";

/// Shows the page's message in the corner too where it stands out of sight. Who listens hears the message itself.
fn repeat_in_corner() {
    let Some(flash) = document().query_selector(".c-flash").ok().flatten() else { return };
    if flash.get_bounding_client_rect().top() >= 0.0 {
        return;
    }
    let (Some(body), Ok(corner)) = (document().body(), document().create_element("div")) else { return };
    let (tone, words) = (flash.get_attribute("data-tone").unwrap_or_default(), flash.inner_html());
    let words = words.replace("c-flash__", "c-toast__");
    corner.set_id(CORNER);
    corner.set_class_name("c-toasts");
    let _ = corner.set_attribute("aria-hidden", "true");
    corner.set_inner_html(&format!("<div class=\"c-toast\" data-tone=\"{tone}\">{words}</div>"));
    let _ = body.append_child(&corner);
}

/// Who changes a filter stays in its form; everybody else begins with what went wrong, or with the heading.
fn place_focus() {
    let summary = document().query_selector("#error-summary").ok().flatten();
    let refusal = document().query_selector(".c-flash[data-tone='danger']").ok().flatten();
    if let Some(old) = document().get_element_by_id(CORNER) {
        old.remove();
    }
    let kept = KEPT.take().filter(|_| summary.is_none() && refusal.is_none());
    if let Some(kept) = kept.and_then(|selector| all::<HtmlElement>(&selector).into_iter().next()) {
        // Without scrolling: it stands where it stood.
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = kept.focus_with_options(&options);
        repeat_in_corner();
    }
    let is_in_form =
        document().active_element().is_some_and(|element| element.closest("form").is_ok_and(|form| form.is_some()));
    // Who has opened a menu in the meantime goes on there: moving the focus would close it under their hand.
    let is_in_menu = !all::<Element>("details[name][open]").is_empty();
    if is_in_menu || (summary.is_none() && is_in_form) {
        tell_what_is_shown();
        return;
    }
    let place = summary.or_else(|| document().query_selector("h1").ok().flatten());
    if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
        let _ = place.set_attribute("tabindex", "-1");
        let _ = place.focus();
        // It stands above the heading.
        if let Some(refusal) = refusal {
            refusal.scroll_into_view();
        }
        announce(Urgency::Polite, document().title());
    }
}

/// Who stays in a form does not hear the page change around them.
fn tell_what_is_shown() {
    if let Some(shown) = document().query_selector(".c-page-header__subtitle").ok().flatten() {
        announce(Urgency::Polite, format!("Now shown: {}", shown.text_content().unwrap_or_default()));
    }
}

/// A menu is an element that opens by itself and shares a name with others; unlike them, the table under a chart has
/// no name and stays open.
fn close_menus(is_closed: impl Fn(&Element) -> bool) {
    for menu in all::<Element>("details[name][open]") {
        if is_closed(&menu) {
            let _ = menu.remove_attribute("open");
        }
    }
}

/// Closes menus when something outside is pressed or focused, and on Escape, which gives the focus back to its button.
fn watch_menus() {
    if IS_WATCHING.replace(true) {
        return;
    }
    let close_others = |target: Option<web_sys::EventTarget>| {
        let target = target.and_then(|target| target.dyn_into::<Node>().ok());
        close_menus(|menu| !menu.contains(target.as_ref()));
    };
    let _ = window_event_listener(ev::pointerdown, move |event| close_others(event.target()));
    let _ = window_event_listener(ev::focusin, move |event| close_others(event.target()));
    let _ = window_event_listener(ev::keydown, |event| {
        if event.key() != "Escape" {
            return;
        }
        let focused = document().active_element();
        close_menus(|menu| {
            if menu.contains(focused.as_deref())
                && let Some(summary) = menu
                    .query_selector("summary")
                    .ok()
                    .flatten()
                    .and_then(|summary| summary.dyn_into::<HtmlElement>().ok())
            {
                let _ = summary.focus();
            }
            true
        });
    });
}
