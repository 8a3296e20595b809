//! `/me/sessions`: where the person is signed in, and ending any of it.

use leptos::prelude::*;
use rtv_ui::{Badge, Button, Card, PageHeader, Table, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, PersonPage};

/// One session, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    id: String,
    device: String,
    network: String,
    last_used: String,
    last_used_ago: String,
    signed_in: String,
    is_current: bool,
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    rows: Vec<SessionRow>,
    user_email: String,
    around: Around,
}

/// The person's sessions. Times are in UTC, because a person may belong to tenants of several zones.
#[server(prefix = "/fn", endpoint = "sessions", input = server_fn::codec::Json)]
pub async fn read_sessions() -> Result<Sessions, AppError> {
    let request = crate::request::current();
    let devices = rtv_domain::session::list(&request.context).await?;
    let now = request.context.now();
    let email = request.context.person().ok_or(rtv_core::Error::SignedOut)?.email.to_string();
    let rows = devices
        .into_iter()
        .map(|device| SessionRow {
            id: device.id.to_string(),
            device: rtv_domain::session::device_name(device.user_agent.as_deref()),
            network: device.address.map_or_else(|| "unknown".into(), |address| address.to_string()),
            last_used: device.last_used_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            last_used_ago: rtv_domain::format::ago(device.last_used_at, now),
            signed_in: device.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            is_current: device.is_current,
        })
        .collect();
    Ok(Sessions { rows, user_email: email, around: crate::request::around(None).await? })
}

/// The page.
#[component]
pub fn SessionsPage() -> impl IntoView {
    let sessions = Resource::new(|| (), |()| read_sessions());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match sessions.await {
                    Ok(sessions) => view! { <SessionList sessions /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn SessionList(sessions: Sessions) -> impl IntoView {
    let others = sessions.rows.iter().filter(|row| !row.is_current).count();
    let end_others = (others > 0).then(|| {
        view! {
            <form method="post" action="/me/sessions/end-others">
                <Button variant=Variant::Danger>"End all other sessions"</Button>
            </form>
        }
    });
    let rows = sessions.rows.into_iter().map(|row| view! { <Row row /> }).collect_view();
    view! {
        <PersonPage around=sessions.around title="Sessions">
            <PageHeader
                title="Sessions"
                subtitle=format!("Where {} is signed in. A session ends after 12 hours without use and after 7 days at the latest.", sessions.user_email)
                actions=view! { {end_others} }.into_any()
            />
            <Card flush=true>
                <Table caption="Sessions" id="sessions">
                    <thead>
                        <tr>
                            <th scope="col">"Device"</th>
                            <th scope="col">"Network"</th>
                            <th scope="col">"Last used"</th>
                            <th scope="col">"Signed in"</th>
                            <th scope="col"><span class="u-visually-hidden">"Actions"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
            </Card>
        </PersonPage>
    }
}

#[component]
fn Row(row: SessionRow) -> impl IntoView {
    let action = if row.is_current {
        view! {
            <form method="post" action="/sign-out">
                <Button small=true>"Sign out"</Button>
            </form>
        }
        .into_any()
    } else {
        let label = format!("End the session on {}", row.device);
        view! {
            <form method="post" action=format!("/me/sessions/{}/end", row.id)>
                <Button small=true label>"End session"</Button>
            </form>
        }
        .into_any()
    };
    view! {
        <tr>
            <th scope="row" data-label="Device">
                {row.device} " "
                {row.is_current.then(|| view! { <Badge tone=Tone::Success>"This session"</Badge> })}
            </th>
            <td data-label="Network">{row.network}</td>
            <td data-label="Last used"><span title=row.last_used>{row.last_used_ago}</span></td>
            <td data-label="Signed in">{row.signed_in}</td>
            <td class="c-table__actions">{action}</td>
        </tr>
    }
}
