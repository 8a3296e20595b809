//! `/shared/{token}`: what a link in the mail of a report opens, to whoever holds it: the files of one run, and the choice to get no
//! more of these mails. Links that were never made open nothing; those whose time is over have no files.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{AuthLayout, Button, IconName, LinkButton, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handout {
    tenant: String,
    name: String,
    text: String,
    /// Name in the address, words, size.
    files: Vec<(String, String, String)>,
    /// What to do where there are no files any more.
    is_over: Option<String>,
    /// Whether more mails come; `None` where none would anyway.
    is_subscribed: Option<bool>,
    recipient: String,
    flash: Option<Flash>,
}

/// What the link opens.
#[server(prefix = "/fn", endpoint = "handout", input = server_fn::codec::Json)]
pub async fn read_handout(token: String) -> Result<Handout, AppError> {
    use rtv_domain::format::Format;

    let request = crate::request::current();
    let vault = expect_context::<rtv_domain::vault::Vault>();
    let handed = rtv_domain::report::handout(&request.context, &vault, &token).await?;
    let format = Format::of(&handed.tenant);
    let until = format.instant(handed.expires_at);
    let is_over = handed.expires_at <= request.context.now();
    if is_over {
        // Gone, and not merely not found: whoever reads it can ask for another one.
        crate::request::set_status(410);
    }
    let files = handed
        .files
        .iter()
        .map(|file| {
            let size = format!("{} KiB", format.count((file.bytes + 1_023) / 1_024));
            (file.name(), format!("{}: {}", file.format.label(), file.title), size)
        })
        .collect();
    Ok(Handout {
        text: format!("{} · {}", handed.tenant.name, format.period(handed.period)),
        tenant: handed.tenant.name,
        name: handed.name,
        files,
        is_over: is_over
            .then(|| format!("This link held until {until}. Ask whoever sends you the report for the files.")),
        is_subscribed: handed.is_subscribed,
        recipient: handed.recipient,
        flash: request.flash,
    })
}

/// The page.
#[component]
pub fn HandoutPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("token").unwrap_or_default(), read_handout);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(report) => {
                        let token = params.get_untracked().get("token").unwrap_or_default();
                        view! { <Report report path=format!("/shared/{token}") /> }.into_any()
                    }
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Report(report: Handout, path: String) -> impl IntoView {
    let Handout { tenant, name, text, files, is_over, is_subscribed, recipient, flash } = report;
    let files = files
        .into_iter()
        .map(|(file, words, size)| {
            view! {
                <li class="c-files__row">
                    <LinkButton href=format!("{path}/files/{file}") external=true icon=IconName::Export>{words}</LinkButton>
                    <span class="u-muted u-small u-nowrap">{size}</span>
                </li>
            }
        })
        .collect_view();
    let choice = is_subscribed.map(|is_subscribed| {
        let (action, words, verb) = if is_subscribed {
            (
                format!("{path}/leave"),
                format!("{tenant} sends this report to {recipient} by itself."),
                "Send me no more of these",
            )
        } else {
            (format!("{path}/return"), format!("{recipient} gets no more of these mails."), "Send them again")
        };
        view! {
            <form class="l-stack" data-gap="2" method="post" action=action>
                <p class="u-muted u-small">{words}</p>
                <Button variant=Variant::Quiet wide=true>{verb}</Button>
            </form>
        }
    });
    let over = is_over.map(|words| view! { <p>{words}</p> });
    let message = view! { <FlashMessage flash /> }.into_any();
    view! {
        <PageTitle title=name.clone() />
        <AuthLayout product=PRODUCT title=name text message>
            {over}
            <ul class="c-files">{files}</ul>
            {choice}
        </AuthLayout>
    }
}
