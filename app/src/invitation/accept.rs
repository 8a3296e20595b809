//! `/invite/{token}`: who invites to what, and how to accept. A person without an account chooses a name and a password; one
//! with an account signs in first. Links that cannot be used any more and links that never were look alike.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{AuthLayout, Button, ErrorSummary, Field, LinkButton, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// `None` where the link cannot be used.
    offer: Option<Offer>,
    flash: Option<Flash>,
}

/// What somebody is invited to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    tenant: String,
    role: String,
    email: String,
    inviter: String,
    step: Step,
}

/// What the reader does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Chooses a name and a password.
    New,
    /// Signs in with the account that the address has.
    SignIn,
    /// Accepts.
    Accept,
    /// Is signed in as somebody else.
    Other {
        /// With this address.
        email: String,
    },
}

/// What the link offers to who opens it.
#[server(prefix = "/fn", endpoint = "invite", input = server_fn::codec::Json)]
pub async fn read_invite(token: String) -> Result<Invite, AppError> {
    let request = crate::request::current();
    let offer = match rtv_domain::invitation::look(&request.context, &token).await {
        Ok(offer) => offer,
        Err(error @ rtv_core::Error::NotFound) => {
            crate::request::set_status(error.status());
            return Ok(Invite { offer: None, flash: None });
        }
        Err(error) => return Err(error.into()),
    };
    let step = match request.context.person() {
        Some(person) if person.email == offer.email => Step::Accept,
        Some(person) => Step::Other { email: person.email.to_string() },
        None if offer.has_account => Step::SignIn,
        None => Step::New,
    };
    let offer = Offer {
        tenant: offer.tenant,
        role: offer.role_words,
        email: offer.email.to_string(),
        inviter: offer.inviter,
        step,
    };
    Ok(Invite { offer: Some(offer), flash: request.flash })
}

/// The page.
#[component]
pub fn InvitePage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(move || params.read().get("token").unwrap_or_default(), read_invite);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(Invite { offer: Some(offer), flash }) => {
                        let token = params.get_untracked().get("token").unwrap_or_default();
                        view! { <Accept offer flash=flash.unwrap_or_default() path=format!("/invite/{token}") /> }.into_any()
                    }
                    Ok(Invite { offer: None, .. }) => view! { <Useless /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Accept(offer: Offer, flash: Flash, path: String) -> impl IntoView {
    let Offer { tenant, role, email, inviter, step } = offer;
    let title = if flash.errors.is_empty() { format!("Join {tenant}") } else { format!("Error: Join {tenant}") };
    let text = format!("{inviter} invites {email} to {tenant}, as {role}.");
    let errors = flash.errors.clone();
    let next = match step {
        Step::New => {
            let name = flash.value("name").unwrap_or_default();
            let (name_error, password_error) = (flash.error("name"), flash.error("password"));
            view! {
                <form method="post" action=path class="l-stack">
                    <input type="text" name="username" value=email autocomplete="username" hidden=true readonly=true />
                    <Field label="Your name" name="name" value=name error=name_error autocomplete="name" maxlength="120" required=true />
                    <Field
                        label="Password"
                        name="password"
                        kind="password"
                        hint="At least 12 characters that are hard to guess, such as four unrelated words."
                        error=password_error
                        autocomplete="new-password"
                        required=true
                    />
                    <Button variant=Variant::Primary wide=true>"Accept and sign in"</Button>
                </form>
            }
            .into_any()
        }
        Step::SignIn => view! {
            <p>"This address has an account already. Sign in with it; then you can accept."</p>
            <LinkButton href=format!("/sign-in?next={path}") variant=Variant::Primary wide=true>"Sign in"</LinkButton>
        }
        .into_any(),
        Step::Accept => view! {
            <form method="post" action=path>
                <Button variant=Variant::Primary wide=true>"Accept"</Button>
            </form>
        }
        .into_any(),
        Step::Other { email: other } => view! {
            <p>{format!("You are signed in as {other}. Sign out, open the link again, and go on as {email}.")}</p>
            <form method="post" action="/sign-out">
                <Button wide=true>"Sign out"</Button>
            </form>
        }
        .into_any(),
    };
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    view! {
        <PageTitle title />
        <AuthLayout product=PRODUCT title=format!("Join {tenant}") text message>
            {next}
        </AuthLayout>
    }
}

#[component]
fn Useless() -> impl IntoView {
    view! {
        <PageTitle title="This invitation cannot be used" />
        <AuthLayout
            product=PRODUCT
            title="This invitation cannot be used"
            text="It was accepted or revoked, or its seven days are over. If you have accepted it, sign in; if not, ask who invited you to send it again."
        >
            <LinkButton href="/sign-in" variant=Variant::Primary wide=true>"Sign in"</LinkButton>
        </AuthLayout>
    }
}
