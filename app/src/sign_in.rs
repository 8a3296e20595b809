//! `/sign-in`, and `/sign-in/code` for who has a second factor. The forms are posted to the same addresses, to plain routes
//! of the server: they work alike with and without JavaScript, and a refusal comes back as a message in the session, with
//! what was typed.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use rtv_ui::{AuthLayout, Button, ErrorSummary, Field, LinkButton, Variant};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle};

/// The message that waits for the page; who is signed in already is led on, unless the tenant that they want to enter asks
/// them to sign in again.
#[server(prefix = "/fn", endpoint = "sign-in", input = server_fn::codec::Json)]
pub async fn read_sign_in(next: String) -> Result<Option<Flash>, AppError> {
    let request = crate::request::current();
    if request.context.person().is_some() {
        let tenant = next.strip_prefix("/t/").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        match rtv_domain::access::enter(&request.context, tenant).await {
            Err(error @ rtv_core::Error::SessionIdle) if request.flash.is_none() => {
                return Ok(Some(Flash { text: Some(error.explanation()), ..Flash::default() }));
            }
            Err(rtv_core::Error::SessionIdle) => {}
            _ => crate::request::lead_to("/"),
        }
    }
    Ok(request.flash)
}

/// The page.
#[component]
pub fn SignInPage() -> impl IntoView {
    let query = use_query_map();
    let flash = Resource::new(move || query.read().get("next").unwrap_or_default(), read_sign_in);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match flash.await {
                    Ok(flash) => {
                        let next = query.get_untracked().get("next").unwrap_or_default();
                        view! { <SignIn flash next /> }.into_any()
                    }
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn SignIn(flash: Option<Flash>, next: String) -> impl IntoView {
    let flash = flash.unwrap_or_default();
    let title = if flash.errors.is_empty() { "Sign in" } else { "Error: Sign in" };
    let email = flash.value("email").unwrap_or_default();
    let email_error = flash.error("email");
    let password_error = flash.error("password");
    let errors = flash.errors.clone();
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    let foot =
        view! { <LinkButton href=crate::password_reset::PATH variant=Variant::Quiet>"Forgotten password"</LinkButton> }
            .into_any();
    view! {
        <PageTitle title />
        <AuthLayout product=PRODUCT title="Sign in" text="Use your work email address." message foot>
            <form method="post" action="/sign-in" class="l-stack">
                <input type="hidden" name="next" value=next />
                <Field label="Work email" name="email" kind="email" value=email error=email_error autocomplete="username" required=true />
                <Field label="Password" name="password" kind="password" error=password_error autocomplete="current-password" required=true />
                <Button variant=Variant::Primary wide=true>"Sign in"</Button>
            </form>
        </AuthLayout>
    }
}

/// Where the code is given.
pub const CODE_PATH: &str = "/sign-in/code";

/// The page of the second step. It shows the same whether somebody has given their password or not; the form knows.
#[component]
pub fn CodePage() -> impl IntoView {
    let query = use_query_map();
    let flash = Resource::new(move || query.read().get("next").unwrap_or_default(), read_sign_in);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match flash.await {
                    Ok(flash) => {
                        let next = query.get_untracked().get("next").unwrap_or_default();
                        view! { <Code flash=flash.unwrap_or_default() next /> }.into_any()
                    }
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Code(flash: Flash, next: String) -> impl IntoView {
    let title = if flash.errors.is_empty() { "Enter your code" } else { "Error: Enter your code" };
    let code_error = flash.error("code");
    let errors = flash.errors.clone();
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    let foot = view! { <LinkButton href="/sign-in" variant=Variant::Quiet>"Begin again"</LinkButton> }.into_any();
    view! {
        <PageTitle title />
        <AuthLayout product=PRODUCT title="Enter your code" text="Your password is right. Now the code that your app shows." message foot>
            <form method="post" action=CODE_PATH class="l-stack" autocomplete="off">
                <input type="hidden" name="next" value=next />
                <Field
                    label="Code"
                    name="code"
                    hint="Six digits; without your phone, one of your recovery codes."
                    error=code_error
                    autocomplete="one-time-code"
                    maxlength="40"
                    required=true
                />
                <Button variant=Variant::Primary wide=true>"Sign in"</Button>
            </form>
        </AuthLayout>
    }
}
