//! Saves an edit of the builder without leaving its page: the figures are there sooner, and whoever works at a part stays where they are.
//! It is a short cut: without it the browser sends the same form and loads the page anew. Runs in the browser only.

use std::cell::Cell;

use leptos::ev;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlFormElement, SubmitEvent};

use super::EDIT_TROUBLE;
use crate::arrival;

thread_local! {
    /// Whether an edit is on its way. Another one would be of a version that is old by then.
    static IS_SAVING: Cell<bool> = const { Cell::new(false) };
}

// The button that was pressed is a part of what is sent. An answer that is not of this kind is left to the browser.
#[wasm_bindgen(inline_js = "export async function send_edit(form, button) {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.getAttribute('action'), { method: 'POST', body, headers: { accept: 'application/json' } });
    const isTold = answer.ok && (answer.headers.get('content-type') ?? '').startsWith('application/json');
    return isTold ? (await answer.json()).to : undefined;
}
export function send_by_browser(form, button) {
    form.removeAttribute('data-edit');
    form.requestSubmit(button);
}")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn send_edit(form: &HtmlFormElement, button: Option<Element>) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch)]
    fn send_by_browser(form: &HtmlFormElement, button: Option<Element>) -> Result<(), JsValue>;
}

/// Sends the forms of edits as long as the page is shown; `again` reads it anew.
pub(super) fn follow(again: impl Fn() + Copy + 'static) {
    let navigate = use_navigate();
    let listening = window_event_listener(ev::submit, move |event: SubmitEvent| {
        let Some(form) = edit(&event) else { return };
        event.prevent_default();
        if IS_SAVING.replace(true) {
            return;
        }
        let (button, navigate) = (event.submitter().map(Element::from), navigate.clone());
        mark(true);
        leptos::task::spawn_local(async move {
            let led = send_edit(&form, button.clone()).await;
            IS_SAVING.set(false);
            mark(false);
            match led.map(|to| to.as_string()) {
                Ok(Some(to)) => lead(&to, &form, button.as_ref(), again, &navigate),
                // A refusal with a page of its own, which nothing was changed before.
                Ok(None) => {
                    let _ = send_by_browser(&form, button);
                }
                Err(_) => show_trouble(),
            }
        });
    });
    on_cleanup(move || listening.remove());
}

fn edit(event: &SubmitEvent) -> Option<HtmlFormElement> {
    let form = event.target()?.dyn_into::<HtmlFormElement>().ok()?;
    form.has_attribute("data-edit").then_some(form)
}

fn lead(
    to: &str,
    form: &HtmlFormElement,
    button: Option<&Element>,
    again: impl Fn(),
    navigate: &impl Fn(&str, NavigateOptions),
) {
    let here = location().pathname().unwrap_or_default();
    let shown = format!("{here}{}", location().search().unwrap_or_default());
    // Another page is another matter: the sign-in, for one.
    if to.split('?').next() != Some(here.as_str()) {
        let _ = location().assign(to);
        return;
    }
    arrival::keep_place(place(form, button));
    if to == shown {
        again();
    } else {
        navigate(to, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    }
}

/// How the button that was pressed is found on the page that comes.
fn place(form: &HtmlFormElement, button: Option<&Element>) -> String {
    let action = form.get_attribute("action").unwrap_or_default();
    let form = format!("form[method=\"post\"][action=\"{action}\"]");
    let attribute = |name: &str| button?.get_attribute(name).map(|value| format!("[{name}=\"{value}\"]"));
    format!("{form} button{}{}", attribute("name").unwrap_or_default(), attribute("value").unwrap_or_default())
}

fn mark(is_busy: bool) {
    let Some(preview) = document().get_element_by_id("preview") else { return };
    let _ = if is_busy { preview.set_attribute("aria-busy", "true") } else { preview.remove_attribute("aria-busy") };
    if is_busy && let Some(trouble) = document().get_element_by_id(EDIT_TROUBLE) {
        let _ = trouble.set_attribute("hidden", "");
    }
}

/// Says that it is not known to be saved. What was typed still stands in the form.
fn show_trouble() {
    if let Some(trouble) = document().get_element_by_id(EDIT_TROUBLE) {
        let _ = trouble.remove_attribute("hidden");
        trouble.scroll_into_view();
    }
}
