//! What opens over a page at the press of a key: the command palette, and the list of keys. Both are native dialogs,
//! which keep the focus inside and give it back. They exist only while they are open, so a page without scripts has
//! neither; it has the search page and the help page with the same content instead.

use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{HtmlDialogElement, HtmlElement};

use crate::{Icon, IconName};

/// Entries that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaletteGroup {
    /// What they have in common.
    pub label: String,
    /// The entries, the best first.
    pub items: Vec<PaletteItem>,
}

/// One place that the palette leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaletteItem {
    /// Its name.
    pub label: String,
    /// What else tells it from others.
    pub detail: String,
    /// Where it is.
    pub href: String,
    /// Its icon.
    pub icon: IconName,
}

/// Shows a dialog as soon as it stands in the page. A click beside it closes it, as Escape does.
fn show(place: NodeRef<html::Dialog>) {
    Effect::new(move || {
        if let Some(dialog) = place.get() {
            // Refused only where it is shown already.
            let _ = dialog.show_modal();
        }
    });
}

fn close_beside(event: MouseEvent) {
    if let Some(dialog) = event.target().and_then(|target| target.dyn_into::<HtmlDialogElement>().ok()) {
        dialog.close();
    }
}

/// A field that finds, and what it has found: arrows choose, Enter goes there.
#[component]
pub fn Palette(
    /// What is typed; the groups follow it.
    typed: RwSignal<String>,
    /// What is found.
    #[prop(into)]
    groups: Signal<Vec<PaletteGroup>>,
    /// The page that searches when nothing is found here.
    #[prop(into)]
    search: String,
    /// The organisation that one is in, by its name in addresses.
    #[prop(into)]
    slug: String,
    /// Runs when it has closed.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let place = NodeRef::<html::Dialog>::new();
    let active = RwSignal::new(0_usize);
    show(place);
    let count = move || groups.read().iter().map(|group| group.items.len()).sum::<usize>();
    let close = move || {
        if let Some(dialog) = place.get_untracked() {
            dialog.close();
        }
    };
    let on_input = move |event: Event| {
        active.set(0);
        typed.set(event_target_value(&event));
    };
    let on_key = move |event: KeyboardEvent| choose(&event, active, untrack(count));
    let listed = move || palette_groups(groups.get(), active, close);
    let found = move || match count() {
        0 => "Nothing found".to_owned(),
        1 => "1 result".to_owned(),
        more => format!("{more} results"),
    };
    view! {
        <dialog
            class="c-dialog c-palette"
            aria-label="Find and go to"
            node_ref=place
            on:close=move |_| on_close.run(())
            on:click=close_beside
        >
            <form class="c-palette__form" method="get" action=search>
                <input type="hidden" name="tenant" value=slug />
                <Icon name=IconName::Search />
                <input
                    class="c-palette__input"
                    type="text"
                    name="q"
                    role="combobox"
                    aria-label="Find a page or an organisation"
                    aria-autocomplete="list"
                    aria-controls="palette-list"
                    aria-expanded=move || { if count() > 0 { "true" } else { "false" } }
                    aria-activedescendant=move || (count() > 0).then(|| option_id(active.get()))
                    placeholder="Find a page or an organisation"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    enterkeyhint="go"
                    on:input=on_input
                    on:keydown=on_key
                />
                <button class="c-palette__close" type="button" aria-label="Close" on:click=move |_| close()>
                    <Icon name=IconName::Close />
                </button>
            </form>
            <div class="c-palette__list" role="listbox" id="palette-list" aria-label="Found" hidden=move || { count() == 0 }>
                {listed}
            </div>
            <p class="c-palette__none" hidden=move || { count() > 0 }>
                "Nothing is called this. Pages, organisations and help are found by their names."
            </p>
            <p class="u-visually-hidden" aria-live="polite">{found}</p>
            <p class="c-palette__keys" aria-hidden="true">
                <kbd class="c-key">"↑"</kbd>
                <kbd class="c-key">"↓"</kbd>
                " choose "
                <kbd class="c-key">"Enter"</kbd>
                " go "
                <kbd class="c-key">"Esc"</kbd>
                " close"
            </p>
        </dialog>
    }
    .into_any()
}

/// Moves the choice, or goes where it leads. `end` is the number of options.
fn choose(event: &KeyboardEvent, active: RwSignal<usize>, end: usize) {
    let at = active.get_untracked();
    // While an input method composes a word, its keys are its own.
    if end == 0 || event.is_composing() {
        return;
    }
    match event.key().as_str() {
        "ArrowDown" => active.set((at + 1) % end),
        "ArrowUp" => active.set((at + end - 1) % end),
        "Enter" => {
            if let Some(link) = option(at) {
                link.click();
            }
        }
        _ => return,
    }
    event.prevent_default();
    bring_into_sight(active.get_untracked());
}

fn option_id(at: usize) -> String {
    format!("palette-option-{at}")
}

