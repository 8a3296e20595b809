//! The error that travels from a server function to its page, and the page's view of it. It is mapped once from
//! [`rtv_core::Error`]; the response's status is set at the same place, because Leptos would answer 500 otherwise.

use leptos::prelude::*;
use rtv_core::Error;
use rtv_ui::{ErrorPage, LinkButton, Variant};
use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

/// A refused or failed request, with the id under which it is logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    /// What happened.
    pub error: Error,
    /// Id of the request; empty where the browser failed before a request was answered.
    pub request_id: String,
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        let error = match value {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                Error::Unavailable("RTV could not be reached. Check the connection and try again.".into())
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Error::Conflict("This page was opened with an older version of RTV. Load it again.".into())
            }
            _ => Error::Internal,
        };
        // Leptos answers 500 to a call that cannot be read, which is no fault of ours.
        #[cfg(feature = "ssr")]
        crate::request::fail_with(&error);
        Self { error, request_id: String::new() }
    }
}

impl core::fmt::Display for AppError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for AppError {}

#[cfg(feature = "ssr")]
impl From<Error> for AppError {
    /// Sets the status of the response; who is signed out is led to the sign-in page and back afterwards.
    fn from(error: Error) -> Self {
        let request = crate::request::current();
        crate::request::fail_with(&error);
        // A page's redirect has a status of its own; a call from a page keeps the refusal's beside the address.
        match error {
            Error::SignedOut | Error::SessionIdle => crate::request::lead_to(&request.sign_in_address()),
            Error::SecondFactorMissing => crate::request::lead_to(&request.leading_back(crate::second_factor::PATH)),
            Error::NotFresh => crate::request::lead_to(&request.leading_back(crate::confirmation::PATH)),
            _ => {}
        }
        Self { error, request_id: request.context.request().id.clone() }
    }
}

/// What went wrong, why, and what to do next; stands in a page of its own.
#[component]
pub fn Failed(
    error: AppError,
    /// Whether the address can be asked for again: that of a page can, that of a form cannot.
    is_page: bool,
) -> impl IntoView {
    let AppError { error, request_id } = error;
    let sign_in = matches!(error, Error::SignedOut | Error::SessionIdle).then(|| {
        view! { <LinkButton href=sign_in_address() variant=Variant::Primary>"Sign in"</LinkButton> }
    });
    let set_up = (error == Error::SecondFactorMissing).then(|| {
        view! { <LinkButton href=crate::second_factor::PATH variant=Variant::Primary>"Set up a second factor"</LinkButton> }
    });
    let again = (is_page
        && matches!(error, Error::Unavailable(_) | Error::Internal | Error::Limit { .. } | Error::Conflict(_)))
    .then(|| view! { <LinkButton href="" variant=Variant::Primary external=true>"Try again"</LinkButton> });
    let actions = view! {
        {sign_in}
        {set_up}
        {again}
        <LinkButton href="/">"Go to the start"</LinkButton>
    }
    .into_any();
    view! {
        <ErrorPage
            status=error.status()
            title=error.title()
            text=error.explanation()
            steps=error.advice()
            request_id
            actions
        />
    }
}

/// The sign-in page that leads back here. The server leads a page there by itself, so only a page that is open in a
/// browser shows the link.
fn sign_in_address() -> String {
    #[cfg(feature = "hydrate")]
    {
        let here = window().location();
        let page = format!("{}{}", here.pathname().unwrap_or_default(), here.search().unwrap_or_default());
        format!("/sign-in?next={}", leptos_router::location::Url::escape(&page))
    }
    #[cfg(not(feature = "hydrate"))]
    "/sign-in".into()
}
