//! Keeps an open page up to date about what is halted: asks every three seconds while it is seen, shows and says what has
//! changed, and says that it is unknown when RTV has not answered for twenty seconds. Also fetches, beside the form that
//! halts, what it would stop. Runs in the browser only.

use core::time::Duration;
use std::cell::{Cell, RefCell};

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, FormData, HtmlElement, HtmlFormElement};

use super::api::{Halts, read_halt_preview, read_halts, read_switches};
use super::{BANNER, below};
use crate::announce::{Urgency, announce};
use crate::arrival::all;
use crate::page::DRAWN;
use crate::report::api::read_report;

/// The clock of the watch.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two questions, an answer within a second included: within five seconds every page knows.
const PATIENCE: u32 = 3;
/// Ticks without any answer after which nothing is known.
const SILENCE: u32 = 20;
/// The banner of a page that hears nothing. Written out, as the components that draw it run on the server.
const UNKNOWN: &str = "<div class=\"c-banner\" role=\"region\" aria-label=\"Unknown whether anything is halted\" data-state=\"unknown\" \
    data-version=\"unknown\" data-say=\"Unknown whether anything is halted: RTV does not answer\"><p class=\"c-banner__words\">\
    <strong class=\"c-banner__title\">? Unknown whether anything is halted</strong> \
    <span class=\"c-banner__fact\">RTV has not answered for 20 seconds; what this page shows may be out of date</span></p></div>";

#[derive(Default)]
struct Watch {
    is_running: Cell<bool>,
    is_asking: Cell<bool>,
    /// Ticks since the last question.
    rested: Cell<u32>,
    /// Ticks since the last answer.
    silent: Cell<u32>,
    is_moving: Cell<bool>,
    /// What was said last, or stood there when the page came.
    said: RefCell<Option<String>>,
}

thread_local! {
    static WATCH: Watch = Watch::default();
    /// What the page that is shown was asked with.
    static QUERY: RefCell<Vec<(String, String)>> = RefCell::default();
}

/// Remembers what a page is asked with, to ask the same again.
pub(crate) fn remember(query: &[(String, String)]) {
    QUERY.set(query.to_vec());
}

/// Looks at a page that was just shown, and begins to watch with the first one.
pub(crate) fn settle() {
    request_animation_frame(|| {
        say();
        preview(None);
    });
    if WATCH.with(|watch| watch.is_running.replace(true)) {
        return;
    }
    let _ = window_event_listener(ev::visibilitychange, |_| ask());
    let _ = window_event_listener(ev::change, |event| {
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        preview(field.and_then(|field| field.closest("form").ok().flatten()));
    });
    let _ = set_interval_with_handle(
        || {
            let is_due = WATCH.with(|watch| {
                watch.rested.set(watch.rested.get() + 1);
                watch.silent.set(watch.silent.get() + 1);
                watch.rested.get() >= if watch.is_moving.get() || is_page_moving() { 1 } else { PATIENCE }
            });
            if is_due {
                ask();
            }
        },
        TICK,
    );
}

fn place() -> Option<Element> {
    document().get_element_by_id(BANNER)
}

fn shown() -> Option<Element> {
    place()?.query_selector(".c-banner").ok().flatten()
}

fn attribute(name: &str) -> String {
    shown().and_then(|banner| banner.get_attribute(name)).unwrap_or_default()
}

/// Shows a banner, or none.
pub(super) fn show(html: &str) {
    if let Some(place) = place()
        && place.inner_html() != html
    {
        place.set_inner_html(html);
    }
}

/// Says what has changed since it was said last. What stood there when the first page came is read with the page.
fn say() {
    let now = attribute("data-say");
    let before = WATCH.with(|watch| watch.said.replace(Some(now.clone())));
    if before.is_some_and(|before| before != now) {
        announce(Urgency::Assertive, if now.is_empty() { "Nothing is halted any more".to_owned() } else { now });
    }
}