fn option(at: usize) -> Option<HtmlElement> {
    document().get_element_by_id(&option_id(at))?.dyn_into().ok()
}

/// Scrolls the list as far as it takes to see the chosen option, and no further.
fn bring_into_sight(at: usize) {
    let Some(option) = option(at) else { return };
    // The list is the option's positioned parent.
    let Some(list) = option.offset_parent() else { return };
    let (top, bottom) = (option.offset_top(), option.offset_top() + option.offset_height());
    if at == 0 {
        list.set_scroll_top(0);
    } else if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

/// The groups with their options, which are numbered through all of them.
fn palette_groups(
    groups: Vec<PaletteGroup>,
    active: RwSignal<usize>,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let mut next = 0;
    groups
        .into_iter()
        .enumerate()
        .map(|(number, group)| {
            let first = next;
            next += group.items.len();
            let items = group
                .items
                .into_iter()
                .zip(first..)
                .map(|(item, at)| palette_item(item, at, active, close))
                .collect_view();
            let id = format!("palette-group-{number}");
            let labelledby = id.clone();
            view! {
                <div class="c-palette__group" role="group" aria-labelledby=labelledby>
                    <p class="c-palette__label" role="presentation" id=id>{group.label}</p>
                    {items}
                </div>
            }
            .into_any()
        })
        .collect_view()
}

fn palette_item(
    item: PaletteItem,
    at: usize,
    active: RwSignal<usize>,
    close: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <a
            class="c-palette__item"
            role="option"
            id=option_id(at)
            href=item.href
            tabindex="-1"
            aria-selected=move || if active.get() == at { "true" } else { "false" }
            on:click=move |_| close()
        >
            <Icon name=item.icon />
            <span class="c-palette__name">{item.label}</span>
            <span class="c-palette__detail">{item.detail}</span>
        </a>
    }
    .into_any()
}

/// What was found, on a page of its own.
#[component]
pub fn ResultList(
    /// What is found.
    groups: Vec<PaletteGroup>,
) -> impl IntoView {
    let groups = groups
        .into_iter()
        .map(|group| {
            let items = group
                .items
                .into_iter()
                .map(|item| {
                    view! {
                        <li>
                            <a class="c-palette__item" href=item.href>
                                <Icon name=item.icon />
                                <span class="c-palette__name">{item.label}</span>
                                <span class="c-palette__detail">{item.detail}</span>
                            </a>
                        </li>
                    }
                    .into_any()
                })
                .collect_view();
            view! {
                <section class="c-results__group">
                    <h2 class="c-palette__label">{group.label}</h2>
                    <ul>{items}</ul>
                </section>
            }
            .into_any()
        })
        .collect_view();
    view! { <div class="c-results">{groups}</div> }.into_any()
}

/// Keys that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGroup {
    /// What they have in common.
    pub label: String,
    /// Each set of keys, pressed together or one after the other, and what it does.
    pub rows: Vec<(Vec<String>, String)>,
}

/// Keys and what they do, in tables.
#[component]
pub fn KeyList(
    /// The keys.
    groups: Vec<KeyGroup>,
) -> impl IntoView {
    let groups = groups
        .into_iter()
        .map(|group| {
            let rows = group
                .rows
                .into_iter()
                .map(|(keys, what)| {
                    let keys = keys.into_iter().map(|key| view! { <kbd class="c-key">{key}</kbd> " " }).collect_view();
                    view! {
                        <tr>
                            <th class="c-keys__what" scope="row">{what}</th>
                            <td class="c-keys__keys">{keys}</td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <table class="c-keys__table">
                    <caption class="c-keys__label">{group.label}</caption>
                    <tbody>{rows}</tbody>
                </table>
            }
            .into_any()
        })
        .collect_view();
    view! { <div class="c-keys">{groups}</div> }.into_any()
}

/// The list of keys over a page.
#[component]
pub fn KeyDialog(
    /// The keys.
    groups: Vec<KeyGroup>,
    /// The page with the same list, where the keys are switched off and on.
    #[prop(into)]
    help: String,
    /// Runs when it has closed.
    #[prop(into)]
    on_close: Callback<()>,
) -> impl IntoView {
    let place = NodeRef::<html::Dialog>::new();
    show(place);
    view! {
        <dialog
            class="c-dialog"
            aria-labelledby="keys-title"
            node_ref=place
            on:close=move |_| on_close.run(())
            on:click=close_beside
        >
            <div class="c-dialog__body">
                <form class="c-dialog__head" method="dialog">
                    <h2 class="c-dialog__title" id="keys-title">"Keyboard shortcuts"</h2>
                    <button class="c-palette__close" type="submit" aria-label="Close">
                        <Icon name=IconName::Close />
                    </button>
                </form>
                <KeyList groups />
                <p class="c-dialog__foot"><a href=help>"Switch single keys on or off"</a></p>
            </div>
        </dialog>
    }
    .into_any()
}
