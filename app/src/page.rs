//! What pages share: the list of places that one goes to, the frame around a tenant's and a person's pages, and
//! messages for the next page.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use leptos_router::params::ParamsMap;
use rtv_core::permission::{SEES_REPORTS, SEES_TEAM};
use rtv_core::{Permission, Plan, Preference, TenantStatus};
use rtv_ui::{
    BareLayout, Button, Crumb, IconName, LinkButton, NavGroup, NavItem, Notice, Shell, TenantLink, Tone, Variant,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::brand::BrandStyle;
use crate::error::{AppError, Failed};
use crate::not_found::FailedPage;
use crate::{palette, preference};

/// Name of the product.
pub const PRODUCT: &str = "RTV";

/// A message that a form leaves for the page that follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// A sentence, if there is one.
    pub text: Option<String>,
    /// Whether the sentence is good news.
    pub is_success: bool,
    /// Fields that were refused, and why.
    pub errors: Vec<(String, String)>,
    /// What was typed, secrets aside.
    pub values: Vec<(String, String)>,
    /// The path of the page whose script sent the form and reads the page anew by a call. None where the browser loads the next page.
    #[serde(default)]
    pub in_place: Option<String>,
}

impl Flash {
    /// What was typed into a field.
    pub fn value(&self, field: &str) -> Option<String> {
        self.values.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())
    }

    /// Everything that was chosen under a name that may repeat.
    pub fn chosen(&self, field: &str) -> Vec<String> {
        self.values.iter().filter(|(name, _)| name == field).map(|(_, value)| value.clone()).collect()
    }

    /// Why a field was refused.
    pub fn error(&self, field: &str) -> Option<String> {
        self.errors.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone())
    }
}

/// A tenant in the switcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantEntry {
    /// Name in addresses.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// The person's role in it.
    pub role: String,
    /// What it has bought.
    pub plan: Plan,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Pages that the person may open there.
    pub places: Vec<Place>,
    /// Whether it is the one that is shown.
    pub current: bool,
}

impl TenantEntry {
    /// The entry for the eye. It leads to the page that is shown now where there is one, else to the first that is
    /// open there, which is the dashboard for nearly everybody.
    pub(crate) fn link(self, place: Option<Place>, query: &str) -> TenantLink {
        let first = self.places.first().copied().unwrap_or(Place::Dashboard);
        let place = place.filter(|place| self.places.contains(place)).unwrap_or(first);
        let mut badges = vec![(Tone::Neutral, self.plan.label().to_owned())];
        // What is as it should be is not worth a word in every line.
        let tone = match self.status {
            TenantStatus::Active => None,
            TenantStatus::Pending => Some(Tone::Info),
            TenantStatus::Suspended => Some(Tone::Warning),
            TenantStatus::Cancelled => Some(Tone::Danger),
        };
        badges.extend(tone.map(|tone| (tone, self.status.label().to_owned())));
        TenantLink {
            href: format!("{}{query}", place.address(&self.slug)),
            name: self.name,
            role: self.role,
            badges,
            current: self.current,
        }
    }
}

/// The entries for the eye, when no tenant's page is shown.
pub fn tenant_links(tenants: Vec<TenantEntry>) -> Vec<TenantLink> {
    tenants.into_iter().map(|one| one.link(None, "")).collect()
}

/// What stands around a tenant's page.
#[expect(clippy::struct_excessive_bools, reason = "each says something else about the page")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Name of the tenant.
    pub tenant: String,
    /// Its slug.
    pub slug: String,
    /// The address of its picture, if it has one.
    pub logo: Option<String>,
    /// All tenants of the person.
    pub tenants: Vec<TenantEntry>,
    /// Pages that the person may open here.
    pub places: Vec<Place>,
    /// Name of the person.
    pub user_name: String,
    /// Their address.
    pub user_email: String,
    /// What they are here.
    pub user_facts: Vec<String>,
    /// How RTV looks and behaves for them.
    pub preference: Preference,
    /// When the page was made, in the tenant's zone; for paper.
    pub made: String,
    /// Where RTV is reached; for paper.
    pub host: String,
    /// The rule with the tenant's own colour, if it has one.
    pub brand: Option<String>,
    /// Whether their keyboard is a Mac's, which has another key for commands.
    pub has_mac_keys: bool,
    /// Whether what is shown was made up by the demo.
    pub has_sample_data: bool,
    /// Whether the person may remove it.
    pub can_remove_sample_data: bool,
    /// What holds the tenant as a whole, drawn: why nothing in it changes, or that staff look at it.
    pub notice: String,
    /// What the operator announces, drawn.
    pub announcement: String,
    /// What is halted, drawn; empty where nothing is.
    pub halts: String,
    /// Whether the person may halt.
    pub can_halt: bool,
    /// A message that waited for the page.
    pub flash: Option<Flash>,
}

