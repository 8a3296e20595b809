//! All pages and their addresses.

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::account::AccountPage;
use crate::announce::Urgency;
use crate::api_key::ApiKeysPage;
use crate::audit::{AuditEventPage, AuditPage};
use crate::competitor::CompetitorsPage;
use crate::confirmation::ConfirmationPage;
use crate::content::ContentPage;
use crate::dashboard::DashboardPage;
use crate::delivery::DeliveryPage;
use crate::help::KeyboardHelpPage;
use crate::home::HomePage;
use crate::import::{ImportPage, ImportsPage, MappingsPage, RollBackPage};
use crate::invitation::InvitationsPage;
use crate::invitation::accept::InvitePage;
use crate::kill_switch::SwitchesPage;
use crate::maintenance::Announcement;
use crate::not_found::NotFound;
use crate::password_reset::{NewPasswordPage, ResetPage};
use crate::post::PostsPage;
use crate::profile::ProfilePage;
use crate::report::handout::HandoutPage;
use crate::report::{
    ReportInboxPage, ReportPage, ReportRunPage, ReportRunTablePage, ReportSchedulePage, ReportSchedulesPage,
    ReportTablePage, ReportVersionsPage, ReportsPage,
};
use crate::search::SearchPage;
use crate::second_factor::SecondFactorPage;
use crate::session::SessionsPage;
use crate::settings::{BrandingPage, GeneralPage, LimitsPage, SecurityPage};
use crate::sign_in::{CodePage, SignInPage};
use crate::staff::ConsolePage;
use crate::target::TargetsPage;
use crate::team::{
    AccessPage, ChangePage, MemberPage, MembersPage, RemovalPage, RolePage, RolesPage, TeamDeletionPage, TeamPage,
    TeamsPage,
};

/// The application: the same in the server's first answer and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Announcement />
        <Router>
            <Routes fallback=|| view! { <NotFound /> }>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async />
                <Route path=path!("/sign-in/code") view=CodePage ssr=SsrMode::Async />
                <Route path=path!("/invite/:token") view=InvitePage ssr=SsrMode::Async />
                <Route path=path!("/shared/:token") view=HandoutPage ssr=SsrMode::Async />
                <Route path=path!("/reset") view=ResetPage ssr=SsrMode::Async />
                <Route path=path!("/reset/:token") view=NewPasswordPage ssr=SsrMode::Async />
                <Route path=path!("/me") view=ProfilePage ssr=SsrMode::Async />
                <Route path=path!("/me/confirm") view=ConfirmationPage ssr=SsrMode::Async />
                <Route path=path!("/me/second-factor") view=SecondFactorPage ssr=SsrMode::Async />
                <Route path=path!("/me/sessions") view=SessionsPage ssr=SsrMode::Async />
                <Route path=path!("/search") view=SearchPage ssr=SsrMode::Async />
                <Route path=path!("/help/keyboard") view=KeyboardHelpPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/accounts") view=AccountPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/accounts/:account") view=AccountPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/api-keys") view=ApiKeysPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/audit") view=AuditPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/audit/:event") view=AuditEventPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/content") view=ContentPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/content/:content") view=ContentPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/dashboard") view=DashboardPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/deliveries") view=DeliveryPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/deliveries/:delivery") view=DeliveryPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports") view=ImportsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/mappings") view=MappingsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/:import") view=ImportPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/imports/:import/roll-back") view=RollBackPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/posts") view=PostsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports") view=ReportsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report") view=ReportPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/versions") view=ReportVersionsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/runs/:run") view=ReportRunPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/inbox") view=ReportInboxPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/schedules") view=ReportSchedulesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/schedules/:schedule") view=ReportSchedulePage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/runs/:run/tables/:block") view=ReportRunTablePage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/reports/:report/tables/:block") view=ReportTablePage ssr=SsrMode::Async />
                <Route path=path!("/staff") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/mail") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/mail/:mail") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/maintenance") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches/halt") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches/preview") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches/halts/:halt") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches/releases/:release") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/switches/:switch/release") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/tenants") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/tenants/:tenant") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/tenants/:tenant/visit") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/users") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/staff/users/:user") view=ConsolePage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/invitations") view=InvitationsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings") view=GeneralPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings/security") view=SecurityPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings/branding") view=BrandingPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/settings/limits") view=LimitsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches/halt") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches/preview") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches/halts/:halt") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches/releases/:release") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/switches/:switch/release") view=SwitchesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/competitors") view=CompetitorsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/competitors/:competitor") view=CompetitorsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/targets") view=TargetsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team") view=MembersPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/members/:user") view=MemberPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/members/:user/change") view=ChangePage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/members/:user/remove") view=RemovalPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/teams") view=TeamsPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/teams/:team") view=TeamPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/teams/:team/delete") view=TeamDeletionPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/roles") view=RolesPage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/roles/:role") view=RolePage ssr=SsrMode::Async />
                <Route path=path!("/t/:tenant/team/access") view=AccessPage ssr=SsrMode::Async />
            </Routes>
        </Router>
        // Outside of the pages: a region that is new to the document is not listened to yet.
        <div class="u-visually-hidden" id=Urgency::Polite.region() aria-live="polite"></div>
        <div class="u-visually-hidden" id=Urgency::Assertive.region() aria-live="assertive"></div>
    }
}
