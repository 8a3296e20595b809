//! What the lists of content, deliveries and accounts draw alike: a state in a word, the menus that narrow a list, and the page for a
//! list in which nothing fits them. Words for them are in `publish/present.rs`. Runs on the server only.

pub(crate) mod present;

use leptos::prelude::*;
use rtv_ui::{Badge, Button, EmptyState, FilterBar, IconName, LinkButton, SelectField, Tone, Variant};

use crate::dashboard::{AddressForm, ChoiceView, hidden_fields, select_options};

/// How something stands, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateView {
    /// As written in addresses.
    pub(crate) key: String,
    /// For people.
    pub(crate) label: String,
    pub(crate) tone: Tone,
}

impl StateView {
    /// The word beside a heading; scripts and tests find it by its key.
    pub(crate) fn badge(self) -> AnyView {
        let Self { key, label, tone } = self;
        view! { <span data-state=key><Badge tone>{label}</Badge></span> }.into_any()
    }
}

/// A menu above a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) label: &'static str,
    /// As written in addresses.
    pub(crate) name: &'static str,
    pub(crate) choices: Vec<ChoiceView>,
}

/// The menus of a list, with what is wrong in them, as a form whose answer is an address. `kept` goes along with it.
pub(crate) fn filters(
    path: &str,
    kept: Vec<(String, String)>,
    menus: Vec<Filter>,
    errors: &[(String, String)],
    is_filtered: bool,
) -> AnyView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let menus = menus
        .into_iter()
        .map(|Filter { label, name, choices }| {
            view! { <SelectField label name options=select_options(choices) error=error(name) /> }
        })
        .collect_view();
    let reset =
        is_filtered.then(|| view! { <LinkButton href=path.to_owned() variant=Variant::Quiet>"Reset"</LinkButton> });
    let actions = view! {
        {reset}
        <Button>"Apply"</Button>
    }
    .into_any();
    view! {
        <AddressForm action=path.to_owned()>
            {hidden_fields(kept)}
            <FilterBar actions>{menus}</FilterBar>
        </AddressForm>
    }
    .into_any()
}

/// In place of a list of which nothing fits the filters.
pub(crate) fn none_fits(title: &'static str, text: &'static str, path: &str, all: &'static str) -> AnyView {
    let action = view! { <LinkButton href=path.to_owned()>{all}</LinkButton> }.into_any();
    view! { <EmptyState icon=IconName::Search title text action /> }.into_any()
}
