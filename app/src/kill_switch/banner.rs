//! The banner above every page: the widest halt that concerns whoever looks, in words, and how many more there are.

use std::hash::{DefaultHasher, Hasher as _};

use leptos::prelude::*;
use rtv_core::{Error, Permission, Scope};
use rtv_domain::kill_switch::{self, Banner, BannerItem, Glance, Page, Side, State};
use rtv_domain::{Context, TenantContext};
use rtv_ui::{BannerFact, HaltBanner, SwitchState};

use super::api::Halts;
use super::present::{House, age, switch_state};

/// What a member of the tenant sees.
pub async fn of_tenant(ctx: &TenantContext) -> String {
    let can_open = ctx.access().shows(Permission::SwitchesRead);
    drawn(kill_switch::banner(Side::Tenant(ctx)).await, &House::of(ctx), can_open, ctx.context()).view
}

/// What staff see outside of a tenant.
pub async fn for_staff(ctx: &Context) -> String {
    drawn(kill_switch::banner(Side::Operator(ctx)).await, &House::Staff, true, ctx).view
}

/// A banner that is drawn.
struct Shown {
    version: String,
    view: String,
    is_moving: bool,
}

/// What a page that is open shows now, unless it shows that already. Who may not know what is halted there learns nothing.
pub(super) async fn since(page: &str, seen: &str) -> Result<Option<Halts>, Error> {
    let request = crate::request::current();
    let (ctx, Some(session)) = (&request.context, request.glancing) else { return Ok(None) };
    let slug = page.strip_prefix("/t/").and_then(|rest| rest.split('/').next());
    let is_staffs = page == "/staff" || page.starts_with("/staff/");
    let at = match slug {
        _ if is_staffs => Page::OfStaff,
        Some(slug) => Page::OfTenant(slug),
        None => Page::OfPerson,
    };
    let shown = match kill_switch::glance(ctx, session, at).await? {
        Some(Glance::InTenant { tenant, can_open, banner }) => drawn(banner, &House::of_tenant(&tenant), can_open, ctx),
        Some(Glance::OfStaff(banner)) => drawn(banner, &House::Staff, true, ctx),
        None => return Ok(None),
    };
    Ok((shown.version != seen).then_some(Halts { html: shown.view, is_moving: shown.is_moving }))
}

/// Draws a banner; nothing where nothing is halted, and that nobody knows where it could not be read.
fn drawn(found: Result<Banner, Error>, house: &House, can_open: bool, ctx: &Context) -> Shown {
    let (words, under, href, is_moving) = match found {
        Ok(Banner { engaged }) if engaged.is_empty() => {
            return Shown { version: String::new(), view: String::new(), is_moving: false };
        }
        Ok(Banner { engaged }) => {
            let is_moving = engaged.iter().any(|one| matches!(one.state, State::Halting { .. }));
            // What the banner leaves out may be what a page below it shows.
            let under: Vec<String> = engaged.iter().map(|one| format!("{} {:?}", one.halt, one.state)).collect();
            (Words::of(&engaged, house, ctx), under, can_open.then(|| house.path()), is_moving)
        }
        // The page itself stands; why the switches could not be read is in the log already.
        Err(_) => (Words::unknown(), Vec::new(), None, false),
    };
    let version = words.version(&under);
    let Words { state, title, facts, more, say } = words;
    let view = view! { <HaltBanner state title facts more href version=version.clone() say /> }.into_view().to_html();
    Shown { version, view, is_moving }
}

/// What a banner says.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    state: SwitchState,
    title: String,
    facts: Vec<BannerFact>,
    more: Option<String>,
    say: String,
}

impl Words {
    /// The widest switch comes first.
    fn of(engaged: &[BannerItem], house: &House, ctx: &Context) -> Self {
        let first = &engaged[0];
        let state = switch_state(first.state);
        let title = title(first, state);
        let now = ctx.now();
        let facts = &first.facts;
        let reason = facts.note.clone().unwrap_or_else(|| facts.reason.label().to_owned());
        let mut words = Vec::new();
        if matches!(first.scope, Scope::Part { tenant: None, platform: None, action: None } | Scope::Everything) {
            words.push(BannerFact::new("Global"));
        }
        words.push(BannerFact::new(if facts.is_staff { format!("{}, staff", facts.by) } else { facts.by.clone() }));
        words.push(BannerFact::at(
            format!("{} ({})", house.time(facts.at, now), age(now - facts.at)),
            facts.at.to_rfc3339(),
        ));
        words.push(BannerFact::new(format!("“{}”", shortened(&reason))));
        words
            .push(BannerFact::at(format!("review {}", house.time(facts.review_at, now)), facts.review_at.to_rfc3339()));
        if let State::Halting { in_flight, unaware } = first.state {
            words.push(BannerFact::new(match (in_flight, unaware) {
                (0, 1) => "1 process has not answered yet".to_owned(),
                (0, several) => format!("{several} processes have not answered yet"),
                (some, _) => format!("{some} in flight"),
            }));
        }
        let more = engaged.len() - 1;
        let say = format!("{title}. {}", facts.reason.label());
        Self { state, title, facts: words, more: (more > 0).then(|| format!("+{more} more")), say }
    }

    fn unknown() -> Self {
        let title = "Unknown whether anything is halted";
        Self {
            state: SwitchState::Unknown,
            title: title.into(),
            facts: vec![BannerFact::new("The switches could not be read")],
            more: None,
            say: title.into(),
        }
    }

    /// Differs whenever what is read does. It need not be the same on another build: then the page is told once more.
    fn version(&self, under: &[String]) -> String {
        let mut hasher = DefaultHasher::new();
        hasher.write(format!("{self:?} {under:?}").as_bytes());
        format!("{:016x}", hasher.finish())
    }
}

/// What is halted, as a headline.
fn title(item: &BannerItem, state: SwitchState) -> String {
    let word = state.word().to_lowercase();
    match item.scope {
        Scope::Everything => format!("Everything {word}, cleaning up included"),
        Scope::Part { tenant: None, platform: None, action: None } => format!("All publishing {word}"),
        Scope::Part { tenant: Some(_), platform: None, action: None } => format!("All of {} {word}", item.name),
        Scope::Part { .. } | Scope::Account { .. } | Scope::Campaign { .. } | Scope::Drill => {
            format!("{} {word}", item.name)
        }
    }
}

/// A note may be long, and a banner is a line or two.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{}…", cut.trim_end())
}
