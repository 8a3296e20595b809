//! What the server hands to every page: who asks, the message that waits for them, and where the browser's files lie.
//! The server makes one of these for each request and provides it as a Leptos context.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use rtv_core::{Error, ReadOnly};
use rtv_domain::access::Membership;
use rtv_domain::format::Format;
use rtv_domain::maintenance::Maintenance;
use rtv_domain::session::SessionHash;
use rtv_domain::{Context, TenantContext};

use crate::error::AppError;
use crate::page::{Around, Drawn, Flash, Frame, Framed, Place, TenantEntry};

/// One request, as pages see it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub context: Context,
    /// A message for the next page, taken out of the session.
    pub flash: Option<Flash>,
    /// Path and query of the page that is shown.
    pub page: String,
    /// Where RTV is reached: host and port.
    pub host: String,
    /// Whether the page itself is asked for, and not a call from a page in the browser.
    pub is_page: bool,
    /// The maintenance that every page announces.
    pub maintenance: Option<Maintenance>,
    /// The session with which an open page asks something by itself. Whose it is has not been looked up: the answer does.
    pub glancing: Option<SessionHash>,
}

/// Where the browser's files lie; each address holds a hash of the content.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Assets {
    /// Glue that loads the program.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The binding of the chart library.
    pub chart_js: String,
    /// The chart library, fetched only where a chart is.
    pub echarts: String,
    /// The icon.
    pub favicon: String,
}

impl Request {
    /// What every page announces, drawn; empty where there is nothing.
    pub fn announcement(&self) -> String {
        self.maintenance.as_ref().map(crate::maintenance::drawn).unwrap_or_default()
    }

    /// Whether the keyboard is a Mac's, as far as the browser says.
    pub fn has_mac_keys(&self) -> bool {
        self.context.request().user_agent.as_deref().is_some_and(|agent| agent.contains("Mac OS X"))
    }

    /// Address of the sign-in page that leads back here.
    pub fn sign_in_address(&self) -> String {
        self.leading_back("/sign-in")
    }

    /// Address of one of our pages that leads back here when it is done.
    pub fn leading_back(&self, page: &str) -> String {
        if self.page == "/" || self.page.is_empty() {
            return page.into();
        }
        let escaped: String = self
            .page
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("{page}?next={escaped}")
    }
}

/// A path of our own, and nothing that a browser could read as another site.
pub fn local_path(next: &str) -> Option<&str> {
    let is_local = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control)
        && next.len() <= 2_000;
    is_local.then_some(next)
}

/// The request that is being answered.
pub fn current() -> Request {
    expect_context::<Request>()
}

/// Leads elsewhere: the browser by a redirect, a page that is hydrated already by its router.
pub fn lead_to(address: &str) {
    let request = current();
    match (use_context::<ResponseOptions>(), http::HeaderValue::from_str(address)) {
        (Some(options), Ok(value)) if request.is_page => {
            options.insert_header(http::header::LOCATION, value);
            options.set_status(http::StatusCode::SEE_OTHER);
        }
        _ => leptos_axum::redirect(address),
    }
}

/// Sets the status of a page that is shown although something was refused. A call from a page in the browser keeps its
/// 200: its caller takes every other answer for an error and would not show the page that explains the refusal.
pub fn set_status(status: u16) {
    if let (true, Some(options), Ok(status)) =
        (current().is_page, use_context::<ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        options.set_status(status);
    }
}

/// Sets the status of an answer that is an error and nothing else, and says when to try again where waiting helps.
pub fn fail_with(error: &Error) {
    let Some(options) = use_context::<ResponseOptions>() else { return };
    if let Ok(status) = http::StatusCode::from_u16(error.status()) {
        options.set_status(status);
    }
    if let Some(seconds) = error.retry_after() {
        options.insert_header(http::header::RETRY_AFTER, seconds.into());
    }
}

/// Enters the tenant of a page and remembers it as the last one.
pub async fn enter(slug: &str) -> Result<TenantContext, Error> {
    let request = current();
    let tenant = rtv_domain::access::enter(&request.context, slug).await?;
    // A visit leaves its own trace, and leads nobody back here.
    if tenant.access().visit().is_none() {
        rtv_domain::session::remember_tenant(&request.context, slug).await?;
        rtv_domain::member::remember_visit(&tenant).await?;
    }
    Ok(tenant)
}

/// What stands around every page of a tenant.
pub async fn frame(ctx: &TenantContext) -> Result<Frame, Error> {
    let person = ctx.context().person().ok_or(Error::SignedOut)?;
    let slug = &ctx.tenant().slug;
    let memberships = rtv_domain::access::memberships(ctx.context()).await?;
    let role = memberships.iter().find(|one| one.slug == *slug).map(|one| one.holding.role.name.clone());
    let request = current();
    Ok(Frame {
        tenant: ctx.tenant().name.clone(),
        slug: slug.to_string(),
        logo: ctx.tenant().logo.as_ref().map(|logo| format!("/t/{slug}/logo?v={logo}")),
        tenants: memberships.into_iter().map(|one| entry(&one, one.slug == *slug)).collect(),
        places: Place::open_to(|permission| ctx.access().grants_somewhere(permission)),
        user_name: person.name.clone(),
        user_email: person.email.to_string(),
        user_facts: role
            .map(|role| format!("{role} of {}", ctx.tenant().name))
            .into_iter()
            .chain(person.is_staff.then(|| "Staff of the operator".to_owned()))
            .collect(),
        preference: person.preference,
        made: format!("Made {}", Format::of(ctx.tenant()).instant(ctx.now())),
        host: request.host.clone(),
        brand: ctx.tenant().brand.and_then(rtv_core::Brand::css),
        has_mac_keys: request.has_mac_keys(),
        has_sample_data: ctx.tenant().has_sample_data,
        can_remove_sample_data: ctx.access().grants(rtv_core::Permission::ContentDelete),
        notice: notice(ctx),
        announcement: request.announcement(),
        halts: crate::kill_switch::banner(ctx).await,
        can_halt: ctx.access().grants(rtv_core::Permission::SwitchesEngage),
        flash: request.flash,
    })
}

