//! The bar of filters that the dashboard and the posts share. It is a plain GET form: the address is the state.

use leptos::prelude::*;
use leptos_router::components::Form;
use leptos_router::params::ParamsMap;
use rtv_ui::{Button, CheckboxGroup, CheckboxOption, Field, FilterBar, SelectField, SelectOption, Variant};
use serde::{Deserialize, Serialize};

/// One choice of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoiceView {
    /// As written in the address.
    pub value: String,
    /// For people.
    pub label: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// One account to choose.
pub type AccountOption = ChoiceView;

/// State of the bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterView {
    /// Periods.
    pub ranges: Vec<ChoiceView>,
    /// First day as typed, for a period of one's own.
    pub from: String,
    /// Last day as typed.
    pub to: String,
    /// Comparisons.
    pub compares: Vec<ChoiceView>,
    /// Platforms that the tenant has accounts on.
    pub platforms: Vec<ChoiceView>,
    /// Accounts.
    pub accounts: Vec<AccountOption>,
    /// What else the address holds and has to keep.
    pub hidden: Vec<(String, String)>,
}

/// The pairs of a query string, in a form that travels to the server.
pub fn pairs(query: &ParamsMap) -> Vec<(String, String)> {
    query.clone().into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
}

/// The bar.
#[component]
pub fn FilterBarView(
    filter: FilterView,
    errors: Vec<(String, String)>,
    path: String,
    /// For a page that compares nothing: the choice travels with the address and is not shown.
    #[prop(optional)]
    hide_compare: bool,
) -> impl IntoView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let hidden = hidden_fields(filter.hidden);
    let (from_error, to_error, range_error, compare_error) = (error("from"), error("to"), error("range"), error("compare"));
    let has_accounts = !filter.accounts.is_empty();
    let compare = if hide_compare && compare_error.is_none() {
        let chosen = filter.compares.into_iter().filter(|one| one.is_chosen).map(|one| ("compare".to_owned(), one.value)).collect();
        hidden_fields(chosen).into_any()
    } else {
        view! { <SelectField label="Compare with" name="compare" options=select_options(filter.compares) error=compare_error /> }.into_any()
    };
    view! {
        <Form method="get" action=path>
            {hidden}
            <FilterBar actions=view! { <Button variant=Variant::Primary>"Apply"</Button> }.into_any()>
                <SelectField label="Period" name="range" options=select_options(filter.ranges) error=range_error />
                <div class="c-filter__dates">
                    <Field label="From" name="from" kind="date" value=filter.from error=from_error />
                    <Field label="To" name="to" kind="date" value=filter.to error=to_error />
                </div>
                {compare}
                {has_accounts.then(|| view! {
                    <CheckboxGroup label="Platform" name="platform" options=checkbox_options(filter.platforms) none="All" />
                    <CheckboxGroup label="Account" name="account" options=checkbox_options(filter.accounts) none="All" />
                })}
            </FilterBar>
        </Form>
    }
}

/// Fields that a form passes on without showing them.
pub fn hidden_fields(hidden: Vec<(String, String)>) -> impl IntoView {
    hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()
}

/// Choices for a menu.
pub fn select_options(choices: Vec<ChoiceView>) -> Vec<SelectOption> {
    choices.into_iter().map(|one| SelectOption { value: one.value, label: one.label, selected: one.is_chosen }).collect()
}

fn checkbox_options(choices: Vec<ChoiceView>) -> Vec<CheckboxOption> {
    choices.into_iter().map(|one| CheckboxOption { value: one.value, label: one.label, checked: one.is_chosen }).collect()
}
