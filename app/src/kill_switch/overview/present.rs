//! What the page of the place reads, and how that is put into words.

use leptos::prelude::*;
use rtv_core::{Action, Error, Platform, Scope};
use rtv_domain::kill_switch::{self, EngagedSwitch, HaltHistory, MatrixTenant, Sender, State};
use rtv_ui::{Definition, MatrixRow, SegmentLink, SelectOption, SwitchState};

use super::{HaltView, HistoryRow, HistoryView, LocalFileView, MatrixView, Overview, SenderView, drawn};
use crate::kill_switch::desk::{Desk, by, chosen, id, reason, release_way, since};
use crate::kill_switch::drill;
use crate::kill_switch::matrix::{self, Cell, Standing};
use crate::kill_switch::present::{House, ScopeText, age, count, escaped, state_words, switch_state, took};

/// The page, drawn.
pub(in crate::kill_switch) async fn page(desk: &Desk<'_>, query: &[(String, String)]) -> Result<AnyView, Error> {
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
        drills: drill::view(desk, &drills),
    };
    Ok(drawn(page))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_row_are_counted_when_they_are_many() {
        assert_eq!(listed(&["A", "B"]), "A, B");
        assert_eq!(listed(&["A", "B", "C", "D", "E", "F", "G"]), "A, B, C, D, E and 2 more");
    }
}
