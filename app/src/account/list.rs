//! The list of accounts and the forms that connect one, drawn.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, EmptyState, ErrorSummary, Field, IconName, PageHeader, RowLink, SelectField, Table, Variant,
};

use crate::dashboard::{ChoiceView, select_options};
use crate::page::{Drawn, Framed};
use crate::publish::StateView;

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    pub(super) rows: Vec<AccountRow>,
    /// How one is connected, for who may.
    pub(super) connect: Option<ConnectView>,
    /// Why the reader cannot connect one.
    pub(super) needed: Option<String>,
    /// Which networks cannot be published to yet.
    pub(super) later: String,
    pub(super) errors: Vec<(String, String)>,
}

/// What an account can be connected on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectView {
    pub(super) platforms: Vec<ChoiceView>,
    /// The page of the sandbox network.
    pub(super) sandbox: String,
}

/// One account in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    pub(super) id: String,
    pub(super) href: String,
    pub(super) name: String,
    pub(super) platform: String,
    /// The network's own id of it.
    pub(super) remote: String,
    pub(super) state: StateView,
    /// What is wrong.
    pub(super) problem: Option<String>,
    pub(super) verified: String,
    pub(super) verified_at: Option<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Accounts>) -> Drawn {
    let Framed { frame, content } = page;
    let Accounts { rows, connect, needed, later, errors } = content;
    let path = format!("/t/{}/accounts", frame.slug);
    let is_refused = !errors.is_empty();
    let list = if rows.is_empty() {
        let text = if connect.is_some() {
            "An account is a profile on a network that posts go to. Begin with one on the sandbox network, which is made for trying out: nothing there reaches anybody."
        } else {
            "An account is a profile on a network that posts go to. An owner or admin of this organisation can connect one."
        };
        view! { <EmptyState icon=IconName::User title="No account yet" text /> }.into_any()
    } else {
        view! {
            <div class="l-stack" data-gap="2">
                <Card flush=true>
                    <AccountTable rows />
                </Card>
                <p class="u-muted u-small">{later}</p>
            </div>
        }
        .into_any()
    };
    let connect = connect.map(|one| connect_card(one, &errors, &path));
    let needed = needed.map(|text| view! { <p class="u-muted u-small">{text}</p> });
    let html = view! {
        <ErrorSummary errors />
        <PageHeader title="Accounts" subtitle="The profiles that posts go to, and whether RTV may act as each." />
        {list}
        {connect}
        {needed}
    };
    Drawn::new(Vec::new(), is_refused, html)
}

#[component]
fn AccountTable(rows: Vec<AccountRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let tone = row.state.tone;
            view! {
                <tr data-row=row.id data-state=row.state.key>
                    <th scope="row">
                        <RowLink href=row.href>{row.name}</RowLink>
                        <span class="c-table__detail">{row.platform}</span>
                    </th>
                    <td data-label="Id on the network"><span class="u-truncate">{row.remote}</span></td>
                    <td data-label="Connection">
                        <div>
                            <Badge tone>{row.state.label}</Badge>
                            {row.problem.map(|text| view! { <span class="c-table__detail c-publish-note">{text}</span> })}
                        </div>
                    </td>
                    <td data-label="Last verified" class="u-nowrap"><span title=row.verified_at>{row.verified}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table caption="Accounts" id="accounts">
            <thead>
                <tr>
                    <th scope="col">"Account"</th>
                    <th scope="col">"Id on the network"</th>
                    <th scope="col">"Connection"</th>
                    <th scope="col">"Last verified"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

fn connect_card(connect: ConnectView, errors: &[(String, String)], path: &str) -> AnyView {
    let ConnectView { platforms, sandbox } = connect;
    let error = |field: &str| errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone());
    let [platform_error, token_error] = ["platform", "token"].map(error);
    let action = path.to_owned();
    view! {
        <Card title="Connect an account" text="With a token of its network. RTV asks the network whose it is; that account is connected then.">
            <form class="l-stack" data-gap="4" method="post" action=action autocomplete="off" id="connect">
                <SelectField label="Network" name="platform" options=select_options(platforms) error=platform_error />
                <Field
                    label="Token"
                    name="token"
                    kind="password"
                    hint="Stored sealed and never shown again."
                    error=token_error
                    autocomplete="off"
                    maxlength="8192"
                    required=true
                />
                <div>
                    <Button variant=Variant::Primary>"Connect"</Button>
                </div>
                <p class="u-muted u-small">
                    "For trying out: the page of the "
                    <a href=sandbox rel="external noopener noreferrer">"sandbox network"</a>
                    " makes accounts and gives their tokens. Nothing that is posted there reaches anybody."
                </p>
            </form>
        </Card>
    }
    .into_any()
}
