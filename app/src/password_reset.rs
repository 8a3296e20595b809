//! `/reset`, which asks for an address and says the same whoever has it, and `/reset/{token}`, which sets a new password.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{AuthLayout, Button, ErrorSummary, Field, LinkButton, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle};

/// Where the page is.
pub const PATH: &str = "/reset";

/// The message that waits for the page.
// A server function is asynchronous by its nature; this one has nothing to wait for.
#[allow(clippy::unused_async)]
#[server(prefix = "/fn", endpoint = "reset", input = server_fn::codec::Json)]
pub async fn read_reset() -> Result<Option<Flash>, AppError> {
    Ok(crate::request::current().flash)
}

/// The page that asks for an address.
#[component]
pub fn ResetPage() -> impl IntoView {
    let flash = Resource::new(|| (), |()| read_reset());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match flash.await {
                    Ok(flash) => view! { <Ask flash=flash.unwrap_or_default() /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Ask(flash: Flash) -> impl IntoView {
    let title = if flash.errors.is_empty() { "Forgotten password" } else { "Error: Forgotten password" };
    let email = flash.value("email").unwrap_or_default();
    let email_error = flash.error("email");
    let errors = flash.errors.clone();
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    let foot =
        view! { <LinkButton href="/sign-in" variant=Variant::Quiet>"Back to the sign-in"</LinkButton> }.into_any();
    view! {
        <PageTitle title />
        <AuthLayout
            product=PRODUCT
            title="Forgotten password"
            text="Enter your work email address. If it has an account, we send a link with which you choose a new password."
            message
            foot
        >
            <form method="post" action=PATH class="l-stack">
                <Field label="Work email" name="email" kind="email" value=email error=email_error autocomplete="username" required=true />
                <Button variant=Variant::Primary wide=true>"Send the link"</Button>
            </form>
        </AuthLayout>
    }
}

/// What the page of a link shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPassword {
    /// Whose password; `None` where the link is useless.
    email: Option<String>,
    flash: Option<Flash>,
}

/// Whose link it is. One that was used, that is too old or that never existed is all the same.
#[server(prefix = "/fn", endpoint = "reset-link", input = server_fn::codec::Json)]
pub async fn read_new_password(token: String) -> Result<NewPassword, AppError> {
    let request = crate::request::current();
    match rtv_domain::password_reset::look(&request.context, &token).await {
        Ok(email) => Ok(NewPassword { email: Some(email.to_string()), flash: request.flash }),
        Err(error @ rtv_core::Error::NotFound) => {
            crate::request::set_status(error.status());
            Ok(NewPassword { email: None, flash: None })
        }
        Err(error) => Err(error.into()),
    }
}

/// The page of a link.
#[component]
pub fn NewPasswordPage() -> impl IntoView {
    let params = use_params_map();
    let token = move || params.read().get("token").unwrap_or_default();
    let page = Resource::new(token, read_new_password);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(NewPassword { email: Some(email), flash }) => {
                        let token = params.get_untracked().get("token").unwrap_or_default();
                        view! { <Choose email flash=flash.unwrap_or_default() token /> }.into_any()
                    }
                    Ok(NewPassword { email: None, .. }) => view! { <Useless /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Choose(email: String, flash: Flash, token: String) -> impl IntoView {
    let title = if flash.errors.is_empty() { "New password" } else { "Error: New password" };
    let password_error = flash.error("password");
    let errors = flash.errors.clone();
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    view! {
        <PageTitle title />
        <AuthLayout
            product=PRODUCT
            title="Choose a new password"
            text=format!("For {email}. Everybody who is signed in with the old one is signed out.")
            message
        >
            <form method="post" action=format!("{PATH}/{token}") class="l-stack">
                <input type="text" name="username" value=email autocomplete="username" hidden=true readonly=true />
                <Field
                    label="New password"
                    name="password"
                    kind="password"
                    hint="At least 12 characters that are hard to guess, such as four unrelated words."
                    error=password_error
                    autocomplete="new-password"
                    required=true
                />
                <Button variant=Variant::Primary wide=true>"Set password"</Button>
            </form>
        </AuthLayout>
    }
}

#[component]
fn Useless() -> impl IntoView {
    view! {
        <PageTitle title="This link cannot be used" />
        <AuthLayout
            product=PRODUCT
            title="This link cannot be used"
            text="A link to a new password holds for an hour and works once. Ask for another one; the newest mail has the one that works."
        >
            <LinkButton href=PATH variant=Variant::Primary wide=true>"Ask for another link"</LinkButton>
        </AuthLayout>
    }
}
