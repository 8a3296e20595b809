//! Who reads a page of the kill switches, which page an address means, and the words that several of these pages share. What one
//! page alone reads and says stands beside it, in its `present.rs`. Runs on the server only.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use rtv_core::{Error, Permission};
use rtv_domain::kill_switch::{EngagedSwitch, Facts, Side};
use rtv_domain::{Context, TenantContext};
use rtv_ui::Crumb;

use super::overview::ReleaseWay;
use super::present::{House, age};
use super::{halt, overview, receipt, release};
use crate::page::{Drawn, Flash};

/// Who reads a page, and where.
pub(crate) struct Desk<'a> {
    pub(super) side: Side<'a>,
    pub(super) house: House,
    pub(super) flash: Flash,
    pub(super) now: DateTime<Utc>,
    pub(super) can_engage: bool,
    pub(super) can_release: bool,
}

impl<'a> Desk<'a> {
    pub(super) fn in_tenant(ctx: &'a TenantContext) -> Self {
        Self {
            side: Side::Tenant(ctx),
            house: House::of(ctx),
            flash: crate::request::current().flash.unwrap_or_default(),
            now: ctx.now(),
            can_engage: ctx.access().grants(Permission::SwitchesEngage),
            can_release: ctx.access().grants(Permission::SwitchesRelease),
        }
    }

    /// Of staff, in the console.
    pub(crate) fn of_staff(ctx: &'a Context) -> Self {
        Self {
            side: Side::Operator(ctx),
            house: House::Staff,
            flash: crate::request::current().flash.unwrap_or_default(),
            now: ctx.now(),
            can_engage: true,
            can_release: true,
        }
    }
}

/// A page without its frame.
pub(crate) struct Shown {
    /// The way from the place to the page; empty for the place itself.
    pub(crate) crumbs: Vec<(String, Option<String>)>,
    /// What stands on it.
    pub(crate) body: AnyView,
}

/// A page of a tenant, drawn.
pub(super) async fn page(ctx: &TenantContext, below: &str, query: &[(String, String)]) -> Result<Drawn, Error> {
    let desk = Desk::in_tenant(ctx);
    let is_refused = !desk.flash.errors.is_empty();
    let Shown { crumbs, body } = show(&desk, below, query).await?;
    let crumbs = crumbs.into_iter().map(|(label, href)| Crumb { label, href }).collect();
    Ok(Drawn::new(crumbs, is_refused, body))
}

/// Whichever page stands at the address.
pub(crate) async fn show(desk: &Desk<'_>, below: &str, query: &[(String, String)]) -> Result<Shown, Error> {
    let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    let (label, body) = match parts.as_slice() {
        [] => return Ok(Shown { crumbs: Vec::new(), body: overview::present::page(desk, query).await? }),
        ["halt"] => ("Halt".to_owned(), halt::present::page(desk, query, false).await?),
        ["preview"] => ("Halt".to_owned(), halt::present::page(desk, query, true).await?),
        ["halts", id] => ("Receipt".to_owned(), receipt::present::page(desk, id).await?),
        ["releases", id] => ("Asked for".to_owned(), release::present::asked(desk, id).await?),
        [id, "release"] => ("Resume".to_owned(), release::present::form(desk, id).await?),
        _ => return Err(Error::NotFound),
    };
    Ok(Shown { crumbs: vec![(label, None)], body })
}

pub(super) fn chosen<'q>(query: &'q [(String, String)], name: &str) -> &'q str {
    query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

pub(super) fn id<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

pub(super) fn since(desk: &Desk<'_>, at: DateTime<Utc>) -> String {
    format!("{} ({})", desk.house.time(at, desk.now), age(desk.now - at))
}

pub(super) fn by(facts: &Facts) -> String {
    match (facts.is_automatic, facts.is_staff) {
        (true, _) => format!("{}, by itself", facts.by),
        (false, true) => format!("{}, staff", facts.by),
        (false, false) => facts.by.clone(),
    }
}

pub(super) fn reason(facts: &Facts) -> String {
    match &facts.note {
        Some(note) => format!("{}: {note}", facts.reason.label()),
        None => facts.reason.label().to_owned(),
    }
}

/// Who may resume it, as this reader sees it. The domain decides; this only says beforehand what it would say.
pub(super) fn release_way(desk: &Desk<'_>, one: &EngagedSwitch) -> ReleaseWay {
    let house = &desk.house;
    if let Some(waiting) = &one.waiting {
        let words = format!("{} has asked to resume it", waiting.by);
        return ReleaseWay::Waits { words, href: house.below(format_args!("releases/{}", waiting.id)) };
    }
    let is_operators = one.scope.tenant().is_none() || one.facts.is_staff;
    match (house.is_staff(), is_operators) {
        (false, true) => ReleaseWay::Closed("Staff of the operator engaged it; only they resume it.".into()),
        (true, false) => ReleaseWay::Closed("The client’s own people engaged it; only they resume it.".into()),
        _ if !desk.can_release => ReleaseWay::Closed(format!(
            "Resuming needs the permission “{}”. An owner or admin can grant it.",
            Permission::SwitchesRelease.key()
        )),
        _ => ReleaseWay::Open(house.below(format_args!("{}/release", one.id))),
    }
}
