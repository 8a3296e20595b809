//! `/me`: what a person keeps of themself: name, password, and the ways to their second factor and their sessions.

use leptos::prelude::*;
use rtv_ui::{Badge, Button, Card, ErrorSummary, Field, IconName, LinkButton, PageHeader, Tone, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, Flash, PersonPage};
use crate::second_factor;

/// Where the page is.
pub const PATH: &str = "/me";

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    name: String,
    email: String,
    has_second_factor: bool,
    flash: Option<Flash>,
    around: Around,
}

/// The person's own.
#[server(prefix = "/fn", endpoint = "profile", input = server_fn::codec::Json)]
pub async fn read_profile() -> Result<Profile, AppError> {
    let request = crate::request::current();
    let person = request.context.person().ok_or(rtv_core::Error::SignedOut)?;
    Ok(Profile {
        name: person.name.clone(),
        email: person.email.to_string(),
        has_second_factor: person.has_second_factor,
        flash: request.flash.clone(),
        around: crate::request::around(None).await?,
    })
}

/// The page.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let profile = Resource::new(|| (), |()| read_profile());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match profile.await {
                    Ok(profile) => view! { <Page profile /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Page(profile: Profile) -> impl IntoView {
    let Profile { name, email, has_second_factor, flash, around } = profile;
    let flash = flash.unwrap_or_default();
    let name = flash.value("name").unwrap_or(name);
    let (name_error, old_error, new_error) =
        (flash.error("name"), flash.error("old_password"), flash.error("password"));
    let factor = if has_second_factor {
        view! { <p><Badge tone=Tone::Success>"On"</Badge>" A code is asked for at each sign-in."</p> }.into_any()
    } else {
        view! { <p><Badge tone=Tone::Warning>"Off"</Badge>" Your password alone signs you in."</p> }.into_any()
    };
    let factor_link = if has_second_factor { "Change" } else { "Set it up" };
    view! {
        <PersonPage around title="Profile">
            <ErrorSummary errors=flash.errors />
            <PageHeader title="Profile" subtitle=format!("You sign in as {email}.") />
            <div class="l-grid" data-columns="2">
                <Card title="Name" text="As colleagues and the audit log see you.">
                    <form class="l-stack" data-gap="4" method="post" action="/me/name">
                        <Field label="Your name" name="name" value=name error=name_error autocomplete="name" maxlength="120" required=true />
                        <div>
                            <Button>"Save name"</Button>
                        </div>
                    </form>
                </Card>
                <Card title="Second factor" text="A code of an app on your phone, beside the password.">
                    <div class="l-stack" data-gap="4">
                        {factor}
                        <div>
                            <LinkButton href=second_factor::PATH icon=IconName::Lock>{factor_link}</LinkButton>
                        </div>
                    </div>
                </Card>
                <Card title="Password" text="A new one ends all your other sessions.">
                    <form class="l-stack" data-gap="4" method="post" action="/me/password">
                        <input type="text" name="username" value=email autocomplete="username" hidden=true readonly=true />
                        <Field
                            label="Password that you have now"
                            name="old_password"
                            kind="password"
                            error=old_error
                            autocomplete="current-password"
                            required=true
                        />
                        <Field
                            label="New password"
                            name="password"
                            kind="password"
                            hint="At least 12 characters that are hard to guess, such as four unrelated words."
                            error=new_error
                            autocomplete="new-password"
                            required=true
                        />
                        <div>
                            <Button variant=Variant::Primary>"Change password"</Button>
                        </div>
                    </form>
                </Card>
                <Card title="Sessions" text="Where you are signed in.">
                    <LinkButton href="/me/sessions" icon=IconName::Sessions>"See and end sessions"</LinkButton>
                </Card>
            </div>
        </PersonPage>
    }
}