/// A page's content and what stands around it: what a server function of a tenant's page answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Framed<T> {
    /// Around it.
    pub frame: Frame,
    /// The page's own content.
    pub content: T,
}

/// A page that a member of the tenant may lack the permission for.
pub type Guarded<T> = Framed<Result<T, AppError>>;

/// A page in which nothing answers to a script, drawn on the server: its forms and links are the browser's own. Programs for
/// such pages would make up a third of what every visitor loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// The way from the place to the page, the page itself last: words and addresses. Empty for the place itself.
    crumbs: Vec<(String, Option<String>)>,
    /// Whether what was asked is refused.
    is_refused: bool,
    /// The page inside its frame.
    html: String,
}

/// Id of the element that holds what was drawn.
pub(crate) const DRAWN: &str = "drawn";

#[cfg(feature = "hydrate")]
impl Drawn {
    /// The page inside its frame.
    pub(crate) fn into_html(self) -> String {
        self.html
    }
}

#[cfg(feature = "ssr")]
impl Drawn {
    /// Draws a page.
    pub fn new(crumbs: Vec<Crumb>, is_refused: bool, page: impl IntoView) -> Self {
        let crumbs = crumbs.into_iter().map(|crumb| (crumb.label, crumb.href)).collect();
        Self { crumbs, is_refused, html: page.into_view().to_html() }
    }
}

/// What stands around a page that belongs to a person and to no tenant: the tenant that they were in last, so that it
/// is a part of the same house; for who has none, the message alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Around {
    /// The frame of the last tenant.
    Tenant(Box<Frame>),
    /// Nothing but a message that waited for the page, and what is halted, drawn, for staff.
    Nothing(Option<Flash>, String),
}

impl Around {
    /// The frame, if there is one.
    pub fn frame(&self) -> Option<&Frame> {
        match self {
            Self::Tenant(frame) => Some(frame),
            Self::Nothing(..) => None,
        }
    }
}

/// Pages of a tenant that one goes to: the navigation, the palette, the search and the keys are all made from this
/// list. A page is added by a variant here; the compiler names the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// `/t/{tenant}/dashboard`
    Dashboard,
    /// `/t/{tenant}/content`
    Content,
    /// `/t/{tenant}/deliveries`
    Deliveries,
    /// `/t/{tenant}/accounts`
    Accounts,
    /// `/t/{tenant}/posts`
    Posts,
    /// `/t/{tenant}/competitors`
    Competitors,
    /// `/t/{tenant}/targets`
    Targets,
    /// `/t/{tenant}/reports`
    Reports,
    /// `/t/{tenant}/imports`
    Imports,
    /// `/t/{tenant}/team`
    Team,
    /// `/t/{tenant}/audit`
    Audit,
    /// `/t/{tenant}/settings`
    Settings,
    /// `/t/{tenant}/api-keys`
    ApiKeys,
    /// `/t/{tenant}/switches`
    Switches,
}

