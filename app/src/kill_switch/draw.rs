//! The pages of the kill switches, in a tenant and in the operator's console: which page an address means, what it reads, and how
//! that is put into words. Runs on the server only.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use rtv_charts::{NumberStyle, Role, Series, TrendChart, Unit};
use rtv_core::preference::Theme;
use rtv_core::{Action, Error, Permission, Platform, Scope, SwitchId};
use rtv_domain::kill_switch::{
    self, Call, Choice, Drill, EngagedSwitch, Facts, HaltHistory, MatrixTenant, OverdueGroup, Plan, Preview, Receipt,
    ScopeWords, Sender, SenderProof, Side, State,
};
use rtv_domain::{Context, TenantContext, account, campaign};
use rtv_ui::{Crumb, Definition, MatrixRow, Picture, SegmentLink, SelectOption, SwitchState, Tally, Tone};

use super::halt::{self, ScopeGroup};
use super::matrix::{self, Cell, Standing};
use super::overview::{
    self, DrillsView, HaltView, HistoryRow, HistoryView, LocalFileView, MatrixView, Overview, ReleaseWay, SenderView,
};
use super::present::{House, ScopeText, age, count, escaped, milliseconds, state_words, switch_state};
use super::receipt::{self, AcknowledgedView, CallView};
use super::release::{self, GroupView, ReleaseForm};
use crate::page::{Drawn, Flash};

/// Who reads a page, and where.
pub(crate) struct Desk<'a> {
    side: Side<'a>,
    house: House,
    flash: Flash,
    now: DateTime<Utc>,
    can_engage: bool,
    can_release: bool,
}

impl<'a> Desk<'a> {
    fn in_tenant(ctx: &'a TenantContext) -> Self {
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
        [] => return Ok(Shown { crumbs: Vec::new(), body: overview(desk, query).await? }),
        ["halt"] => ("Halt".to_owned(), halt_page(desk, query, false).await?),
        ["preview"] => ("Halt".to_owned(), halt_page(desk, query, true).await?),
        ["halts", id] => ("Receipt".to_owned(), receipt_page(desk, id).await?),
        ["releases", id] => ("Asked for".to_owned(), asked_page(desk, id).await?),
        [id, "release"] => ("Resume".to_owned(), release_page(desk, id).await?),
        _ => return Err(Error::NotFound),
    };
    Ok(Shown { crumbs: vec![(label, None)], body })
}

fn chosen<'q>(query: &'q [(String, String)], name: &str) -> &'q str {
    query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

fn id<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

async fn overview(desk: &Desk<'_>, query: &[(String, String)]) -> Result<AnyView, Error> {
    let house = &desk.house;
    let matrix = kill_switch::matrix(desk.side).await?;
    let after = match chosen(query, "after") {
        "" => None,
        text => Some(id(text)?),
    };
    let history = kill_switch::history(desk.side, after).await?;
    let senders = kill_switch::senders(desk.side).await?;
    let drills = kill_switch::drills(desk.side).await?;
    let listed = kill_switch::list(desk.side).await?;
    let standings: Vec<Standing> = matrix.engaged.iter().map(|one| standing(house, one)).collect();
    let halted: Vec<&EngagedSwitch> = listed.iter().filter(|one| one.scope != Scope::Drill).collect();
    let (state, headline, summary) = headline(house, &halted);
    let files = senders.iter().flat_map(|sender| local_files(desk, sender)).collect();
    let first = (!chosen(query, "after").is_empty()).then(|| house.path());
    let page = Overview {
        state,
        headline,
        summary,
        as_of: house.to_the_second(desk.now),
        halt_href: desk.can_engage.then(|| house.below("halt")),
        engaged: halted.iter().map(|one| halt_view(desk, one)).collect(),
        matrix: matrix_view(desk, &matrix.tenants, &standings, query),
        senders: senders.into_iter().map(|one| sender_view(desk, one)).collect(),
        local_files: files,
        history: HistoryView {
            rows: history.items.iter().map(|one| history_row(desk, one)).collect(),
            first,
            next: history.next.map(|next| format!("{}?after={}", house.path(), escaped(&next.to_string()))),
        },
        drills: drills_view(desk, &drills),
    };
    Ok(overview::drawn(page))
}

/// How all of it stands: the loudest switch decides the badge, and the widest one the words.
fn headline(house: &House, halted: &[&EngagedSwitch]) -> (SwitchState, String, Option<String>) {
    let Some(widest) = halted.iter().max_by_key(|one| matrix::height(&one.scope)) else {
        let what = if house.is_staff() { "Nothing is halted for any client." } else { "Nothing is halted here." };
        return (SwitchState::Running, "Running".into(), Some(what.into()));
    };
    let state = switch_state(widest.state);
    let names: Vec<&str> = halted.iter().map(|one| one.name.as_str()).collect();
    let all = i64::try_from(halted.len()).unwrap_or(i64::MAX);
    let is_all = matches!(
        (house, &widest.scope),
        (_, Scope::Everything | Scope::Part { tenant: None, platform: None, action: None })
            | (House::Tenant { .. }, Scope::Part { platform: None, action: None, .. })
    );
    if is_all {
        let rest = (all > 1).then(|| format!("{} in all: {}", count(all, "halt", "halts"), listed(&names)));
        return (state, format!("{} by {}", state.word(), widest.name), rest);
    }
    // Something runs, so the whole is running; how many parts of it do not is said with it.
    (SwitchState::Running, format!("Running, {} below", count(all, "halt", "halts")), Some(listed(&names)))
}

