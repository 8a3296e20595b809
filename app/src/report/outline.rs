//! Dragging parts of the outline to another place. It is a short cut: dropping sends the very form that the buttons of a part send.
//! Runs in the browser only.

use std::cell::{Cell, RefCell};

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, EventTarget, HtmlFormElement, HtmlInputElement};

thread_local! {
    static IS_LISTENING: Cell<bool> = const { Cell::new(false) };
    /// The part that is being dragged.
    static DRAGGED: RefCell<Option<Element>> = const { RefCell::new(None) };
}

/// Where the part would go that is being dragged.
const OVER: &str = "data-over";

/// Begins to listen, once for as long as the browser's page lives.
pub(super) fn listen() {
    if IS_LISTENING.replace(true) {
        return;
    }
    let _ = window_event_listener(ev::dragstart, |event| DRAGGED.set(part(event.target())));
    let _ = window_event_listener(ev::dragover, |event| {
        let over = part(event.target()).filter(|_| is_dragging());
        clear();
        if let Some(over) = over {
            // Otherwise nothing can be dropped there.
            event.prevent_default();
            let _ = over.set_attribute(OVER, "");
        }
    });
    let _ = window_event_listener(ev::dragend, |_| {
        clear();
        DRAGGED.set(None);
    });
    let _ = window_event_listener(ev::drop, |event| {
        clear();
        if let (Some(dragged), Some(target)) = (DRAGGED.take(), part(event.target())) {
            event.prevent_default();
            send(&dragged, &target);
        }
    });
}

fn is_dragging() -> bool {
    DRAGGED.with_borrow(Option::is_some)
}

/// The part of the outline that something stands in, where it can be moved.
fn part(target: Option<EventTarget>) -> Option<Element> {
    target?.dyn_into::<Element>().ok()?.closest("[data-part][draggable='true']").ok().flatten()
}

fn clear() {
    if let Ok(Some(over)) = document().query_selector("[data-part][data-over]") {
        let _ = over.remove_attribute(OVER);
    }
}

fn send(dragged: &Element, target: &Element) -> Option<()> {
    let (dragged, target) = (dragged.get_attribute("data-part")?, target.get_attribute("data-part")?);
    if dragged == target {
        return None;
    }
    let form = document().query_selector("form[data-move]").ok()??.dyn_into::<HtmlFormElement>().ok()?;
    let place = form.query_selector("[name='target']").ok()??.dyn_into::<HtmlInputElement>().ok()?;
    form.set_action(&format!("{}/{dragged}/act", form.get_attribute("data-move")?));
    place.set_value(&target);
    form.request_submit().ok()
}
