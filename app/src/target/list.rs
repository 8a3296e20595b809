//! The targets and the form that sets one, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Definition, DefinitionList, EmptyState, ErrorSummary, Field, IconName, LinkButton, PageHeader,
    SelectField, Table, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    pub(super) rows: Vec<TargetRow>,
    pub(super) form: Option<FormView>,
    pub(super) errors: Vec<(String, String)>,
    pub(super) needed: String,
    pub(super) has_accounts: bool,
    pub(super) rules: Vec<(String, String)>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    pub(super) id: String,
    pub(super) kpi: String,
    pub(super) kpi_label: String,
    pub(super) aim: String,
    pub(super) aim_label: String,
    pub(super) amount: String,
    pub(super) exact: String,
    pub(super) example: Option<String>,
}

/// The form that sets a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormView {
    pub(super) kpis: Vec<ChoiceView>,
    pub(super) aims: Vec<ChoiceView>,
    pub(super) amount: String,
    pub(super) amount_hint: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Targets>) -> Drawn {
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
    let is_refused = !errors.is_empty();
    let html = view! {
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
    };
    Drawn::new(Vec::new(), is_refused, html)
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
