//! `/staff/mail`: the mail that RTV has written. Without a mail server this is where it can be read; the text of mail that
//! is sent is never shown.

use leptos::prelude::*;
use rtv_core::Error;
use rtv_domain::mail::{self, Listed, Outbox, State};
use rtv_domain::vault::Vault;
use rtv_ui::{
    Badge, Card, Definition, DefinitionList, EmptyState, IconName, LinkButton, Notice, PageHeader, RowLink, Table, Tone,
};

use super::console::{Page, Section, ago, time};
use crate::request::Request;

const PATH: &str = "/staff/mail";

pub(super) async fn list(request: &Request) -> Result<Page, Error> {
    let ctx = &request.context;
    let mails = mail::list(ctx).await?;
    let subtitle = if expect_context::<Outbox>().is_caught() {
        "No mail server is set: mail stays here and is sent to nobody. Set RTV_SMTP_URL to send it."
    } else {
        "What was written within the last thirty days, and whether the mail server has it."
    };
    let now = ctx.now();
    let list = if mails.is_empty() {
        view! {
            <EmptyState
                icon=IconName::Posts
                title="No mail was written"
                text="Invitations, links to a new password and notices about accounts appear here as soon as there are any."
            />
        }
        .into_any()
    } else {
        let rows = mails.into_iter().map(|mail| line(mail, now)).collect_view();
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
    let body = view! {
        <PageHeader title="Mail" subtitle />
        {list}
    };
    Ok(Page { section: Section::Mail, crumbs: Vec::new(), body: body.into_any() })
}

fn line(mail: Listed, now: chrono::DateTime<chrono::Utc>) -> impl IntoView {
    let tone = if matches!(mail.state, State::Failed | State::Uncertain) { Tone::Danger } else { Tone::Neutral };
    view! {
        <tr data-row=mail.id.to_string()>
            <th scope="row" data-label="Subject">
                <RowLink href=format!("{PATH}/{}", mail.id)>{mail.subject}</RowLink>
            </th>
            <td data-label="To">{mail.to}</td>
            <td data-label="State"><Badge tone>{mail.state.label()}</Badge></td>
            <td data-label="Written">{ago(Some(mail.created_at), now)}</td>
        </tr>
    }
}

/// One mail with its text, where it is caught.
pub(super) async fn one(request: &Request, id: &str) -> Result<Page, Error> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let (mail, text) = mail::read(&request.context, &expect_context::<Vault>(), id).await?;
    let own = |line: &str| {
        let rest = line.strip_prefix("https://").or_else(|| line.strip_prefix("http://"))?;
        rest.strip_prefix(request.host.as_str()).and_then(crate::request::local_path).map(str::to_owned)
    };
    let mut facts = vec![
        Definition::new("To", mail.to),
        Definition::new("Written", time(mail.created_at)),
        Definition::new("State", mail.state.label()),
    ];
    facts.extend(mail.last_error.map(|error| Definition::new("The mail server said", error)));
    let text = match text {
        Some(text) => {
            let lines = text
                .lines()
                .map(|line| match own(line) {
                    // The page behind it may be one that changes who is signed in: the browser loads it.
                    Some(path) => view! { <a href=path rel="external">{line.to_owned()}</a>"\n" }.into_any(),
                    None => view! { {line.to_owned()}"\n" }.into_any(),
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
    let body = view! {
        <PageHeader
            title=mail.subject.clone()
            actions=view! { <LinkButton href=PATH icon=IconName::ChevronLeft>"All mail"</LinkButton> }.into_any()
        />
        <Card>
            <DefinitionList items=facts />
        </Card>
        {text}
    };
    Ok(Page { section: Section::Mail, crumbs: vec![(mail.subject, None)], body: body.into_any() })
}
