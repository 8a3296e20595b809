//! `/me/confirm`: asks once more for the password or a code before something dangerous, and leads back to it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use rtv_ui::{AuthLayout, Button, ErrorSummary, Field, LinkButton, Variant};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Flash, FlashMessage, PRODUCT, PageTitle};

/// Where the page is.
pub const PATH: &str = "/me/confirm";

/// What the page needs to know of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    email: String,
    has_second_factor: bool,
    /// Where it leads afterwards.
    next: String,
    flash: Option<Flash>,
}

/// Who is asked, and the way on.
// A server function is asynchronous by its nature; this one has nothing to wait for.
#[allow(clippy::unused_async)]
#[server(prefix = "/fn", endpoint = "confirm", input = server_fn::codec::Json)]
pub async fn read_confirmation(next: String) -> Result<Confirmation, AppError> {
    let request = crate::request::current();
    let person = request.context.person().ok_or(rtv_core::Error::SignedOut)?;
    Ok(Confirmation {
        email: person.email.to_string(),
        has_second_factor: person.has_second_factor,
        next: crate::request::local_path(&next).unwrap_or("/me").to_owned(),
        flash: request.flash.clone(),
    })
}

/// The page.
#[component]
pub fn ConfirmationPage() -> impl IntoView {
    let query = use_query_map();
    let page = Resource::new(move || query.read().get("next").unwrap_or_default(), read_confirmation);
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(page) => view! { <Ask page /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Ask(page: Confirmation) -> impl IntoView {
    let Confirmation { email, has_second_factor, next, flash } = page;
    let flash = flash.unwrap_or_default();
    let title = if flash.errors.is_empty() { "Confirm that it is you" } else { "Error: Confirm that it is you" };
    let (password_error, code_error) = (flash.error("password"), flash.error("code"));
    let errors = flash.errors.clone();
    let message = view! {
        <FlashMessage flash=Some(flash) />
        <ErrorSummary errors />
    }
    .into_any();
    let text = if has_second_factor {
        "What comes next is dangerous in the wrong hands. Enter your password, or a code; it holds for five minutes."
    } else {
        "What comes next is dangerous in the wrong hands. Enter your password once more; it holds for five minutes."
    };
    let code = has_second_factor.then(|| {
        view! {
            <Field
                label="Or a code"
                name="code"
                error=code_error
                hint="The six digits that your app shows, or a recovery code."
                autocomplete="one-time-code"
                maxlength="40"
            />
        }
    });
    let foot = view! { <LinkButton href=next.clone() variant=Variant::Quiet>"Back, and change nothing"</LinkButton> }
        .into_any();
    view! {
        <PageTitle title />
        <AuthLayout product=PRODUCT title="Confirm that it is you" text message foot>
            <form method="post" action=PATH class="l-stack">
                <input type="hidden" name="next" value=next />
                // Password managers want to know whose password it is.
                <input type="text" name="username" value=email.clone() autocomplete="username" hidden=true readonly=true />
                <Field
                    label=format!("Password of {email}")
                    name="password"
                    kind="password"
                    error=password_error
                    autocomplete="current-password"
                    required=!has_second_factor
                />
                {code}
                <Button variant=Variant::Primary wide=true>"Confirm"</Button>
            </form>
        </AuthLayout>
    }
}