/// Names in a row; more than five are counted.
fn listed(names: &[&str]) -> String {
    match names {
        [.., _] if names.len() > 5 => format!("{} and {} more", names[..5].join(", "), names.len() - 5),
        names => names.join(", "),
    }
}

fn standing(house: &House, one: &EngagedSwitch) -> Standing {
    Standing {
        scope: one.scope,
        label: one.name.clone(),
        state: switch_state(one.state),
        href: house.below(format_args!("halts/{}", one.halt)),
    }
}

fn halt_view(desk: &Desk<'_>, one: &EngagedSwitch) -> HaltView {
    let house = &desk.house;
    let state = switch_state(one.state);
    let mut facts = vec![
        Definition::new("Since", since(desk, one.facts.at)),
        Definition::new("Halted by", by(&one.facts)),
        Definition::new("Reason", reason(&one.facts)),
        Definition::new("Held", count(one.held, "delivery", "deliveries")),
        Definition::new("In flight", count(one.in_flight, "call", "calls")),
    ];
    if let State::Halting { unaware, .. } = one.state
        && unaware > 0
    {
        facts.push(Definition::new("Not known to", count(unaware, "process yet", "processes yet")));
    }
    let is_overdue = one.facts.review_at <= desk.now;
    let review = if is_overdue {
        format!("Review is due since {}", house.time(one.facts.review_at, desk.now))
    } else {
        format!("Review {}", house.time(one.facts.review_at, desk.now))
    };
    let is_ours = house.is_staff() || one.scope.tenant().is_some();
    HaltView {
        id: one.id.to_string(),
        scope: one.name.clone(),
        state,
        state_words: state_words(state, one.in_flight),
        facts,
        ticket: one.facts.ticket.clone(),
        review,
        is_overdue,
        review_action: (desk.can_engage && is_ours).then(|| house.below(format_args!("{}/review", one.id))),
        receipt_href: Some(house.below(format_args!("halts/{}", one.halt))),
        release: release_way(desk, one),
    }
}

fn since(desk: &Desk<'_>, at: DateTime<Utc>) -> String {
    format!("{} ({})", desk.house.time(at, desk.now), age(desk.now - at))
}

fn by(facts: &Facts) -> String {
    match (facts.is_automatic, facts.is_staff) {
        (true, _) => format!("{}, by itself", facts.by),
        (false, true) => format!("{}, staff", facts.by),
        (false, false) => facts.by.clone(),
    }
}

fn reason(facts: &Facts) -> String {
    match &facts.note {
        Some(note) => format!("{}: {note}", facts.reason.label()),
        None => facts.reason.label().to_owned(),
    }
}