impl Place {
    /// All of them, in the order of the navigation.
    pub const ALL: [Self; 14] = [
        Self::Dashboard,
        Self::Targets,
        Self::Content,
        Self::Deliveries,
        Self::Accounts,
        Self::Posts,
        Self::Competitors,
        Self::Reports,
        Self::Imports,
        Self::Switches,
        Self::Team,
        Self::ApiKeys,
        Self::Audit,
        Self::Settings,
    ];

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Content => "Content",
            Self::Deliveries => "Deliveries",
            Self::Accounts => "Accounts",
            Self::Posts => "Posts",
            Self::Competitors => "Competitors",
            Self::Targets => "Targets",
            Self::Reports => "Reports",
            Self::Imports => "Imports",
            Self::Team => "Team",
            Self::Audit => "Audit log",
            Self::Settings => "Settings",
            Self::ApiKeys => "API keys",
            Self::Switches => "Kill switches",
        }
    }

    /// The last part of its address.
    const fn path(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Content => "content",
            Self::Deliveries => "deliveries",
            Self::Accounts => "accounts",
            Self::Posts => "posts",
            Self::Competitors => "competitors",
            Self::Targets => "targets",
            Self::Reports => "reports",
            Self::Imports => "imports",
            Self::Team => "team",
            Self::Audit => "audit",
            Self::Settings => "settings",
            Self::ApiKeys => "api-keys",
            Self::Switches => "switches",
        }
    }

    /// Its group in the navigation. Places of a group stand together in [`Place::ALL`].
    pub const fn group(self) -> &'static str {
        match self {
            Self::Dashboard | Self::Targets => "Overview",
            Self::Content | Self::Deliveries | Self::Accounts => "Publish",
            Self::Posts | Self::Competitors | Self::Reports | Self::Imports => "Measure",
            Self::Switches => "Operate",
            Self::Team | Self::ApiKeys | Self::Audit | Self::Settings => "Admin",
        }
    }

    /// Its icon.
    pub const fn icon(self) -> IconName {
        match self {
            Self::Dashboard => IconName::Dashboard,
            Self::Content => IconName::Write,
            Self::Deliveries => IconName::Send,
            Self::Accounts => IconName::User,
            Self::Posts => IconName::Posts,
            Self::Competitors => IconName::Trend,
            Self::Targets => IconName::Target,
            Self::Reports => IconName::Report,
            Self::Imports => IconName::Imports,
            Self::Team => IconName::Team,
            Self::ApiKeys => IconName::Lock,
            Self::Switches => IconName::Stop,
            Self::Audit => IconName::Audit,
            Self::Settings => IconName::Settings,
        }
    }

    /// The key that leads there after `g`.
    pub const fn key(self) -> char {
        match self {
            Self::Dashboard => 'd',
            Self::Content => 'c',
            // `d` is the dashboard's.
            Self::Deliveries => 'e',
            Self::Accounts => 'a',
            Self::Posts => 'p',
            // `c` is the content's.
            Self::Competitors => 'o',
            Self::Targets => 't',
            Self::Reports => 'r',
            Self::Imports => 'i',
            // `t` is the targets'; its first tab is the members.
            Self::Team => 'm',
            Self::Audit => 'u',
            Self::Settings => 's',
            // `k` is the kill switches'.
            Self::ApiKeys => 'y',
            Self::Switches => 'k',
        }
    }

    /// What opens it, each by itself.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Dashboard | Self::Targets | Self::Posts | Self::Competitors => &[Permission::AnalyticsRead],
            Self::Content | Self::Deliveries => &[Permission::ContentRead],
            Self::Accounts => &[Permission::ContentRead, Permission::AccountsConnect],
            Self::Reports => SEES_REPORTS,
            Self::Imports => &[Permission::ImportsManage],
            Self::Team => SEES_TEAM,
            Self::Audit => &[Permission::AuditRead],
            Self::Settings => &[Permission::SettingsRead],
            Self::ApiKeys => &[Permission::ApikeysManage],
            Self::Switches => &[Permission::SwitchesRead],
        }
    }

    /// The places that are open to who holds what `holds` says, for the tenant or for a team.
    pub fn open_to(holds: impl Fn(Permission) -> bool) -> Vec<Self> {
        let is_open = |place: &Self| place.permissions().iter().any(|permission| holds(*permission));
        Self::ALL.into_iter().filter(is_open).collect()
    }

    /// Its address in a tenant.
    pub fn address(self, slug: &str) -> String {
        format!("/t/{slug}/{}", self.path())
    }
}

/// Parameters of an address that mean the same in every tenant, and go along when one changes over.
const COMMON: [&str; 6] = ["range", "from", "to", "compare", "metric", "grain"];

