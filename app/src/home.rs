//! `/`: leads to the dashboard of the tenant that was looked at last, or lets the person choose.

use leptos::prelude::*;
use rtv_ui::{AuthLayout, Button, LinkButton, TenantList, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle, TenantEntry, tenant_links};

/// What the page shows when there is nothing to lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    tenants: Vec<TenantEntry>,
    user_email: String,
    is_staff: bool,
    flash: Option<Flash>,
}

/// Tenants of the person; leads on where it is clear which one is meant.
#[server(prefix = "/fn", endpoint = "home", input = server_fn::codec::Json)]
pub async fn read_home() -> Result<Home, AppError> {
    let request = crate::request::current();
    let person = request.context.person().ok_or(rtv_core::Error::SignedOut)?.clone();
    let tenants = rtv_domain::access::memberships(&request.context).await?;
    let last = tenants.iter().find(|one| Some(one.slug.as_str()) == person.last_tenant.as_deref());
    if let Some(one) = last.or(tenants.first().filter(|_| tenants.len() == 1)) {
        use crate::page::Place;
        let places = Place::open_to(|permission| one.holding.grants_somewhere(permission));
        let place = places.first().copied().unwrap_or(Place::Dashboard);
        crate::request::lead_to(&place.address(one.slug.as_str()));
    }
    Ok(Home {
        tenants: tenants.iter().map(|one| crate::request::entry(one, false)).collect(),
        user_email: person.email.to_string(),
        is_staff: person.is_staff,
        flash: request.flash,
    })
}

/// The page.
#[component]
pub fn HomePage() -> impl IntoView {
    let home = Resource::new(|| (), |()| read_home());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match home.await {
                    Ok(home) => view! { <Chooser home /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Chooser(home: Home) -> impl IntoView {
    let Home { tenants, user_email, is_staff, flash } = home;
    let message = view! { <FlashMessage flash /> }.into_any();
    let foot = view! {
        <form method="post" action="/sign-out">
            <Button variant=Variant::Quiet>"Sign out"</Button>
        </form>
    }
    .into_any();
    if tenants.is_empty() && is_staff {
        return view! {
            <PageTitle title="Staff console" />
            <AuthLayout
                product=PRODUCT
                title="Staff console"
                text=format!("You are signed in as {user_email} and belong to the operator.")
                message
                foot
            >
                <LinkButton href="/staff/tenants" wide=true variant=Variant::Primary>"Open the console"</LinkButton>
                <LinkButton href="/staff/gallery" wide=true external=true>"Components of the pages"</LinkButton>
            </AuthLayout>
        }
        .into_any();
    }
    if tenants.is_empty() {
        return view! {
            <PageTitle title="No organisation yet" />
            <AuthLayout
                product=PRODUCT
                title="You belong to no organisation yet"
                text=format!("You are signed in as {user_email}. Ask an admin of your organisation to add this address; then load this page again.")
                message
                foot
            >
                <LinkButton href="/" wide=true>"Load again"</LinkButton>
            </AuthLayout>
        }
        .into_any();
    }
    let tenants = tenant_links(tenants);
    view! {
        <PageTitle title="Choose an organisation" />
        <AuthLayout product=PRODUCT title="Choose an organisation" text=format!("You are signed in as {user_email}.") message foot>
            <TenantList tenants />
        </AuthLayout>
    }
    .into_any()
}
