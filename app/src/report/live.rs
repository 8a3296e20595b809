//! Charts of sheets that answer to the pointer. Sheets are drawn on the server, so a script looks for their charts; it is loaded with
//! the first page that has one. Runs in the browser only.

use std::cell::Cell;

use leptos::prelude::*;
use wasm_bindgen::prelude::*;

thread_local! {
    static IS_FOLLOWING: Cell<bool> = const { Cell::new(false) };
}

// The chart's script has an address of its own with a hash in it, which only the page knows.
#[wasm_bindgen(inline_js = "export async function follow_charts(module, echarts) {
    (await import(module)).follow(echarts);
}")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn follow_charts(module: &str, echarts: &str) -> Result<(), JsValue>;
}

/// Looks for a chart on the page that has just come, and begins to follow charts with the first one. What fails leaves the pictures.
pub(super) fn look() {
    request_animation_frame(|| {
        let Ok(Some(place)) = document().query_selector("[data-chart]") else { return };
        let (Some(module), Some(echarts)) = (place.get_attribute("data-module"), place.get_attribute("data-echarts"))
        else {
            return;
        };
        if !IS_FOLLOWING.replace(true) {
            leptos::task::spawn_local(async move {
                if follow_charts(&module, &echarts).await.is_err() {
                    IS_FOLLOWING.set(false);
                }
            });
        }
    });
}
