//! The frame of every chart: a sentence that says what is to be seen, the drawn picture, the place where a
//! script may put a live one, and the same data as a table.

use leptos::prelude::*;

use crate::{Disclosure, Words};

/// A drawn picture in both themes, and its size, which keeps the page from jumping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The address of the light picture.
    pub src: String,
    /// The address of the dark picture.
    pub dark_src: String,
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
}

/// A chart. As soon as the live place loses its `hidden` attribute it takes the picture's place, at its size.
#[component]
pub fn ChartFrame(
    /// The heading.
    #[prop(into)]
    title: String,
    /// What is to be seen, one sentence: "Reach rose 12.4%, mostly on LinkedIn".
    #[prop(into)]
    takeaway: String,
    /// The drawn picture.
    picture: Picture,
    /// Another picture for less than 640 pixels, where the wide one would become too small to read.
    #[prop(default = None)]
    narrow: Option<Picture>,
    /// Another picture for less than 1,024 pixels.
    #[prop(default = None)]
    medium: Option<Picture>,
    /// The address of the wide light picture, for paper: it is light whatever the screen is, and browsers do not choose a
    /// picture anew for it, nor do they wait for one that is loaded only then. Where the screen is light it is the same.
    #[prop(into)]
    paper: String,
    /// What the picture shows, in place of it.
    #[prop(into)]
    alt: String,
    /// The place for a live chart: `<div class="c-chart__live" hidden node_ref=…></div>`.
    #[prop(optional)]
    live: Option<AnyView>,
    /// Choices beside the heading, such as metric and step.
    #[prop(optional)]
    actions: Option<AnyView>,
    /// What the chart leaves out, under the picture.
    #[prop(optional, into)]
    note: Words,
    /// The words that open the table.
    #[prop(optional, into)]
    table_label: Words,
    /// The [`Table`](crate::Table) with the same data.
    children: Children,
) -> impl IntoView {
    let up_to = |limit: &str, picture: Picture| {
        let dark = format!("(max-width: {limit}) and (prefers-color-scheme: dark)");
        view! {
            <source media=dark srcset=picture.dark_src width=picture.width height=picture.height />
            <source media=format!("(max-width: {limit})") srcset=picture.src width=picture.width height=picture.height />
        }
    };
    let narrow = narrow.map(|picture| up_to("639.98px", picture));
    let medium = medium.map(|picture| up_to("1023.98px", picture));
    view! {
        <figure class="c-chart">
            <div class="c-chart__head">
                <figcaption class="c-chart__caption">
                    <h2>{title}</h2>
                    <p class="c-chart__takeaway">{takeaway}</p>
                </figcaption>
                {actions.map(|actions| view! { <div class="c-chart__actions">{actions}</div> })}
            </div>
            <div class="c-chart__canvas">
                <picture class="c-chart__picture">
                    {narrow}
                    {medium}
                    <source media="(prefers-color-scheme: dark)" srcset=picture.dark_src />
                    <img
                        class="c-chart__image"
                        src=picture.src
                        width=picture.width
                        height=picture.height
                        alt=alt
                        decoding="async"
                    />
                </picture>
                <img
                    class="c-chart__paper u-print-only"
                    src=paper
                    width=picture.width
                    height=picture.height
                    alt=""
                    fetchpriority="low"
                />
                {live}
            </div>
            {note.into_option().map(|note| view! { <p class="c-chart__note">{note}</p> })}
            <Disclosure summary=table_label.into_option().unwrap_or_else(|| "View data".to_owned())>{children()}</Disclosure>
        </figure>
    }
    .into_any()
}