/// The common parameters of an address, with their question mark.
fn common_query(query: &ParamsMap) -> String {
    let is_plain = |value: &str| value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let pairs: Vec<String> = COMMON
        .into_iter()
        .filter_map(|name| query.get(name).map(|value| (name, value)))
        // Values that would have to be escaped are none that a page knows.
        .filter(|(_, value)| !value.is_empty() && is_plain(value))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The shell with the navigation of a tenant around a page.
#[component]
pub fn TenantPage(
    frame: Frame,
    place: Place,
    /// The way from the place to a page below it, the page itself last; empty for the place itself.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// Whether what was asked is refused; the title says so first.
    #[prop(optional)]
    is_refused: bool,
    children: Children,
) -> impl IntoView {
    let label = crumbs.last().map_or_else(|| place.label().to_owned(), |crumb| crumb.label.clone());
    let title = format!("{}{label} · {}", if is_refused { "Error: " } else { "" }, frame.tenant);
    let first = Crumb { label: place.label().into(), href: (!crumbs.is_empty()).then(|| place.address(&frame.slug)) };
    let crumbs = core::iter::once(first).chain(crumbs).collect();
    view! {
        <PageTitle title />
        <FramedShell frame place=Some(place) crumbs>{children()}</FramedShell>
    }
}

/// A page that belongs to a person, in the shell of the tenant that they were in last.
#[component]
pub fn PersonPage(around: Around, title: &'static str, children: Children) -> impl IntoView {
    let page = match around {
        Around::Tenant(frame) => {
            let crumbs = vec![Crumb { label: title.into(), href: None }];
            view! { <FramedShell frame=*frame place=None crumbs>{children()}</FramedShell> }.into_any()
        }
        Around::Nothing(flash, halts) => view! {
            {crate::kill_switch::banner_place(halts)}
            <BareLayout
                product=PRODUCT
                wide=true
                actions=view! { <LinkButton href="/" variant=Variant::Quiet icon=IconName::ChevronLeft>"Back to the start"</LinkButton> }.into_any()
            >
                <FlashMessage flash />
                {children()}
            </BareLayout>
        }
        .into_any(),
    };
    view! {
        <PageTitle title />
        {page}
    }
}

#[component]
fn FramedShell(frame: Frame, place: Option<Place>, crumbs: Vec<Crumb>, children: Children) -> impl IntoView {
    let location = use_location();
    let (path, search) = (location.pathname.get_untracked(), location.search.get_untracked());
    let back = if search.is_empty() { path } else { format!("{path}?{search}") };
    let address = format!("{}{back}", frame.host);
    let query = common_query(&location.query.get_untracked());
    let overlay = RwSignal::new(None);
    crate::maintenance::keep(frame.announcement.clone());
    crate::kill_switch::keep(frame.halts.clone());
    let halt_href =
        frame.can_halt.then(|| crate::kill_switch::halt_address(&frame.slug, &location.query.get_untracked()));
    #[cfg(feature = "hydrate")]
    crate::keyboard::listen(&frame, overlay);
    let on_search = Callback::new(move |event: MouseEvent| palette::open_instead(&event, overlay));
    let over = view! { <palette::Overlays frame=frame.clone() place query=query.clone() overlay /> };
    let mut nav: Vec<NavGroup> = Vec::new();
    for one in frame.places {
        let item = NavItem {
            label: one.label().into(),
            href: one.address(&frame.slug),
            icon: one.icon(),
            current: Some(one) == place,
        };
        match nav.last_mut().filter(|group| group.label == one.group()) {
            Some(group) => group.items.push(item),
            None => nav.push(NavGroup { label: one.group().into(), items: vec![item] }),
        }
    }
    let tenants = frame.tenants.into_iter().map(|one| one.link(place, &query)).collect();
    // A person's own pages show nothing that the demo made up.
    let sample_data = (frame.has_sample_data && place.is_some())
        .then(|| view! { <SampleDataNotice slug=frame.slug.clone() can_remove=frame.can_remove_sample_data /> });
    view! {
        <BrandStyle rule=frame.brand />
        <Shell
            product=PRODUCT
            home_href=Place::Dashboard.address(&frame.slug)
            tenant=frame.tenant
            logo=frame.logo
            slug=frame.slug
            tenants
            nav
            crumbs
            user_name=frame.user_name
            user_email=frame.user_email
            user_facts=frame.user_facts
            choices=preference::choices(frame.preference)
            choices_action=preference::ACTION
            back
            imprint=vec![frame.made, address]
            search_keys=if frame.has_mac_keys { "⌘ K" } else { "Ctrl K" }
            on_search
            halt_href
            banner=crate::kill_switch::banner_place(frame.halts)
        >
            {frame.flash.and_then(|flash| flash.text.map(|text| flash_view(text, flash.is_success)))}
            <div class="l-drawn" inner_html=frame.notice></div>
            {sample_data}
            {children()}
        </Shell>
        {over}
    }
}

/// Says that nothing here has happened, on every page of a tenant with the demo's data.
#[component]
fn SampleDataNotice(slug: String, can_remove: bool) -> impl IntoView {
    let action = can_remove.then(|| {
        view! {
            <form method="post" action=format!("/t/{slug}/sample-data/remove")>
                <Button small=true>"Remove sample data"</Button>
            </form>
        }
        .into_any()
    });
    let advice = if can_remove {
        "Remove them before you bring in your own; people and settings stay."
    } else {
        "An owner or admin can remove them."
    };
    view! {
        <Notice tone=Tone::Warning action>
            <strong>"Sample data."</strong>
            " Accounts, posts and figures here are made up. "
            {advice}
        </Notice>
    }
}

/// A page that a member may lack the permission for: its content where they hold it, else what they lack.
#[component]
pub fn GuardedPage<T>(
    page: Resource<Result<Guarded<T>, AppError>>,
    place: Place,
    /// Shows the content in its frame.
    show: impl Fn(Framed<T>) -> AnyView + Copy + Send + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(Framed { frame, content: Ok(content) }) => show(Framed { frame, content }),
                    Ok(Framed { frame, content: Err(error) }) => view! { <ForbiddenPage frame place error /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// A page that was drawn on the server, in its frame.
#[component]
pub fn DrawnPage(page: Resource<Result<Guarded<Drawn>, AppError>>, place: Place) -> impl IntoView {
    let show = move |Framed { frame, content }: Framed<Drawn>| {
        let Drawn { crumbs, is_refused, html } = content;
        let crumbs = crumbs.into_iter().map(|(label, href)| Crumb { label, href }).collect::<Vec<_>>();
        view! {
            <TenantPage frame place crumbs is_refused>
                <div class="l-drawn" id=DRAWN inner_html=html></div>
            </TenantPage>
        }
        .into_any()
    };
    view! { <GuardedPage page place show /> }
}

/// In place of a page that the person lacks the permission for: it names the permission and who can grant it.
#[component]
pub fn ForbiddenPage(frame: Frame, place: Place, error: AppError) -> impl IntoView {
    view! {
        <TenantPage frame place>
            <Failed error is_page=true />
        </TenantPage>
    }
}

fn flash_view(text: String, is_success: bool) -> impl IntoView {
    let tone = if is_success { Tone::Success } else { Tone::Danger };
    view! { <rtv_ui::Flash tone text /> }
}

/// The message of a page outside a tenant.
#[component]
pub fn FlashMessage(flash: Option<Flash>) -> impl IntoView {
    flash.and_then(|flash| flash.text.map(|text| flash_view(text, flash.is_success)))
}

/// Title of the document; after a change of page in the browser the page is settled too.
#[component]
pub fn PageTitle(#[prop(into)] title: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(crate::arrival::settle);
    view! { <Title text=format!("{title} · {PRODUCT}") /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_places_have_the_same_key_and_groups_stand_together() {
        let mut keys: Vec<char> = Place::ALL.into_iter().map(Place::key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Place::ALL.len());
        let mut groups: Vec<&str> = Place::ALL.into_iter().map(Place::group).collect();
        groups.dedup();
        let runs = groups.len();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), runs, "a group is torn apart in the navigation");
    }

    fn entry(places: Vec<Place>, status: TenantStatus) -> TenantEntry {
        TenantEntry {
            slug: "acme".into(),
            name: "Acme".into(),
            role: "Viewer".into(),
            plan: Plan::Professional,
            status,
            places,
            current: false,
        }
    }

    #[test]
    fn a_switch_keeps_the_page_where_the_other_tenant_has_it() {
        let check = |places: &[Place], place, expect: &str| {
            assert_eq!(entry(places.to_vec(), TenantStatus::Active).link(place, "?range=7d").href, expect);
        };
        check(&Place::ALL, Some(Place::Posts), "/t/acme/posts?range=7d");
        check(&[Place::Dashboard], Some(Place::Posts), "/t/acme/dashboard?range=7d");
        check(&Place::ALL, None, "/t/acme/dashboard?range=7d");
        check(&[Place::Imports, Place::Team], Some(Place::Posts), "/t/acme/imports?range=7d");
    }

    #[test]
    fn only_an_unusual_status_is_told() {
        let words = |status| {
            entry(Vec::new(), status).link(None, "").badges.into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        assert_eq!(words(TenantStatus::Active), ["Professional"]);
        assert_eq!(words(TenantStatus::Suspended), ["Professional", "Suspended"]);
    }

    #[test]
    fn what_means_the_same_everywhere_goes_along_and_nothing_else() {
        let query = |pairs: &[(&'static str, &str)]| {
            common_query(&pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
        };
        assert_eq!(query(&[]), "");
        assert_eq!(
            query(&[
                ("account", "acc_1"),
                ("range", "custom"),
                ("from", "2018-01-01"),
                ("to", "2018-01-31"),
                ("after", "x")
            ]),
            "?range=custom&from=2018-01-01&to=2018-01-31"
        );
        assert_eq!(query(&[("range", "7d&account=acc_1"), ("grain", "")]), "");
    }
}
