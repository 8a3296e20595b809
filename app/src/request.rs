//! What the server hands to every page: who asks, the message that waits for them, and where the browser's files lie.
//! The server makes one of these for each request and provides it as a Leptos context.

use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use rtv_core::Error;
use rtv_domain::{Context, TenantContext};

use crate::error::AppError;
use crate::page::{Flash, Frame, Framed, TenantEntry};

/// One request, as pages see it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub context: Context,
    /// A message for the next page, taken out of the session.
    pub flash: Option<Flash>,
    /// Path and query of the page that is shown.
    pub page: String,
    /// Whether the page itself is asked for, and not a call from a page in the browser.
    pub is_page: bool,
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
    /// Address of the sign-in page that leads back here.
    pub fn sign_in_address(&self) -> String {
        if self.page == "/" || self.page.is_empty() {
            return "/sign-in".into();
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
        format!("/sign-in?next={escaped}")
    }
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
    if current().is_page {
        fail_with(status);
    }
}

/// Sets the status of an answer that is an error and nothing else.
pub fn fail_with(status: u16) {
    if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), http::StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}

/// Enters the tenant of a page and remembers it as the last one.
pub async fn enter(slug: &str) -> Result<TenantContext, Error> {
    let request = current();
    let tenant = rtv_domain::access::enter(&request.context, slug).await?;
    rtv_domain::session::remember_tenant(&request.context, slug).await?;
    Ok(tenant)
}

/// What stands around every page of a tenant.
pub async fn frame(ctx: &TenantContext) -> Result<Frame, Error> {
    let person = ctx.context().person().ok_or(Error::SignedOut)?;
    let slug = ctx.tenant().slug.to_string();
    let tenants = rtv_domain::access::memberships(ctx.context())
        .await?
        .into_iter()
        .map(|one| TenantEntry {
            current: one.slug == ctx.tenant().slug,
            slug: one.slug.to_string(),
            name: one.name,
            role: one.role.label().into(),
        })
        .collect();
    Ok(Frame {
        tenant: ctx.tenant().name.clone(),
        slug,
        tenants,
        user_name: person.name.clone(),
        user_email: person.email.to_string(),
        can_read_figures: ctx.access().grants(rtv_core::Permission::AnalyticsRead),
        can_import: ctx.access().grants(rtv_core::Permission::ImportsManage),
        flash: current().flash,
    })
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
