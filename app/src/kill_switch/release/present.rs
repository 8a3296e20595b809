//! What the pages that resume read, and how that is put into words.

use leptos::prelude::*;
use rtv_core::{Error, Permission, Scope, SwitchId};
use rtv_domain::kill_switch::{self, Choice, End, EndedRequest, OverdueGroup, Plan, Side};
use rtv_ui::{Definition, Tone};

use super::{GroupView, ReleaseForm};
use crate::kill_switch::desk::{Desk, by, id, reason, since};
use crate::kill_switch::present::{age, count};

/// The form that resumes, drawn.
pub(in crate::kill_switch) async fn form(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let switch: SwitchId = id(text)?;
    let plan = match kill_switch::resume_plan(desk.side, switch).await {
        Ok(plan) => plan,
        // The form was open, or its address kept, while somebody else resumed it.
        Err(Error::NotFound) => return Ok(super::ended(resumed_already(desk, switch).await?)),
        Err(error) => return Err(error),
    };
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
    Ok(super::form(house, page, &desk.flash))
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

/// A request that waits for a second person, drawn.
pub(in crate::kill_switch) async fn asked(desk: &Desk<'_>, text: &str) -> Result<AnyView, Error> {
    let house = &desk.house;
    let request = id(text)?;
    let found = match kill_switch::asked(desk.side, request).await {
        Ok(found) => found,
        // Its address is kept and sent around, so it goes on telling what became of it.
        Err(Error::NotFound) => return Ok(super::ended(ended(desk, kill_switch::ended(desk.side, request).await?))),
        Err(error) => return Err(error),
    };
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
    let page = super::Asked {
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
    Ok(super::asked(page))
}

/// Who resumed a switch that is not engaged. One that never was: [`Error::NotFound`].
async fn resumed_already(desk: &Desk<'_>, switch: SwitchId) -> Result<super::Ended, Error> {
    let house = &desk.house;
    let halt = kill_switch::newest_halt(desk.side, switch).await?;
    let found = kill_switch::receipt(desk.side, halt).await?;
    let by_whom: Vec<&str> =
        [&found.released_by, &found.approved_by].into_iter().flatten().map(String::as_str).collect();
    let words = match found.released_at {
        Some(at) => format!("Released by {}, {}.", by_whom.join(" and "), house.time(at, desk.now)),
        None => "Somebody released it a moment ago.".to_owned(),
    };
    Ok(super::Ended {
        scope: found.name,
        word: "released already",
        tone: Tone::Success,
        words,
        now: "It is not halted now, so there is nothing to resume.",
        about: "The halt",
        facts: vec![
            Definition::new("Since", since(desk, found.facts.at)),
            Definition::new("Halted by", by(&found.facts)),
            Definition::new("Reason", reason(&found.facts)),
        ],
        again_href: None,
        newest_href: None,
        receipt_href: Some(house.below(format_args!("halts/{halt}"))),
        back_href: house.path(),
    })
}

/// What became of a request, in words, with the way on.
fn ended(desk: &Desk<'_>, found: EndedRequest) -> super::Ended {
    let house = &desk.house;
    let when = |at| house.time(at, desk.now);
    let (word, tone, words) = match &found.end {
        End::Released { first, by, at } => {
            let who = first.iter().chain([by]).map(String::as_str).collect::<Vec<_>>().join(" and ");
            let words = format!("Released by {who}, {}. Sending began again slowly from then on.", when(*at));
            ("released", Tone::Success, words)
        }
        End::Withdrawn { by, at } => {
            ("taken back", Tone::Info, format!("{by} took the request back, {}. Nothing was released by it.", when(*at)))
        }
        End::Replaced { by, at, .. } => (
            "asked for anew",
            Tone::Info,
            format!("{by} asked anew, {}, so this request counts no more. Nothing was released by it.", when(*at)),
        ),
        End::Expired { at } => (
            "expired",
            Tone::Warning,
            format!("Nobody approved it within its 10 minutes, so it ended by itself, {}. Nothing was released by it.", when(*at)),
        ),
        End::Overtaken { by, at } => (
            "released without it",
            Tone::Success,
            format!("{by} released the switch, {}, before anybody approved this request.", when(*at)),
        ),
        End::HaltedAgain => (
            "no longer valid",
            Tone::Warning,
            "Somebody halted this once more after the request was made, so what was asked before counts no more. Nothing was released by it.".to_owned(),
        ),
    };
    let newest = match found.end {
        End::Replaced { newest, .. } => newest.map(|newest| house.below(format_args!("releases/{newest}"))),
        _ => None,
    };
    let was_released = matches!(found.end, End::Released { .. } | End::Overtaken { .. });
    let now = match (found.is_engaged, was_released) {
        (true, true) => "It was halted again since, and is halted now.",
        (true, false) => "It is still halted.",
        (false, _) => "It is not halted now.",
    };
    super::Ended {
        scope: found.name,
        word,
        tone,
        words,
        now,
        about: "The request",
        facts: vec![
            Definition::new("Asked by", found.by),
            Definition::new("Asked", since(desk, found.at)),
            Definition::new("Why it was safe again", found.reason),
        ],
        again_href: (found.is_engaged && desk.can_release && newest.is_none())
            .then(|| house.below(format_args!("{}/release", found.switch))),
        newest_href: newest,
        receipt_href: found.halt.map(|halt| house.below(format_args!("halts/{halt}"))),
        back_href: house.path(),
    }
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
    use rtv_core::{Action, Platform};

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
}
