//! `/staff/mail`: the mail that RTV has written, for staff. Without a mail server this is where it can be read; the text of
//! mail that is sent is never shown. To everybody else these pages do not exist.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{
    Badge, Card, Definition, DefinitionList, EmptyState, IconName, LinkButton, Notice, PageHeader, RowLink, Table, Tone,
};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, PersonPage};

/// Where the list is.
pub const PATH: &str = "/staff/mail";

/// A mail, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    id: String,
    to: String,
    subject: String,
    state: String,
    is_trouble: bool,
    last_error: Option<String>,
    written: String,
    written_ago: String,
}

#[cfg(feature = "ssr")]
fn row(mail: rtv_domain::mail::Listed, now: chrono::DateTime<chrono::Utc>) -> Row {
    use rtv_domain::mail::State;
    Row {
        id: mail.id.to_string(),
        to: mail.to,
        subject: mail.subject,
        state: mail.state.label().into(),
        is_trouble: matches!(mail.state, State::Failed | State::Uncertain),
        last_error: mail.last_error,
        written: mail.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
        written_ago: rtv_domain::format::ago(mail.created_at, now),
    }
}

/// What the list shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mails {
    rows: Vec<Row>,
    is_caught: bool,
    around: Around,
}

/// The newest mail.
#[server(prefix = "/fn", endpoint = "mails", input = server_fn::codec::Json)]
pub async fn read_mails() -> Result<Mails, AppError> {
    let request = crate::request::current();
    let now = request.context.now();
    let rows = rtv_domain::mail::list(&request.context).await?.into_iter().map(|mail| row(mail, now)).collect();
    let is_caught = expect_context::<rtv_domain::mail::Outbox>().is_caught();
    Ok(Mails { rows, is_caught, around: crate::request::around(None).await? })
}

/// What the page of one mail shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    row: Row,
    /// The text, with the path of each line that is a link of ours; `None` where it is not shown.
    lines: Option<Vec<(String, Option<String>)>>,
    around: Around,
}

/// One mail with its text, where it is caught.
#[server(prefix = "/fn", endpoint = "mail", input = server_fn::codec::Json)]
pub async fn read_mail(mail: String) -> Result<Mail, AppError> {
    let request = crate::request::current();
    rtv_domain::access::staff(&request.context)?;
    let id = mail.parse().map_err(|_| rtv_core::Error::NotFound)?;
    let vault = expect_context::<rtv_domain::vault::Vault>();
    let (listed, text) = rtv_domain::mail::read(&request.context, &vault, id).await?;
    let own = |line: &str| {
        let rest = line.strip_prefix("https://").or_else(|| line.strip_prefix("http://"))?;
        rest.strip_prefix(request.host.as_str()).and_then(crate::request::local_path).map(str::to_owned)
    };
    let lines = text.map(|text| text.lines().map(|line| (line.to_owned(), own(line))).collect());
    let row = row(listed, request.context.now());
    Ok(Mail { row, lines, around: crate::request::around(None).await? })
}

/// The list.
#[component]
pub fn MailsPage() -> impl IntoView {
    let page = Resource::new(|| (), |()| read_mails());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(mails) => view! { <List mails /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn List(mails: Mails) -> impl IntoView {
    let Mails { rows, is_caught, around } = mails;
    let subtitle = if is_caught {
        "No mail server is set: mail stays here and is sent to nobody. Set RTV_SMTP_URL to send it."
    } else {
        "What was written within the last thirty days, and whether the mail server has it."
    };
    let list = if rows.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Posts
                title="No mail was written"
                text="Invitations, links to a new password and notices about accounts appear here as soon as there are any."
            />
        }
        .into_any()
    } else {
        let rows = rows.into_iter().map(|row| view! { <MailRow row /> }).collect_view();
        view! {
            <Card flush=true>
                <Table caption="Mail" id="mail">
                    <thead>
                        <tr>
                            <th scope="col">"Subject"</th>
                            <th scope="col">"To"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Written"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Card>
        }
        .into_any()
    };
    view! {
        <PersonPage around title="Mail">
            <PageHeader title="Mail" subtitle />
            {list}
        </PersonPage>
    }
}

#[component]
fn StateBadge(state: String, is_trouble: bool) -> impl IntoView {
    let tone = if is_trouble { Tone::Danger } else { Tone::Neutral };
    view! { <Badge tone>{state}</Badge> }
}

#[component]
fn MailRow(row: Row) -> impl IntoView {
    view! {
        <tr data-row=row.id.clone()>
            <th scope="row" data-label="Subject">
                <RowLink href=format!("{PATH}/{}", row.id)>{row.subject}</RowLink>
            </th>
            <td data-label="To">{row.to}</td>
            <td data-label="State"><StateBadge state=row.state is_trouble=row.is_trouble /></td>
            <td data-label="Written"><span title=row.written>{row.written_ago}</span></td>
        </tr>
    }
}

/// One mail.
#[component]
pub fn MailPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("mail").unwrap_or_default(), read_mail);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(mail) => view! { <One mail /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn One(mail: Mail) -> impl IntoView {
    let Mail { row, lines, around } = mail;
    let mut facts = vec![
        Definition::new("To", row.to),
        Definition::new("Written", row.written),
        Definition::new("State", row.state),
    ];
    facts.extend(row.last_error.map(|error| Definition::new("The mail server said", error)));
    let text = match lines {
        Some(lines) => {
            let lines = lines
                .into_iter()
                .map(|(line, path)| match path {
                    // The page behind it may be one that changes who is signed in: the browser loads it.
                    Some(path) => view! { <a href=path rel="external">{line}</a>"\n" }.into_any(),
                    None => view! { {line}"\n" }.into_any(),
                })
                .collect_view();
            view! {
                <Card title="Text">
                    <p class="c-mail-text">{lines}</p>
                </Card>
            }
            .into_any()
        }
        None => view! {
            <Notice>"The text of mail that is sent is between the mail server and who gets it. It is not kept, and not shown here."</Notice>
        }
        .into_any(),
    };
    view! {
        <PersonPage around title="Mail">
            <PageHeader
                title=row.subject
                actions=view! { <LinkButton href=PATH icon=IconName::ChevronLeft>"All mail"</LinkButton> }.into_any()
            />
            <Card>
                <DefinitionList items=facts />
            </Card>
            {text}
        </PersonPage>
    }
}
