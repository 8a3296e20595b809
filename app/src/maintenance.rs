//! What the operator announces on every page while nothing changes. The server draws it beside the pages; a page that comes
//! later, without the document being loaded again, brings it along.

use leptos::prelude::*;

/// The element that holds it.
const ID: &str = "announcement";

/// Its place above every page.
#[component]
pub fn Announcement() -> impl IntoView {
    // In the browser this is empty, and hydration leaves what the server has drawn.
    view! { <div id=ID inner_html=shown()></div> }
}

fn shown() -> String {
    #[cfg(feature = "ssr")]
    return use_context::<crate::request::Request>().map(|request| request.announcement()).unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    String::new()
}

/// Shows what a page brought along in place of what stood there.
pub fn keep(html: String) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        if let Some(place) = document().get_element_by_id(ID) {
            place.set_inner_html(&html);
        }
    });
    #[cfg(not(feature = "hydrate"))]
    drop(html);
}

/// The words, drawn.
#[cfg(feature = "ssr")]
pub fn drawn(maintenance: &rtv_domain::maintenance::Maintenance) -> String {
    use rtv_ui::{Notice, Tone};
    let until = maintenance
        .expected_until
        .map(|at| format!(" We expect to be done by {}.", at.format("%Y-%m-%d %H:%M UTC")))
        .unwrap_or_default();
    let reason = rtv_core::ReadOnly::Maintenance { reason: maintenance.reason.clone() };
    view! {
        <section class="c-announcement" aria-label="Maintenance">
            <Notice tone=Tone::Warning>{reason.explanation()}{until}</Notice>
        </section>
    }
    .to_html()
}
