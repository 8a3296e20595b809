//! `/t/{tenant}/targets`: what each figure is meant to reach in a month, for everything, a platform or an account. The
//! forms are posted to routes of the server, which lead back here with a message.

pub mod api;
#[cfg(feature = "ssr")]
mod present;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use rtv_ui::{
    Button, Card, Definition, DefinitionList, EmptyState, ErrorSummary, Field, IconName, LinkButton, PageHeader,
    SelectField, Table, Variant,
};
use serde::{Deserialize, Serialize};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Framed, GuardedPage, Place, TenantPage};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    rows: Vec<TargetRow>,
    form: Option<FormView>,
    errors: Vec<(String, String)>,
    needed: String,
    has_accounts: bool,
    rules: Vec<(String, String)>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRow {
    id: String,
    kpi: String,
    kpi_label: String,
    aim: String,
    aim_label: String,
    amount: String,
    exact: String,
    example: Option<String>,
}

/// The form that sets a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormView {
    kpis: Vec<ChoiceView>,
    aims: Vec<ChoiceView>,
    amount: String,
    amount_hint: String,
}

/// The page.
#[component]
pub fn TargetsPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let page = Resource::new(
        move || (params.read().get("tenant").unwrap_or_default(), crate::dashboard::pairs(&query.read())),
        |(tenant, query)| api::read_targets(tenant, query),
    );
    let show = |page| view! { <Page page /> }.into_any();
    view! { <GuardedPage page place=Place::Targets show /> }
}

#[component]
fn Page(page: Framed<Targets>) -> impl IntoView {
    let Targets { rows, form, errors, needed, has_accounts, rules } = page.content;
    let path = format!("/t/{}/targets", page.frame.slug);
    let dashboard = format!("/t/{}/dashboard", page.frame.slug);
    let can_change = form.is_some();
    let list = if rows.is_empty() {
        let text = match (can_change, has_accounts) {
            (true, true) => {
                "Set the first one below: say what a month is meant to bring, and scorecards show how far each platform and account has come."
            }
            (true, false) => {
                "Set the first one below. Targets for platforms and accounts can be set once posts have been imported."
            }
            (false, _) => {
                "An owner or admin of this organisation can set them; scorecards then show how far each platform and account has come."
            }
        };
        view! { <EmptyState icon=IconName::Target title="No targets yet" text /> }.into_any()
    } else {
        let path = path.clone();
        view! {
            <Card flush=true>
                <TargetTable rows path can_change />
            </Card>
        }
        .into_any()
    };
    let rules = rules.into_iter().map(|(letter, text)| Definition::new(letter, text)).collect::<Vec<_>>();
    let form = match form {
        Some(form) => view! { <SetForm form errors=errors.clone() path /> }.into_any(),
        None => view! {
            <Card title="Who sets targets">
                <p class="u-muted">
                    {format!("Setting targets needs the permission “{needed}”. An owner or admin of this organisation can grant it.")}
                </p>
            </Card>
        }
        .into_any(),
    };
    view! {
        <TenantPage frame=page.frame place=Place::Targets is_refused=!errors.is_empty()>
            <ErrorSummary errors />
            <PageHeader
                title="Targets"
                subtitle="What a month is meant to bring. Each day counts as its share of its own month; rates hold at any time."
                actions=view! { <LinkButton href=dashboard icon=IconName::Dashboard>"Dashboard"</LinkButton> }.into_any()
            />
            {list}
            <div class="l-grid" data-columns="2">
                {form}
                <Card title="How grades come about" text="Of the days that are over, what was reached ÷ the target for these days.">
                    <DefinitionList items=rules />
                </Card>
            </div>
        </TenantPage>
    }
}

#[component]
fn SetForm(form: FormView, errors: Vec<(String, String)>, path: String) -> impl IntoView {
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let (kpi_error, aim_error, amount_error) = (error("kpi"), error("aim"), error("amount"));
    view! {
        <Card title="Set a target" text="Setting it again for the same figure changes it.">
            <form class="l-stack" data-gap="4" method="post" action=path autocomplete="off">
                <SelectField label="Figure" name="kpi" options=select_options(form.kpis) error=kpi_error />
                <SelectField label="For" name="aim" options=select_options(form.aims) error=aim_error />
                <Field
                    label="Amount"
                    name="amount"
                    value=form.amount
                    hint=form.amount_hint
                    error=amount_error
                    inputmode="decimal"
                    maxlength="24"
                    required=true
                />
                <div>
                    <Button variant=Variant::Primary>"Set target"</Button>
                </div>
            </form>
        </Card>
    }
}

#[component]
fn TargetTable(rows: Vec<TargetRow>, path: String, can_change: bool) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let label = format!("Remove the target of {} for {}", row.kpi_label.to_lowercase(), row.aim_label);
            let action = can_change.then(|| {
                view! {
                    <td class="c-table__actions">
                        <form method="post" action=format!("{path}/{}/remove", row.id)>
                            <Button small=true label>"Remove"</Button>
                        </form>
                    </td>
                }
            });
            view! {
                <tr data-row=row.id>
                    <th scope="row" data-kpi=row.kpi>{row.kpi_label}</th>
                    <td data-label="For" data-aim=row.aim>{row.aim_label}</td>
                    <td data-label="Target" class="u-number" data-value=row.exact>{row.amount}</td>
                    <td data-label="Last 28 days" class="u-number">{row.example.unwrap_or_else(|| "the same".into())}</td>
                    {action}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Targets" id="targets">
            <thead>
                <tr>
                    <th scope="col">"Figure"</th>
                    <th scope="col">"For"</th>
                    <th scope="col" class="u-number">"Target"</th>
                    <th scope="col" class="u-number">"Last 28 days"</th>
                    {can_change.then(|| view! { <th scope="col"><span class="u-visually-hidden">"Actions"</span></th> })}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}
