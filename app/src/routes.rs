//! All pages and their addresses.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::dashboard::DashboardPage;
use crate::home::HomePage;
use crate::import::{ImportPage, ImportsPage, MappingsPage, RollBackPage};
use crate::not_found::NotFound;
use crate::post::PostsPage;
use crate::session::SessionsPage;
use crate::sign_in::SignInPage;

/// The application: the same in the server's first answer and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=|| view! { <NotFound /> }>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/me/sessions") view=SessionsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/dashboard") view=DashboardPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports") view=ImportsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/mappings") view=MappingsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/:import") view=ImportPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/:import/roll-back") view=RollBackPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/posts") view=PostsPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
