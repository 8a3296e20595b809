//! `/staff/…`: the operator's console. Every page of it is drawn on the server, its frame included, so the browser knows
//! nothing of it but how to ask for one. To everybody who is not staff these pages do not exist.

#[cfg(feature = "ssr")]
mod console;
#[cfg(feature = "ssr")]
mod kill_switch;
#[cfg(feature = "ssr")]
mod mail;
#[cfg(feature = "ssr")]
mod maintenance;
#[cfg(feature = "ssr")]
mod tenant;
#[cfg(feature = "ssr")]
mod tenants;
#[cfg(feature = "ssr")]
mod users;

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{DRAWN, PageTitle};

/// A page of the console: its title, the page in its frame, and what is announced above it.
#[server(prefix = "/fn", endpoint = "staff", input = server_fn::codec::Json)]
pub async fn read_console(path: String, query: Vec<(String, String)>) -> Result<(String, String, String), AppError> {
    Ok(console::page(&path, &query).await?)
}

/// Whichever page of the console the address means.
#[component]
pub fn ConsolePage() -> impl IntoView {
    let location = use_location();
    let (params, query) = (use_params_map(), use_query_map());
    let page = Resource::new(
        move || {
            // The address changes also when somebody leaves for another page; its parameters belong to this one.
            params.track();
            let query = crate::dashboard::pairs(&query.read());
            #[cfg(feature = "hydrate")]
            crate::kill_switch::watch::remember(&query);
            (location.pathname.get_untracked(), query)
        },
        |(path, query)| read_console(path, query),
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match page.await {
                    Ok((title, html, announcement)) => {
                        crate::maintenance::keep(announcement);
                        view! {
                            <PageTitle title />
                            <div class="l-drawn" id=DRAWN inner_html=html></div>
                        }
                        .into_any()
                    }
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Transition>
    }
}