/// What holds the tenant as a whole, drawn: that it sends to no real network, that staff look at it, and why nothing in it
/// changes.
fn notice(ctx: &TenantContext) -> String {
    use rtv_ui::{Button, Notice, Tone};
    let visit = ctx.access().visit().map(|visit| {
        let action = view! {
            <form method="post" action=format!("/staff/visits/{}/end", visit.id)>
                <Button small=true>"End visit"</Button>
            </form>
        }
        .into_any();
        let title = format!("Staff visit to {}. ", ctx.tenant().name);
        let until = visit.ends_at.format("%H:%M UTC");
        let text = format!("{} You read and change nothing, until {until}.", sentence(&visit.reason));
        view! { <Notice tone=Tone::Warning action=Some(action)><strong>{title}</strong>{text}</Notice> }
    });
    // Maintenance is announced above every page.
    let held = ctx.read_only().filter(|reason| !matches!(reason, ReadOnly::Maintenance { .. })).map(|reason| {
        let text = format!("{} {}", reason.explanation(), reason.advice());
        view! { <Notice tone=Tone::Warning>{text}</Notice> }
    });
    let sandbox = ctx.tenant().is_sandbox.then(|| {
        view! {
            <p class="c-sandbox" data-mode="sandbox">
                <strong>"Sandbox."</strong>
                " Nothing is sent to real networks, and its figures stay out of KPIs and of what the plan counts."
            </p>
        }
    });
    if visit.is_none() && held.is_none() && sandbox.is_none() {
        return String::new();
    }
    view! {
        {sandbox}
        {visit}
        {held}
    }
    .to_html()
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// A tenant of the person as the switcher needs it.
pub fn entry(membership: &Membership, current: bool) -> TenantEntry {
    TenantEntry {
        slug: membership.slug.to_string(),
        name: membership.name.clone(),
        role: membership.holding.role.name.clone(),
        plan: membership.plan,
        status: membership.status,
        places: Place::open_to(|permission| membership.holding.grants_somewhere(permission)),
        current,
    }
}

/// What stands around a page of a person: the frame of the tenant that is named, or of the one that they were in last
/// if they still belong to it.
pub async fn around(tenant: Option<&str>) -> Result<Around, Error> {
    let request = current();
    let person = request.context.person().ok_or(Error::SignedOut)?;
    let entered = match (tenant, person.last_tenant.as_deref()) {
        (Some(slug), _) => enter(slug).await.map(Some)?,
        (None, Some(last)) => match rtv_domain::access::enter(&request.context, last).await {
            Ok(tenant) => Some(tenant),
            // Also a tenant that wants a second factor or a sign-in first, or another network: a person's own pages open.
            Err(Error::NotFound | Error::SecondFactorMissing | Error::SessionIdle | Error::AddressNotAllowed(_)) => {
                None
            }
            Err(error) => return Err(error),
        },
        (None, None) => None,
    };
    let halts = match &entered {
        None if person.is_staff => crate::kill_switch::banner_for_staff(&request.context).await,
        _ => String::new(),
    };
    Ok(match entered {
        // What a tenant may not do is nothing that a person's own page says.
        Some(tenant) => Around::Tenant(Box::new(Frame { notice: String::new(), ..frame(&tenant).await? })),
        None => Around::Nothing(request.flash.clone(), halts),
    })
}

/// The same for a page that is drawn on the server alone.
pub async fn drawn<T>(
    ctx: &TenantContext,
    content: Result<T, Error>,
    draw: impl FnOnce(Framed<T>) -> Drawn,
) -> Result<Framed<Result<Drawn, AppError>>, AppError> {
    let Framed { frame, content } = framed(ctx, content).await?;
    let content = content.map(|content| draw(Framed { frame: frame.clone(), content }));
    Ok(Framed { frame, content })
}

/// A page of a tenant. One that the person lacks the permission for is answered inside the same frame, so that they can
/// go on to what they may see; a call from a page that is open gets the error itself.
pub async fn framed<T>(
    ctx: &TenantContext,
    content: Result<T, Error>,
) -> Result<Framed<Result<T, AppError>>, AppError> {
    let content = match content {
        Ok(content) => Ok(content),
        Err(error @ Error::Forbidden(_)) if current().is_page => Err(AppError::from(error)),
        Err(error) => return Err(error.into()),
    };
    Ok(Framed { frame: frame(ctx).await?, content })
}