/// Asks, where there is somebody to see and something to show it in.
fn ask() {
    if document().hidden() || place().is_none() {
        WATCH.with(|watch| watch.silent.set(0));
        return;
    }
    let is_busy = WATCH.with(|watch| {
        watch.rested.set(0);
        watch.silent.get() < SILENCE && watch.is_asking.replace(true)
    });
    if is_busy {
        return;
    }
    leptos::task::spawn_local(async {
        let page = location().pathname().unwrap_or_default();
        let answer = read_halts(page, attribute("data-version")).await;
        WATCH.with(|watch| watch.is_asking.set(false));
        let Ok(changed) = answer else {
            if WATCH.with(|watch| watch.silent.get() >= SILENCE) && attribute("data-state") != "unknown" {
                show(UNKNOWN);
                say();
            }
            return;
        };
        WATCH.with(|watch| watch.silent.set(0));
        let has_changed = changed.is_some();
        if let Some(Halts { html, is_moving }) = changed {
            WATCH.with(|watch| watch.is_moving.set(is_moving));
            show(&html);
            say();
        }
        if has_changed || is_page_moving() {
            refresh().await;
        }
    });
}

/// Whether the page follows something that is under way: a receipt that is not complete, a request that waits.
fn is_page_moving() -> bool {
    document().query_selector("[data-follows=\"moving\"]").ok().flatten().is_some()
}

/// Fetches anew what is shown, where the page says that it follows what happens.
async fn refresh() {
    let path = location().pathname().unwrap_or_default();
    let Some(drawn) = document().get_element_by_id(DRAWN) else { return };
    if drawn.query_selector("[data-follows]").ok().flatten().is_none() {
        return;
    }
    let query = QUERY.with_borrow(Clone::clone);
    let html = match path.strip_prefix("/t/").and_then(|rest| rest.split_once('/')) {
        Some((tenant, rest)) if rest.starts_with("reports/") => {
            let parts = rest.split('/').skip(1).map(str::to_owned).collect();
            match read_report(tenant.to_owned(), parts, Vec::new()).await {
                Ok(page) => page.content.ok().map(crate::page::Drawn::into_html),
                Err(_) => None,
            }
        }
        Some((tenant, _)) => match read_switches(tenant.to_owned(), below(&path), query).await {
            Ok(page) => page.content.ok().map(crate::page::Drawn::into_html),
            Err(_) => None,
        },
        None => crate::staff::read_console(path.clone(), query).await.ok().map(|(_, html, _)| html),
    };
    // The page may have been left meanwhile.
    if let Some(html) = html
        && location().pathname().is_ok_and(|now| now == path)
    {
        replace(&drawn, &html);
    }
}

/// Puts the new page in place of the old one, where it says something else; who reads it with the keyboard or has scrolled stays where
/// they are. What stays as it is can be pressed while it is asked for again.
fn replace(drawn: &Element, html: &str) {
    let Ok(fresh) = document().create_element("div") else { return };
    fresh.set_inner_html(html);
    if fresh.inner_html() == drawn.inner_html() {
        return;
    }
    let focused = document().active_element().filter(|element| drawn.contains(Some(element)));
    let again = focused.and_then(|element| {
        element
            .id()
            .split_whitespace()
            .next()
            .map(|id| format!("#{id}"))
            .or_else(|| element.get_attribute("href").map(|href| format!("a[href=\"{href}\"]")))
    });
    let scrolled: Vec<(i32, i32)> =
        all::<Element>(".c-matrix").iter().map(|region| (region.scroll_left(), region.scroll_top())).collect();
    drawn.set_inner_html(html);
    for (region, (left, top)) in all::<Element>(".c-matrix").iter().zip(scrolled) {
        region.set_scroll_left(left);
        region.set_scroll_top(top);
    }
    if let Some(element) = again.and_then(|selector| all::<HtmlElement>(&selector).into_iter().next()) {
        let _ = element.focus();
    }
}

/// Shows beside the form what it would stop. The form itself waits for nothing.
fn preview(form: Option<Element>) {
    let form = form.or_else(|| document().query_selector("form[data-preview]").ok().flatten());
    let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) else { return };
    let Some(tenant) = form.get_attribute("data-preview") else { return };
    let Some(scope) = FormData::new_with_form(&form).ok().and_then(|data| data.get("scope").as_string()) else {
        return;
    };
    leptos::task::spawn_local(async move {
        let html = read_halt_preview(tenant, scope.clone()).await;
        let Some(place) = document().get_element_by_id("halt-preview") else { return };
        let now = FormData::new_with_form(&form).ok().and_then(|data| data.get("scope").as_string());
        // Somebody may have chosen something else meanwhile; its own answer comes.
        if now.as_ref() == Some(&scope) {
            place.set_inner_html(
                &html.unwrap_or_else(|error| {
                    format!("<p class=\"u-muted\">{}</p>", escaped(&error.error.explanation()))
                }),
            );
        }
    });
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
