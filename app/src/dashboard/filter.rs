//! The bar of filters that the dashboard and the posts share. It is a plain GET form: the address is the state.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::web_sys;
use leptos_router::components::Form;
use leptos_router::params::ParamsMap;
use rtv_ui::{
    Button, CheckboxGroup, CheckboxOption, Field, FilterBar, IconName, LinkButton, SelectField, SelectOption, Variant,
};
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
    /// Campaigns, if there are any.
    pub campaigns: Vec<ChoiceView>,
    /// Teams, if there are any.
    pub teams: Vec<ChoiceView>,
    /// What else the address holds and has to keep.
    pub hidden: Vec<(String, String)>,
    /// The period before, where there is one.
    pub earlier: Option<Step>,
    /// The period after, where it has begun.
    pub later: Option<Step>,
}

/// A neighbouring period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The filter with this period, as a query string.
    pub query: String,
    /// Its days.
    pub days: String,
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
    let printed = printed(&filter);
    let hidden = hidden_fields(filter.hidden);
    let (from_error, to_error, range_error, compare_error) =
        (error("from"), error("to"), error("range"), error("compare"));
    let has_accounts = !filter.accounts.is_empty();
    let has_campaigns = !filter.campaigns.is_empty();
    let has_teams = !filter.teams.is_empty();
    let compare = if hide_compare && compare_error.is_none() {
        let chosen = filter
            .compares
            .into_iter()
            .filter(|one| one.is_chosen)
            .map(|one| ("compare".to_owned(), one.value))
            .collect();
        hidden_fields(chosen).into_any()
    } else {
        view! {
            <SelectField
                label="Compare with"
                name="compare"
                options=select_options(filter.compares)
                error=compare_error
                attr:aria-keyshortcuts="x"
            />
        }
        .into_any()
    };
    let actions = view! {
        {step(filter.earlier, &path, "Earlier", "[", IconName::ChevronLeft)}
        {step(filter.later, &path, "Later", "]", IconName::ChevronRight)}
        <Button variant=Variant::Primary>"Apply"</Button>
    }
    .into_any();
    view! {
        <AddressForm action=path>
            {hidden}
            <FilterBar actions=actions>
                <SelectField label="Period" name="range" options=select_options(filter.ranges) error=range_error />
                <div class="c-filter__dates">
                    <Field label="From" name="from" kind="date" value=day(filter.from) error=from_error />
                    <Field label="To" name="to" kind="date" value=day(filter.to) error=to_error />
                </div>
                {compare}
                {has_accounts.then(|| view! {
                    <CheckboxGroup label="Platform" name="platform" options=checkbox_options(filter.platforms) none="All" />
                    <CheckboxGroup label="Account" name="account" options=checkbox_options(filter.accounts) none="All" />
                })}
                {has_campaigns.then(|| view! {
                    <CheckboxGroup label="Campaign" name="campaign" options=checkbox_options(filter.campaigns) none="All" />
                })}
                {has_teams.then(|| view! {
                    <CheckboxGroup label="Team" name="team" options=checkbox_options(filter.teams) none="All" />
                })}
            </FilterBar>
        </AddressForm>
        <p class="u-print-only u-small u-muted">{printed}</p>
    }
}

/// A link to a neighbouring period; its key is pressed by `keyboard.rs`.
fn step(step: Option<Step>, path: &str, word: &'static str, key: &'static str, icon: IconName) -> Option<AnyView> {
    step.map(|step| {
        view! {
            <LinkButton
                href=format!("{path}?{}", step.query)
                icon
                label=format!("{word}: {}", step.days)
                attr:aria-keyshortcuts=key
                attr:title=format!("{word}: {}", step.days)
                attr:data-noscroll="true"
            >
                ""
            </LinkButton>
        }
        .into_any()
    })
}

/// What is chosen, for paper, which shows no form.
fn printed(filter: &FilterView) -> String {
    let chosen = |label: &str, all: &str, choices: &[ChoiceView]| {
        let names: Vec<&str> = choices.iter().filter(|one| one.is_chosen).map(|one| one.label.as_str()).collect();
        if names.is_empty() { format!("{label}: {all}") } else { format!("{label}: {}", names.join(", ")) }
    };
    let mut parts = vec![chosen("Platforms", "all", &filter.platforms), chosen("Accounts", "all", &filter.accounts)];
    if !filter.teams.is_empty() {
        parts.push(chosen("Teams", "all", &filter.teams));
    }
    parts.join(" · ")
}

/// A form whose fields become the address of the page.
#[component]
pub fn AddressForm(action: String, children: Children) -> impl IntoView {
    // The router's form also sends the button that was pressed, even one without a name.
    let drop_nameless = Arc::new(|data: &web_sys::FormData| data.delete(""));
    // Going back, browsers would restore what was typed last and not what the address says.
    view! {
        <Form method="get" action noscroll=true on_form_data=drop_nameless attr:autocomplete="off">
            {children()}
        </Form>
    }
}

/// What a date field can hold; browsers complain about a value that is no day, and drop it.
pub(crate) fn day(typed: String) -> Option<String> {
    let is_day = typed.len() == 10
        && typed.splitn(3, '-').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>().is_some_and(|parts| {
            match parts[..] {
                [year, month, day] => {
                    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                    let last = match month {
                        2 if is_leap => 29,
                        2 => 28,
                        4 | 6 | 9 | 11 => 30,
                        1..=12 => 31,
                        _ => 0,
                    };
                    year > 0 && (1..=last).contains(&day)
                }
                _ => false,
            }
        });
    is_day.then_some(typed)
}

/// Fields that a form passes on without showing them.
pub fn hidden_fields(hidden: Vec<(String, String)>) -> impl IntoView {
    hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view()
}

/// Choices for a menu.
pub fn select_options(choices: Vec<ChoiceView>) -> Vec<SelectOption> {
    choices
        .into_iter()
        .map(|one| SelectOption { value: one.value, label: one.label, selected: one.is_chosen })
        .collect()
}

fn checkbox_options(choices: Vec<ChoiceView>) -> Vec<CheckboxOption> {
    choices
        .into_iter()
        .map(|one| CheckboxOption {
            value: one.value,
            label: one.label,
            checked: one.is_chosen,
            ..CheckboxOption::default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_field_holds_days_of_the_calendar_only() {
        let check = |typed: &str, expect: bool| assert_eq!(day(typed.into()).is_some(), expect, "{typed:?}");
        check("2018-02-28", true);
        check("2016-02-29", true);
        check("2018-02-29", false);
        check("1900-02-29", false);
        check("2018-13-01", false);
        check("2018-4-1", false);
        check("tomorrow", false);
        check("", false);
    }
}