/// Who may resume it, as this reader sees it. The domain decides; this only says beforehand what it would say.
fn release_way(desk: &Desk<'_>, one: &EngagedSwitch) -> ReleaseWay {
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

fn matrix_view(
    desk: &Desk<'_>,
    tenants: &[MatrixTenant],
    standings: &[Standing],
    query: &[(String, String)],
) -> MatrixView {
    let house = &desk.house;
    let client = chosen(query, "client");
    let only_halted = chosen(query, "only") == "halted";
    let expanded = match house {
        House::Tenant { .. } => tenants.first(),
        House::Staff => tenants.iter().find(|one| one.slug.as_str() == client),
    };
    let view = if chosen(query, "view") == "actions" { "actions" } else { "platforms" };
    let (corner, columns, mut rows) = rows_of(desk, tenants, standings, expanded, view);
    if only_halted {
        rows.retain(|row| row.cells.iter().any(|cell| !is_running(cell)));
    }
    let link = |to: &str, label: &str| SegmentLink {
        label: label.into(),
        href: format!("{}?view={to}{}", house.path(), if only_halted { "&only=halted" } else { "" }),
        current: to == view,
    };
    let views =
        if expanded.is_none() { vec![link("platforms", "Platforms"), link("actions", "Actions")] } else { Vec::new() };
    let option = |value: &str, label: &str, now: &str| SelectOption {
        value: value.into(),
        label: label.into(),
        selected: value == now,
    };
    let clients = if house.is_staff() {
        core::iter::once(option("", "All clients", client))
            .chain(tenants.iter().map(|one| option(one.slug.as_str(), &one.name, client)))
            .collect()
    } else {
        Vec::new()
    };
    let caption = match (house, expanded) {
        (House::Staff, Some(one)) => format!("{}: platforms by actions", one.name),
        (House::Tenant { name, .. }, _) => format!("{name}: platforms by actions"),
        (House::Staff, None) => format!("Clients by {view}"),
    };
    MatrixView {
        caption,
        corner: corner.into(),
        columns,
        rows,
        views,
        path: house.path(),
        view: view.into(),
        clients,
        only: vec![
            option("", "Everything", if only_halted { "halted" } else { "" }),
            option("halted", "Only where something is halted", if only_halted { "halted" } else { "" }),
        ],
        is_filtered: only_halted || !client.is_empty(),
        empty: "No row has a cell that is halted. Show everything to see what runs.".into(),
    }
}

/// The rows: of one tenant its platforms by its actions, of all of them a line each.
fn rows_of(
    desk: &Desk<'_>,
    tenants: &[MatrixTenant],
    standings: &[Standing],
    expanded: Option<&MatrixTenant>,
    view: &str,
) -> (&'static str, Vec<String>, Vec<MatrixRow>) {
    let house = &desk.house;
    let cell = |tenant, platform, action, slug: Option<&str>| {
        let of = Cell { tenant, platform, action };
        let all = if house.is_staff() { "global" } else { "all" };
        let slug = slug.filter(|_| house.is_staff());
        let href = desk.can_engage.then(|| house.halt(&ScopeText::of_parts(slug, platform, action, all)));
        matrix::drawn(of, standings, href.into())
    };
    let platforms = || core::iter::once(None).chain(Platform::ALL.map(Some));
    let actions = || core::iter::once(None).chain(Action::ALL.map(Some));
    let action_names = || actions().map(|one| one.map_or("All actions", Action::label).to_owned()).collect::<Vec<_>>();
    let platform_names =
        || platforms().map(|one| one.map_or("All platforms", Platform::label).to_owned()).collect::<Vec<_>>();
    match expanded {
        Some(one) => {
            let rows = platforms()
                .map(|platform| MatrixRow {
                    label: platform.map_or("All platforms", Platform::label).to_owned(),
                    detail: None::<String>.into(),
                    href: None::<String>.into(),
                    cells: actions()
                        .map(|action| cell(Some(one.id), platform, action, Some(one.slug.as_str())))
                        .collect(),
                })
                .collect::<Vec<_>>();
            ("Platform", action_names(), rows)
        }
        None => {
            let line = |tenant: Option<&MatrixTenant>| {
                let slug = tenant.map(|one| one.slug.as_str());
                let of = tenant.map(|one| one.id);
                let cells = if view == "actions" {
                    actions().map(|action| cell(of, None, action, slug)).collect()
                } else {
                    platforms().map(|platform| cell(of, platform, None, slug)).collect()
                };
                MatrixRow {
                    label: tenant.map_or_else(|| "All clients".to_owned(), |one| one.name.clone()),
                    detail: None::<String>.into(),
                    // To its platforms and actions.
                    href: slug.map(|slug| format!("{}?client={slug}", house.path())).into(),
                    cells,
                }
            };
            let rows = core::iter::once(line(None)).chain(tenants.iter().map(|one| line(Some(one)))).collect();
            ("Client", if view == "actions" { action_names() } else { platform_names() }, rows)
        }
    }
}

fn is_running(cell: &rtv_ui::MatrixCell) -> bool {
    // A cell that only partly runs says so behind the word.
    matches!(&cell.mark, rtv_ui::MatrixMark::Switch(SwitchState::Running, words) if words.clone().into_option().as_deref() == Some(SwitchState::Running.word()))
}

fn sender_view(desk: &Desk<'_>, sender: Sender) -> SenderView {
    let house = &desk.house;
    let lease = if sender.is_live {
        format!("until {}", house.to_the_second(sender.lease_expires_at))
    } else {
        format!("lapsed {}", house.time(sender.lease_expires_at, desk.now))
    };
    SenderView {
        name: sender.name,
        is_live: sender.is_live,
        lease,
        acknowledged: sender.acknowledged_at.map_or_else(
            || "nothing yet".to_owned(),
            |at| format!("flip {}, since {}", sender.acknowledged_epoch, house.time(at, desk.now)),
        ),
        in_flight: sender.in_flight.to_string(),
        started: house.instant(sender.started_at),
    }
}

fn local_files(desk: &Desk<'_>, sender: &Sender) -> Vec<LocalFileView> {
    sender
        .local_files
        .iter()
        .map(|file| {
            let scope = match (&file.problem, &file.scope) {
                (Some(problem), _) => format!("Everything: {problem}"),
                (None, None) => "Everything".to_owned(),
                (None, Some(scope)) => scope_words(scope),
            };
            let parts = [
                file.by.clone(),
                file.reason.clone(),
                file.note.clone(),
                file.at.map(|at| desk.house.time(at, desk.now)),
            ];
            LocalFileView {
                sender: sender.name.clone(),
                name: file.name.clone(),
                scope,
                detail: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            }
        })
        .collect()
}

/// What a scope stops, where nobody has looked its names up.
fn scope_words(scope: &Scope) -> String {
    match scope {
        Scope::Everything => "Everything".into(),
        Scope::Drill => "Nothing: a drill".into(),
        Scope::Part { tenant, platform, action } => {
            let parts: Vec<String> = [
                tenant.map(|tenant| tenant.to_string()),
                platform.map(|platform| platform.label().to_owned()),
                action.map(|action| action.label().to_owned()),
            ]
            .into_iter()
            .flatten()
            .collect();
            if parts.is_empty() { "All publishing".into() } else { parts.join(" / ") }
        }
        Scope::Account { account, .. } => account.to_string(),
        Scope::Campaign { campaign, .. } => campaign.to_string(),
    }
}

fn history_row(desk: &Desk<'_>, one: &HaltHistory) -> HistoryRow {
    let lasted = match one.released_at {
        Some(released) => age(released - one.at),
        None => "Goes on".to_owned(),
    };
    let words = match &one.note {
        Some(note) => format!("{}: {note}", one.reason.label()),
        None => one.reason.label().to_owned(),
    };
    let resumed = match (&one.released_by, &one.approved_by) {
        (Some(by), Some(second)) => format!("; resumed by {by} and {second}"),
        (Some(by), None) => format!("; resumed by {by}"),
        (None, _) => String::new(),
    };
    HistoryRow {
        id: one.id.to_string(),
        href: desk.house.below(format_args!("halts/{}", one.id)),
        at: desk.house.instant(one.at),
        scope: one.name.clone(),
        by: format!("{}{resumed}", one.by),
        reason: words,
        lasted,
        held: one.held.map_or_else(|| rtv_domain::format::MISSING.to_owned(), |held| held.to_string()),
        stopped_in: took(one.click_to_halt_ms),
    }
}

/// Milliseconds from the press to the standstill, as far as they are known.
fn took(ms: Option<f64>) -> String {
    ms.map_or_else(|| rtv_domain::format::MISSING.to_owned(), |ms| milliseconds(rounded(ms)))
}

fn rounded(ms: f64) -> i64 {
    // Days have 86 million milliseconds; what does not fit is no time that anybody waited.
    #[allow(clippy::cast_possible_truncation)]
    let whole = ms.round() as i64;
    whole
}

fn drills_view(desk: &Desk<'_>, drills: &[Drill]) -> Option<DrillsView> {
    let Some(last) = drills.first() else {
        return desk.house.is_staff().then(|| DrillsView { takeaway: String::new(), pictures: None, rows: Vec::new() });
    };
    let takeaway = format!(
        "In the last drill, {}, half of the halts took at most {}, and 95 of 100 at most {}.",
        desk.house.instant(last.at),
        took(Some(last.p50_ms)),
        took(Some(last.p95_ms))
    );
    // The address changes with the data, so that a browser may keep the picture.
    let base = desk.house.below(format_args!("drills.svg?v={}", last.id));
    // Who chose a theme has it whatever the device says.
    let (light, dark) = match crate::preference::current().theme {
        Theme::System => ("light", "dark"),
        Theme::Light => ("light", "light"),
        Theme::Dark => ("dark", "dark"),
    };
    let picture = |width: u32, height: u32| Picture {
        src: format!("{base}&theme={light}&width={width}&height={height}"),
        dark_src: format!("{base}&theme={dark}&width={width}&height={height}"),
        width,
        height,
    };
    let rows = drills
        .iter()
        .map(|one| {
            [
                desk.house.instant(one.at),
                one.by.clone(),
                one.rounds.to_string(),
                took(Some(one.p50_ms)),
                took(Some(one.p95_ms)),
                took(Some(one.most_ms)),
            ]
        })
        .collect();
    Some(DrillsView { takeaway, pictures: Some([picture(1_120, 320), picture(400, 280)]), rows })
}

/// How fast halts were over time, as a chart.
pub async fn drill_chart(side: Side<'_>) -> Result<TrendChart, Error> {
    let mut drills = kill_switch::drills(side).await?;
    drills.reverse();
    let line = |name: &str, value: fn(&Drill) -> f64| Series {
        name: name.into(),
        values: drills.iter().map(|one| Some(value(one).round())).collect(),
        role: Role::Current,
    };
    Ok(TrendChart {
        title: "Milliseconds from the press to the standstill".into(),
        summary: format!("{} drills, the median and the 95th percentile of each.", drills.len()),
        unit: Unit::Count,
        categories: drills.iter().map(|one| one.at.format("%d %b %H:%M").to_string()).collect(),
        series: vec![line("95 of 100, ms", |one| one.p95_ms), line("Median, ms", |one| one.p50_ms)],
        marks: Vec::new(),
        numbers: NumberStyle::ENGLISH,
        font_family: "system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif".into(),
        no_data: "No drill has run yet.".into(),
    })
}

/// What a text of an address or a form names.
pub fn scope_of(text: &str) -> Result<ScopeWords, Error> {
    let scope = ScopeText::new(text.trim());
    if !scope.is_known() {
        return Err(Error::invalid("scope", "choose what to halt"));
    }
    let part = |name: &str| scope.part(name).map(str::to_owned);
    Ok(ScopeWords {
        everything: scope.is_everything(),
        tenant: part("tenant"),
        platform: part("platform"),
        action: part("action"),
        account: part("account"),
        campaign: part("campaign"),
    })
}

async fn halt_page(desk: &Desk<'_>, query: &[(String, String)], with_preview: bool) -> Result<AnyView, Error> {
    if !desk.can_engage {
        return Err(Error::Forbidden(Permission::SwitchesEngage));
    }
    let text = match desk.flash.value("scope") {
        Some(typed) => typed,
        None => chosen(query, "scope").to_owned(),
    };
    let mut flash = desk.flash.clone();
    if with_preview {
        // What was chosen beside it comes back with the page.
        flash.values.extend(query.iter().filter(|(name, _)| name != "scope").cloned());
    }
    let groups = scopes(desk, &text).await?;
    let preview = match (with_preview, text.as_str()) {
        (false, _) | (true, "") => None,
        (true, text) => {
            let scope = kill_switch::find_scope(desk.side, &scope_of(text)?).await?;
            Some(preview_words(desk, kill_switch::preview(desk.side, &scope).await?))
        }
    };
    Ok(halt::drawn(&desk.house, groups, &text, preview, &flash))
}

/// All that can be halted from here. What was asked for and is in no list comes first, so that it is chosen.
async fn scopes(desk: &Desk<'_>, text: &str) -> Result<Vec<ScopeGroup>, Error> {
    let group = |label: &str, is_long, scopes| ScopeGroup { label: label.into(), scopes, is_long };
    let platforms = Platform::ALL.map(|one| (format!("platform={one}"), one.label().to_owned(), None)).to_vec();
    let actions = Action::ALL
        .map(|one| {
            let hint = one.is_cleanup().then(|| "Cleaning up; other halts let it go on.".to_owned());
            (format!("action={one}"), one.label().to_owned(), hint)
        })
        .to_vec();
    let mut groups = match desk.side {
        Side::Tenant(ctx) => {
            let all = vec![(
                "all".to_owned(),
                format!("All of {}", ctx.tenant().name),
                Some("Every platform and account; cleaning up goes on.".to_owned()),
            )];
            let mut groups =
                vec![group("Client", false, all), group("Platform", false, platforms), group("Action", false, actions)];
            if ctx.access().grants(Permission::AnalyticsRead) {
                let accounts: Vec<_> = account::list(ctx)
                    .await?
                    .into_iter()
                    .map(|one| (format!("account={}", one.id), one.name, Some(one.platform.label().to_owned())))
                    .collect();
                let campaigns: Vec<_> = campaign::list(ctx)
                    .await?
                    .into_iter()
                    .map(|one| (format!("campaign={}", one.id), one.name, None))
                    .collect();
                groups.extend((!accounts.is_empty()).then(|| group("Account", true, accounts)));
                groups.extend((!campaigns.is_empty()).then(|| group("Campaign", true, campaigns)));
            }
            groups
        }
        Side::Operator(_) => {
            let all = vec![
                (
                    "global".to_owned(),
                    "All publishing".to_owned(),
                    Some("Every client; cleaning up goes on.".to_owned()),
                ),
                ("everything".to_owned(), "Everything".to_owned(), Some("Cleaning up included.".to_owned())),
            ];
            let clients = kill_switch::matrix(desk.side)
                .await?
                .tenants
                .into_iter()
                .map(|one| (format!("tenant={}", one.slug), one.name, Some(one.slug.to_string())))
                .collect();
            vec![
                group("Global", false, all),
                group("Platform, for all clients", false, platforms),
                group("Action, for all clients", false, actions),
                group("Client", true, clients),
            ]
        }
    };
    let is_listed = groups.iter().flat_map(|group| &group.scopes).any(|(value, ..)| value == text);
    if !text.is_empty()
        && !is_listed
        && let Ok(words) = scope_of(text)
    {
        let scope = kill_switch::find_scope(desk.side, &words).await?;
        let name = kill_switch::preview(desk.side, &scope).await?.name;
        groups.insert(0, group("Where you come from", false, vec![(text.to_owned(), name, None)]));
    }
    Ok(groups)
}

/// What halting in a tenant would stop, drawn.
pub(super) async fn preview(ctx: &TenantContext, text: &str) -> Result<String, Error> {
    drawn_preview(&Desk::in_tenant(ctx), text).await
}

/// The same for staff.
pub(super) async fn preview_for_staff(ctx: &Context, text: &str) -> Result<String, Error> {
    drawn_preview(&Desk::of_staff(ctx), text).await
}

async fn drawn_preview(desk: &Desk<'_>, text: &str) -> Result<String, Error> {
    let scope = kill_switch::find_scope(desk.side, &scope_of(text)?).await?;
    let preview = kill_switch::preview(desk.side, &scope).await?;
    Ok(halt::preview_view(preview_words(desk, preview)).to_html())
}

fn preview_words(desk: &Desk<'_>, preview: Preview) -> halt::Preview {
    let mut facts = Vec::new();
    if desk.house.is_staff() {
        facts.push(Definition::new("Clients", preview.tenants.to_string()));
    }
    let platforms: Vec<&str> = preview.platforms.iter().map(|one| one.label()).collect();
    facts.extend([
        Definition::new("Accounts", preview.accounts.to_string()),
        Definition::new("Platforms", if platforms.is_empty() { "None".to_owned() } else { platforms.join(", ") }),
        Definition::new("Due within 24 h", count(preview.due_within_a_day, "delivery", "deliveries")),
        Definition::new("In flight now", count(preview.in_flight, "call", "calls")),
    ]);
    let shown: i64 = preview.groups.iter().map(|group| group.due).sum();
    let rest = preview.due_within_a_day - shown;
    let groups = preview
        .groups
        .into_iter()
        .map(|group| {
            let account =
                if desk.house.is_staff() { format!("{}: {}", group.tenant_name, group.account) } else { group.account };
            [account, group.platform.label().to_owned(), group.due.to_string()]
        })
        .collect();
    let rest = (rest > 0).then(|| format!("And {} of other accounts.", count(rest, "delivery", "deliveries")));
    halt::Preview { scope: preview.name, facts, groups, rest }
}

async fn receipt_page(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let found = kill_switch::receipt(desk.side, id(text)?).await?;
    let engaged = if found.is_engaged { kill_switch::one(desk.side, found.switch).await.ok() } else { None };
    // A halt that is over has stood: what became of it is said beside it.
    let state = switch_state(found.state);
    let is_moving = matches!(found.state, State::Halting { .. }) || (found.is_engaged && found.completed_at.is_none());
    let state_words = match (found.is_engaged, found.released_at) {
        (false, Some(at)) => format!("{}, resumed {}", state.word(), house.time(at, desk.now)),
        _ => state_words(state, found.part.calls_in_flight),
    };
    let note = match (found.completed_at, is_moving) {
        (Some(at), _) => Some(format!("Complete since {}. It stays as it is.", house.instant(at))),
        (None, true) => Some(
            "This receipt is not complete yet: it follows what happens until everything has an outcome.".to_owned(),
        ),
        (None, false) => None,
    };
    let page = receipt::Receipt {
        scope: found.name.clone(),
        state,
        state_words,
        subtitle: format!("{} · {}", found.halt, house.instant(found.clicked_at)),
        is_moving,
        tallies: tallies(house, &found),
        facts: receipt_facts(house, &found),
        ticket: found.facts.ticket.clone(),
        note,
        calls: found.part.calls.iter().map(|call| call_view(desk, call)).collect(),
        senders: found.senders.iter().map(|one| acknowledged(one, found.clicked_at)).collect(),
        json_href: house.below(format_args!("halts/{}/receipt.json", found.halt)),
        back_href: house.path(),
        release: engaged.as_ref().map(|one| release_way(desk, one)),
    };
    Ok(receipt::drawn(page))
}

/// Longest that a halt may take, in milliseconds.
const LIMIT_MS: f64 = 2_500.0;

/// The four figures of a receipt.
fn tallies(house: &House, found: &Receipt) -> Vec<Tally> {
    let part = &found.part;
    let tally = |key: &str, label: &str, value: String, exact: String, note: Option<String>, is_bad: bool| Tally {
        key: key.into(),
        label: label.into(),
        value,
        exact,
        note: note.into(),
        tone: if is_bad { Tone::Danger } else { Tone::Neutral },
    };
    let late = part.calls.iter().filter(|call| call.is_late).count();
    let last = part.last_outbound_byte_at;
    let took_ms = found.click_to_halt_ms;
    vec![
        tally("held", "Deliveries held", part.held.to_string(), part.held.to_string(), None, false),
        tally(
            "in-flight",
            "In flight at the press",
            part.calls_in_flight.to_string(),
            part.calls_in_flight.to_string(),
            (late > 0).then(|| format!("{late} of them left bytes after it")),
            late > 0,
        ),
        tally(
            "last-byte",
            "Last outbound byte",
            last.map_or_else(|| "None".to_owned(), |at| house.to_the_second(at)),
            last.map(|at| at.to_rfc3339()).unwrap_or_default(),
            None,
            false,
        ),
        tally(
            "click-to-halt",
            "From press to standstill",
            took(took_ms),
            took_ms.map(|ms| format!("{ms:.1}")).unwrap_or_default(),
            Some("Limit 2.5 s".into()),
            took_ms.is_some_and(|ms| ms > LIMIT_MS),
        ),
    ]
}

fn receipt_facts(house: &House, found: &Receipt) -> Vec<Definition> {
    let exactly = |at: DateTime<Utc>| format!("{} {}", house.instant(at), seconds(at));
    let mut facts = vec![
        Definition::new("Scope", found.name.clone()),
        Definition::new("Halted by", by(&found.facts)),
        Definition::new("Pressed", exactly(found.clicked_at)),
        Definition::new("At a standstill", found.halted_at.map_or_else(|| "Not yet".to_owned(), exactly)),
        Definition::new("Reason", reason(&found.facts)),
        Definition::new("Due within 24 h", count(found.part.due_within_a_day, "delivery", "deliveries")),
    ];
    if let Some(at) = found.released_at {
        let who = match (&found.released_by, &found.approved_by) {
            (Some(by), Some(second)) => format!("{by} and {second}"),
            (Some(by), None) => by.clone(),
            (None, _) => "somebody".to_owned(),
        };
        facts.push(Definition::new("Resumed", format!("{}, by {who}", house.instant(at))));
        facts.extend(found.release_reason.clone().map(|why| Definition::new("Why it was resumed", why)));
    }
    facts
}

/// The seconds of an instant that is told beside them, because the order within a minute matters here.
fn seconds(at: DateTime<Utc>) -> String {
    at.format("(second %S%.3f)").to_string()
}

fn acknowledged(one: &SenderProof, clicked_at: DateTime<Utc>) -> AcknowledgedView {
    let (how, at) = match (one.acknowledged_at, one.lapsed_at) {
        (Some(at), _) => ("Acknowledged", Some(at)),
        (None, Some(at)) => ("Its lease lapsed", Some(at)),
        (None, None) => ("Not known yet", None),
    };
    AcknowledgedView {
        name: one.name.clone(),
        how: how.into(),
        after: at.map_or_else(
            || rtv_domain::format::MISSING.to_owned(),
            |at| milliseconds((at - clicked_at).num_milliseconds().max(0)),
        ),
    }
}

fn call_view(desk: &Desk<'_>, call: &Call) -> CallView {
    let tone = match call.state.as_str() {
        "confirmed" => Tone::Success,
        "accepted" => Tone::Info,
        "unknown" | "sending" => Tone::Warning,
        "rejected" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let outcome = call.outcome.clone().unwrap_or_else(|| call.state.replace('_', " "));
    let href = match &desk.house {
        House::Tenant { slug, .. } => Some(format!("/t/{slug}/deliveries/{}", call.delivery)),
        House::Staff => None,
    };
    CallView {
        delivery: format!("{}, attempt {}", call.delivery, call.attempt),
        href,
        account: format!("{}, {}", call.account, call.platform.label()),
        began: call.first_byte_at.map_or_else(|| "No byte left".to_owned(), |at| desk.house.to_the_second(at)),
        outcome: if call.is_late { format!("{outcome}; bytes left after the press") } else { outcome },
        tone: if call.is_late { Tone::Danger } else { tone },
    }
}

async fn release_page(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let switch: SwitchId = id(text)?;
    let plan = kill_switch::resume_plan(desk.side, switch).await?;
    let one = &plan.switch;
    let still = kill_switch::list(desk.side)
        .await?
        .iter()
        .filter(|other| other.id != one.id && other.scope != Scope::Drill && overlaps(&other.scope, &one.scope))
        .map(|other| other.name.clone())
        .collect();
    let page = ReleaseForm {
        scope: one.name.clone(),
        typed: one.name.clone(),
        action: house.below(format_args!("{switch}/release")),
        cancel_href: house.path(),
        facts: vec![
            Definition::new("Since", since(desk, one.facts.at)),
            Definition::new("Halted by", by(&one.facts)),
            Definition::new("Reason", reason(&one.facts)),
            Definition::new("Held", count(one.held, "delivery", "deliveries")),
        ],
        groups: plan.groups.iter().map(|group| group_view(desk, group)).collect(),
        takes_two: plan.takes_two,
        zone: zone(desk.side),
        still,
    };
    Ok(release::form(house, page, &desk.flash))
}

/// Whether two scopes share an operation that both stop.
fn overlaps(one: &Scope, other: &Scope) -> bool {
    let tenants = one.tenant().is_none() || other.tenant().is_none() || one.tenant() == other.tenant();
    let sides = |scope: &Scope| match *scope {
        Scope::Part { platform, action, .. } => (platform, action),
        _ => (None, None),
    };
    let ((platform, action), (second_platform, second_action)) = (sides(one), sides(other));
    tenants
        && (platform.is_none() || second_platform.is_none() || platform == second_platform)
        && (action.is_none() || second_action.is_none() || action == second_action)
}

/// The zone in which times of a plan are typed.
fn zone(side: Side<'_>) -> String {
    match side {
        Side::Tenant(ctx) => ctx.tenant().zone.name().to_owned(),
        Side::Operator(_) => "UTC".to_owned(),
    }
}

fn group_view(desk: &Desk<'_>, group: &OverdueGroup) -> GroupView {
    GroupView {
        key: group.account.to_string(),
        account: account_words(desk, group),
        platform: group.platform.label().to_owned(),
        overdue: group.overdue.to_string(),
        earliest: since(desk, group.earliest),
    }
}

fn account_words(desk: &Desk<'_>, group: &OverdueGroup) -> String {
    if desk.house.is_staff() {
        format!("{}: {}", group.tenant_name, group.account_name)
    } else {
        group.account_name.clone()
    }
}

async fn asked_page(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let found = kill_switch::asked(desk.side, id(text)?).await?;
    let is_over = found.expires_at <= desk.now;
    let left = age(found.expires_at - desk.now);
    let one = &found.switch;
    let facts = vec![
        Definition::new("Asked by", found.by.clone()),
        Definition::new("Asked", since(desk, found.at)),
        Definition::new("Why it is safe again", found.reason.clone()),
        Definition::new(
            "Expires",
            format!(
                "{} ({})",
                house.to_the_second(found.expires_at),
                if is_over { "over".to_owned() } else { format!("in {left}") }
            ),
        ),
        Definition::new("Halted by", by(&one.facts)),
        Definition::new("Halted because", reason(&one.facts)),
        Definition::new("Held", count(one.held, "delivery", "deliveries")),
    ];
    let plan = found
        .groups
        .iter()
        .map(|group| [account_words(desk, group), group.overdue.to_string(), plan_words(desk, &found.plan, group)])
        .collect();
    let (approve_action, why_not) = match (is_over, found.is_own, desk.can_release) {
        (true, ..) => (None, Some("This request has ended by itself. Whoever wants to resume asks again.".to_owned())),
        (_, true, _) => (
            None,
            Some("You asked for this. A second person with the same right approves it: send them the address of this page.".to_owned()),
        ),
        (_, _, false) => (
            None,
            Some(format!("Approving needs the permission “{}”.", Permission::SwitchesRelease.key())),
        ),
        _ => (Some(house.below(format_args!("releases/{}/approve", found.id))), None),
    };
    let page = release::Asked {
        scope: one.name.clone(),
        subtitle: format!(
            "{} asks you to approve. {}",
            found.by,
            if is_over { "It is too late for that.".to_owned() } else { format!("{left} left.") }
        ),
        facts,
        plan,
        back_href: house.path(),
        approve_action,
        withdraw_action: (desk.can_release && !is_over)
            .then(|| house.below(format_args!("releases/{}/withdraw", found.id))),
        why_not,
    };
    Ok(release::asked(page))
}

fn plan_words(desk: &Desk<'_>, plan: &Plan, group: &OverdueGroup) -> String {
    let own = plan.groups.iter().find(|(account, _)| *account == group.account).map(|(_, choice)| *choice);
    match own.or(plan.all) {
        Some(Choice::Spread { minutes }) => format!("Publish, spread over {minutes} min"),
        Some(Choice::Reschedule { at }) => format!("Publish from {} on", desk.house.instant(at)),
        Some(Choice::Approval) => "Back to approval".into(),
        Some(Choice::Drop) => "Drop: never publish".into(),
        None => "Not decided".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_overlap_where_they_share_something() {
        let tenant = |number| Some(uuid::Uuid::from_u128(number).into());
        let part = |tenant, platform, action| Scope::Part { tenant, platform, action };
        let check = |one: Scope, other: Scope, expect: bool| {
            assert_eq!(overlaps(&one, &other), expect, "{one:?} {other:?}");
            assert_eq!(overlaps(&other, &one), expect, "{other:?} {one:?}");
        };
        check(Scope::GLOBAL, part(tenant(1), Some(Platform::X), None), true);
        check(part(tenant(1), None, None), part(tenant(2), None, None), false);
        check(part(None, Some(Platform::X), None), part(tenant(2), None, Some(Action::Reply)), true);
        check(part(None, Some(Platform::X), None), part(None, Some(Platform::Mastodon), None), false);
    }

    #[test]
    fn names_in_a_row_are_counted_when_they_are_many() {
        assert_eq!(listed(&["A", "B"]), "A, B");
        assert_eq!(listed(&["A", "B", "C", "D", "E", "F", "G"]), "A, B, C, D, E and 2 more");
    }

    #[test]
    fn a_text_that_is_no_scope_names_the_field() {
        assert!(matches!(scope_of("moon"), Err(Error::Invalid(errors)) if errors[0].field == "scope"));
        let words = scope_of("platform=x&action=publish").unwrap();
        assert_eq!(
            (words.platform.as_deref(), words.action.as_deref(), words.everything),
            (Some("x"), Some("publish"), false)
        );
        assert!(scope_of("everything").unwrap().everything);
    }
}
