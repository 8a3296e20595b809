//! The page for an address that leads nowhere, and for everything that the person may not know of. It is the same
//! whatever was asked, so that nothing can be learnt from it.

use leptos::prelude::*;
use rtv_core::Error;
use rtv_ui::BareLayout;

use crate::error::{AppError, Failed};
use crate::page::{PRODUCT, PageTitle};

/// Answers 404.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let error = AppError::from(Error::NotFound);
    #[cfg(not(feature = "ssr"))]
    let error = AppError { error: Error::NotFound, request_id: String::new() };
    view! { <FailedPage error /> }
}

/// A page of its own around an error.
#[component]
pub fn FailedPage(error: AppError) -> impl IntoView {
    view! {
        <PageTitle title=error.error.title() />
        <BareLayout product=PRODUCT>
            <Failed error is_page=true />
        </BareLayout>
    }
}
