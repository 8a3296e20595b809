//! How far long work is. The bar is the browser's own element, whose width needs no style attribute.

use leptos::prelude::*;

/// A thousand parts are the whole: finer than any bar is wide.
const WHOLE: u32 = 1_000;

/// A bar with what it measures and how it goes on. Takes plain values or signals, so that a page may let it grow.
#[component]
pub fn Progress(
    /// What is going on.
    #[prop(into)]
    label: String,
    /// The id of the bar; unique on the page.
    #[prop(into)]
    id: String,
    /// How much is done, in thousandths; `None` while nobody can know.
    #[prop(into)]
    thousandths: Signal<Option<u32>>,
    /// How fast it goes and how long it will take.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let share = move || thousandths.get().map(|done| format!("{}%", done.min(WHOLE) / 10)).unwrap_or_default();
    let value = move || thousandths.get().map(|done| done.min(WHOLE).to_string());
    view! {
        <div class="c-progress">
            <div class="c-progress__head">
                <label class="c-progress__label" for=id.clone()>{label}</label>
                <span class="c-progress__share" aria-hidden="true">{share}</span>
            </div>
            <progress class="c-progress__bar" id=id max=WHOLE.to_string() value=value></progress>
            <p class="c-progress__text">{move || text.get()}</p>
        </div>
    }
    .into_any()
}
