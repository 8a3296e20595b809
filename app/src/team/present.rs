//! From the domain's roster to the rows, choices and sentences that people read. Runs on the server only.

use chrono_tz::Tz;
use rtv_core::period::Range;
use rtv_core::{Error, GivenRole, News, Permission, PermissionSet, Platform, Role, TeamId, UserId};
use rtv_domain::effective_access::{self, Answer, Finding, Question, Subject, Verdict};
use rtv_domain::format::{Format, ago};
use rtv_domain::member::{self, Change};
use rtv_domain::report::schedule;
use rtv_domain::role::{self, Listed};
use rtv_domain::roster::{Member, Roster, Team};
use rtv_domain::{Resource, TenantContext, team};

use crate::dashboard::ChoiceView;
use crate::page::Flash;
use crate::team::access::{AccessView, AnswerView, StepView};
use crate::team::change::ChangeView;
use crate::team::confirm::ConfirmView;
use crate::team::frame::Counts;
use crate::team::member::{MemberForm, MemberView};
use crate::team::members::{MemberRow, Members};
use crate::team::one::{PlaceRow, TeamForms, TeamView};
use crate::team::role::{RoleForm, RoleView};
use crate::team::roles::{PermissionRow, RoleRow, Roles};
use crate::team::teams::{TeamRow, Teams};

/// Members on one page of the list.
const PER_PAGE: usize = 100;

type Pairs = [(String, String)];

fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

fn values(pairs: &Pairs, name: &str) -> Vec<String> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
}

pub(crate) fn counts(ctx: &TenantContext, roster: &Roster) -> Counts {
    let format = Format::of(ctx.tenant());
    let count = |count: usize| format.count(i64::try_from(count).unwrap_or(i64::MAX));
    Counts {
        members: count(roster.members.len()),
        teams: count(roster.teams.len()),
        roles: count(roster.roles.len() + Role::ALL.len()),
        can_invite: ctx.access().grants(Permission::UsersInvite),
    }
}

/// The version that a form is made from: what was typed stays with the version that it was typed over, so that saving it once
/// more is refused once more.
fn version_of(flash: Option<&Flash>, now: i64) -> (String, bool) {
    match flash.and_then(|flash| flash.value("version")) {
        Some(typed) => {
            let is_stale = typed != now.to_string();
            (typed, is_stale)
        }
        None => (now.to_string(), false),
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

fn by_name(roster: &Roster) -> Vec<&Member> {
    let mut members: Vec<&Member> = roster.members.values().collect();
    members.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id));
    members
}

fn teams_by_name(roster: &Roster) -> Vec<&Team> {
    let mut teams: Vec<&Team> = roster.teams.values().collect();
    teams.sort_by_cached_key(|team| (team.name.to_lowercase(), team.id));
    teams
}

fn described(set: PermissionSet) -> Vec<(String, String)> {
    set.iter().map(|permission| (permission.key().to_owned(), permission.description().to_owned())).collect()
}

fn permission_label(permission: Permission) -> String {
    format!("{}: {}", permission.key(), permission.description())
}

/// The members' page.
pub(super) async fn members(ctx: &TenantContext, pairs: &Pairs) -> Result<Members, Error> {
    let roster = member::roster(ctx).await?;
    let format = Format::of(ctx.tenant());
    let typed = value(pairs, "q").trim().to_owned();
    let wanted = typed.to_lowercase();
    let role = value(pairs, "role");
    let you = ctx.context().actor().user_id();
    let found: Vec<&Member> = by_name(&roster)
        .into_iter()
        .filter(|member| role.is_empty() || member.role.to_string() == role)
        .filter(|member| {
            wanted.is_empty() || member.name.to_lowercase().contains(&wanted) || member.email.as_str().contains(&wanted)
        })
        .collect();
    let last = found.len().saturating_sub(1) / PER_PAGE + 1;
    let page = value(pairs, "page").parse::<usize>().unwrap_or(1).clamp(1, last);
    let from = (page - 1) * PER_PAGE;
    let rows: Vec<MemberRow> = found
        .iter()
        .skip(from)
        .take(PER_PAGE)
        .map(|member| {
            let teams: Vec<&str> = teams_by_name(&roster)
                .into_iter()
                .filter(|team| team.members.contains_key(&member.id))
                .map(|team| team.name.as_str())
                .collect();
            MemberRow {
                id: member.id.to_string(),
                name: member.name.clone(),
                email: member.email.to_string(),
                role: roster.named(member.role).name,
                extra: (!member.extra.is_empty())
                    .then(|| format!("and {}", plural(member.extra.len() as usize, "permission", "permissions"))),
                teams: if teams.is_empty() { "—".into() } else { teams.join(", ") },
                last_seen: member.last_seen_at.map_or_else(|| "never".into(), |at| ago(at, ctx.now())),
                last_seen_at: member.last_seen_at.map(|at| format.instant(at)),
                is_you: Some(member.id) == you,
                is_disabled: member.is_disabled,
                has_second_factor: member.has_second_factor,
            }
        })
        .collect();
    let address = |page: usize| {
        let mut query = form_urlencoded(&[("q", &typed), ("role", role)]);
        if !query.is_empty() {
            query.push('&');
        }
        format!("/t/{}/team?{query}page={page}", ctx.tenant().slug)
    };
    let roles = core::iter::once(ChoiceView { value: String::new(), label: "All".into(), is_chosen: role.is_empty() })
        .chain(role::of(&roster).into_iter().map(|listed| {
            let key = listed.role.role.to_string();
            ChoiceView { is_chosen: key == role, value: key, label: listed.role.name }
        }))
        .collect();
    Ok(Members {
        counts: counts(ctx, &roster),
        summary: format!("{} to {} of {}", from + usize::from(!rows.is_empty()), from + rows.len(), found.len()),
        newer: (page > 1).then(|| address(page - 1)),
        older: (page < last).then(|| address(page + 1)),
        is_filtered: !typed.is_empty() || !role.is_empty(),
        rows,
        typed,
        roles,
    })
}

/// Pairs as a query string; empty values are left out.
fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let value: String = value
                .bytes()
                .map(|byte| match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
                    other => format!("%{other:02X}"),
                })
                .collect();
            format!("{name}={value}")
        })
        .collect::<Vec<_>>()
        .join("&")
}

fn user(text: &str) -> Result<UserId, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// The roles to choose from. Those that the actor cannot give are left out, but for the one that is held now.
fn role_choices(ctx: &TenantContext, roster: &Roster, now: GivenRole, chosen: &str) -> Vec<ChoiceView> {
    let access = ctx.access();
    role::of(roster)
        .into_iter()
        .filter(|listed| {
            let can_give = listed.role.permissions.is_within(access.everywhere())
                && (!listed.role.role.is_owner() || access.is_owner());
            can_give || listed.role.role == now
        })
        .map(|listed| {
            let key = listed.role.role.to_string();
            ChoiceView { is_chosen: key == chosen, value: key, label: listed.role.name }
        })
        .collect()
}

/// Permissions, a line for each area: “content: create, read”.
fn by_area(permissions: PermissionSet) -> String {
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for permission in permissions.iter() {
        let (area, verb) = permission.key().split_once(':').unwrap_or((permission.key(), ""));
        match lines.last_mut().filter(|(last, _)| *last == area) {
            Some((_, verbs)) => verbs.push(verb),
            None => lines.push((area, vec![verb])),
        }
    }
    if lines.is_empty() {
        return "nothing".into();
    }
    lines.into_iter().map(|(area, verbs)| format!("{area}: {}", verbs.join(", "))).collect::<Vec<_>>().join("\n")
}

/// One member's page.
pub(super) async fn member(ctx: &TenantContext, id: &str, flash: Option<&Flash>) -> Result<MemberView, Error> {
    let one = member::one(ctx, user(id)?).await?;
    let (roster, member, holding) = (&one.roster, &one.member, &one.holding);
    let format = Format::of(ctx.tenant());
    let can_manage = ctx.access().grants(Permission::UsersManage);
    let seen = member
        .last_seen_at
        .map_or_else(|| "never".into(), |at| format!("{} ({})", ago(at, ctx.now()), format.instant(at)));
    let mut facts = vec![
        ("Role".to_owned(), holding.role.name.clone()),
        ("Member since".into(), format.instant(member.joined_at)),
        ("Last seen here".into(), seen),
        ("Second factor".into(), if member.has_second_factor { "on" } else { "off" }.into()),
    ];
    if let Some(sessions) = one.sessions {
        let count = usize::try_from(sessions.count).unwrap_or_default();
        let used = sessions.last_used_at.map_or_else(String::new, |at| format!(", last used {}", ago(at, ctx.now())));
        facts.push(("Sessions".into(), format!("{}{used}", plural(count, "live session", "live sessions"))));
    }
    if let Some(by) = &member.revision.changed_by {
        facts.push(("Last change".into(), format!("{} by {by}", format.instant(member.revision.updated_at))));
    }
    let mut holds = vec![
        (format!("By the role {}", holding.role.name), by_area(holding.role.permissions)),
        ("Extra permissions".into(), by_area(holding.extra)),
    ];
    holds.extend(holding.shares.iter().map(|share| {
        let role = share.role.as_ref().map_or_else(String::new, |role| format!(" as {}", role.name));
        (format!("In {}{role}", share.name), by_area(share.permissions()))
    }));
    let form = can_manage.then(|| member_form(ctx, roster, member, flash));
    Ok(MemberView {
        id: member.id.to_string(),
        name: member.name.clone(),
        email: member.email.to_string(),
        is_you: ctx.context().actor().user_id() == Some(member.id),
        is_disabled: member.is_disabled,
        teams: holding.shares.iter().map(|share| (share.team.to_string(), share.name.clone())).collect(),
        facts,
        holds,
        note: form
            .is_none()
            .then(|| format!("Changing what somebody holds needs the permission “{}”.", Permission::UsersManage.key())),
        form,
        can_manage,
    })
}

fn member_form(ctx: &TenantContext, roster: &Roster, member: &Member, flash: Option<&Flash>) -> MemberForm {
    let (version, is_stale) = version_of(flash, member.revision.version);
    let role = flash.and_then(|flash| flash.value("role")).unwrap_or_else(|| member.role.to_string());
    let chosen = flash
        .filter(|flash| flash.value("role").is_some())
        .map_or_else(|| member.extra.keys(), |flash| flash.chosen("permission"));
    let offered = ctx.access().everywhere().union(member.extra);
    MemberForm {
        roles: role_choices(ctx, roster, member.role, &role),
        permissions: choices_of(offered, &chosen),
        version,
        is_stale,
    }
}

fn choices_of(offered: PermissionSet, chosen: &[String]) -> Vec<ChoiceView> {
    offered
        .iter()
        .map(|permission| ChoiceView {
            value: permission.key().into(),
            label: permission_label(permission),
            is_chosen: chosen.iter().any(|key| key == permission.key()),
        })
        .collect()
}

/// The page before a change of a member is saved.
pub(super) async fn change(ctx: &TenantContext, id: &str, pairs: &Pairs) -> Result<ChangeView, Error> {
    let id = user(id)?;
    let asked = Change {
        role: value(pairs, "role").to_owned(),
        permissions: values(pairs, "permission"),
        version: value(pairs, "version").to_owned(),
    };
    let preview = member::preview(ctx, id, &asked).await?;
    let role = if preview.before == preview.after {
        format!("{}, as now", preview.after.name)
    } else {
        format!("{} instead of {}", preview.after.name, preview.before.name)
    };
    let mut fields = vec![("version".to_owned(), asked.version), ("role".into(), preview.after.role.to_string())];
    fields.extend(preview.extra.keys().into_iter().map(|key| ("permission".to_owned(), key)));
    Ok(ChangeView {
        id: id.to_string(),
        name: preview.member.name.clone(),
        facts: vec![
            ("Role".into(), role),
            ("Extra permissions".into(), preview.extra.to_string()),
            ("Extra permissions now".into(), preview.member.extra.to_string()),
        ],
        gains: described(preview.gains),
        losses: described(preview.losses),
        fields,
        refusal: preview.refusal,
        is_same: preview.before.role == preview.after.role && preview.extra == preview.member.extra,
    })
}

/// The page before a member is taken out.
pub(super) async fn member_removal(ctx: &TenantContext, id: &str) -> Result<ConfirmView, Error> {
    let id = user(id)?;
    // Asked for as the act itself is, so that who may not do it is told here already.
    let roster = member::roster_for(ctx, &[Permission::UsersManage], Resource::Member(id)).await?;
    let member = roster.members.get(&id).ok_or(Error::NotFound)?;
    let teams = roster.teams.values().filter(|team| team.members.contains_key(&id)).count();
    let tenant = &ctx.tenant().name;
    let href = format!("/t/{}/team/members/{id}", ctx.tenant().slug);
    let mut consequences = vec![format!(
        "{} ({}) loses all access to {tenant}, at once, also in pages that are open.",
        member.name, member.email
    )];
    if teams > 0 {
        consequences.push(format!("They leave {}.", plural(teams, "team", "teams")));
    }
    let kept = usize::try_from(schedule::count_kept(ctx, id).await?).unwrap_or(usize::MAX);
    if kept > 0 {
        consequences.push(format!(
            "They keep {} of reports. Each stops with its next time, until somebody else saves it; the owners are told then.",
            plural(kept, "schedule", "schedules")
        ));
    }
    consequences.push("What they have done stays, and so does the audit log.".into());
    consequences.push("Their sign-in stays, for other organisations that they belong to.".into());
    Ok(ConfirmView {
        name: member.name.clone(),
        title: format!("Remove {} from {tenant}?", member.name),
        consequences,
        action: format!("{href}/remove"),
        href,
        verb: format!("Remove {}", member.name),
        version: member.revision.version.to_string(),
        refusal: member::refusal_to_remove(ctx, &roster, id),
    })
}

/// The teams' page.
pub(super) async fn teams(ctx: &TenantContext, flash: Option<&Flash>) -> Result<Teams, Error> {
    let roster = member::roster(ctx).await?;
    let rows = teams_by_name(&roster)
        .into_iter()
        .map(|team| TeamRow {
            id: team.id.to_string(),
            name: team.name.clone(),
            description: team.description.clone(),
            members: team.members.len().to_string(),
            responsible: responsible(team),
        })
        .collect();
    let typed = |name: &str| flash.and_then(|flash| flash.value(name)).unwrap_or_default();
    Ok(Teams {
        counts: counts(ctx, &roster),
        rows,
        form: ctx.access().grants(Permission::TeamsManage).then(|| (typed("name"), typed("description"))),
    })
}

fn responsible(team: &Team) -> String {
    let accounts = team.subjects.iter().filter(|subject| matches!(subject, Subject::Account(_))).count();
    let campaigns = team.subjects.len() - accounts;
    match (accounts, campaigns) {
        (0, 0) => "nothing yet".into(),
        (accounts, 0) => plural(accounts, "account", "accounts"),
        (0, campaigns) => plural(campaigns, "campaign", "campaigns"),
        (accounts, campaigns) => {
            format!("{} and {}", plural(accounts, "account", "accounts"), plural(campaigns, "campaign", "campaigns"))
        }
    }
}

/// One team's page.
pub(super) async fn team(
    ctx: &TenantContext,
    id: &str,
    pairs: &Pairs,
    flash: Option<&Flash>,
) -> Result<TeamView, Error> {
    let id: TeamId = id.parse().map_err(|_| Error::NotFound)?;
    let one = team::one(ctx, id).await?;
    let (team, roster) = (&one.team, &one.roster);
    let (version, is_stale) = version_of(flash, team.revision.version);
    let members = by_name(roster)
        .into_iter()
        .filter_map(|member| {
            let place = team.members.get(&member.id)?;
            Some(PlaceRow {
                id: member.id.to_string(),
                name: member.name.clone(),
                email: member.email.to_string(),
                role: place.role.map_or_else(|| "none".into(), |role| roster.named(role).name),
                extra: if place.extra.is_empty() { "none".into() } else { place.extra.to_string() },
                told: told(team.told.get(&member.id)),
            })
        })
        .collect();
    let mut responsible = Vec::new();
    let mut resources = Vec::new();
    let typed = flash.filter(|flash| flash.value("resource").is_some()).map(|flash| flash.chosen("resource"));
    let mut add = |subject: Subject, label: String| {
        let is_chosen = team.subjects.contains(&subject);
        if is_chosen {
            responsible.push(label.clone());
        }
        let value = subject.to_string();
        let is_chosen = typed.as_ref().map_or(is_chosen, |typed| typed.contains(&value));
        resources.push(ChoiceView { value, label, is_chosen });
    };
    for account in &one.accounts {
        add(Subject::Account(account.id), format!("{} · {}", account.name, account.platform.label()));
    }
    for campaign in &one.campaigns {
        add(Subject::Campaign(campaign.id), format!("Campaign {}", campaign.name));
    }
    let forms = ctx
        .access()
        .grants(Permission::TeamsManage)
        .then(|| Box::new(team_forms(ctx, roster, team, resources, pairs, flash)));
    Ok(TeamView {
        id: id.to_string(),
        name: team.name.clone(),
        description: team.description.clone(),
        members,
        responsible,
        dashboard: dashboard(ctx, team),
        version,
        is_stale,
        forms,
    })
}

/// What a member is told of by mail.
fn told(news: Option<&Vec<News>>) -> String {
    let names: Vec<String> = news.into_iter().flatten().map(|one| one.label().to_lowercase()).collect();
    if names.is_empty() { "nothing".into() } else { names.join(", ") }
}

/// The dashboard of what the team is responsible for, as the team wants to see it.
fn dashboard(ctx: &TenantContext, team: &Team) -> String {
    let mut pairs: Vec<String> = team.range.map(|range| format!("range={}", range.key())).into_iter().collect();
    pairs.extend(team.platforms.iter().map(|platform| format!("platform={}", platform.key())));
    pairs.push(format!("team={}", team.id));
    format!("/t/{}/dashboard?{}", ctx.tenant().slug, pairs.join("&"))
}

fn zone_choices(ctx: &TenantContext, chosen: &str) -> Vec<ChoiceView> {
    let usual = ChoiceView {
        value: String::new(),
        label: format!("The organisation’s ({})", ctx.tenant().zone),
        is_chosen: chosen.is_empty(),
    };
    let named = crate::settings::zone_names(chosen).into_iter().map(|name| ChoiceView {
        value: name.into(),
        label: name.replace('_', " "),
        is_chosen: name == chosen,
    });
    core::iter::once(usual).chain(named).collect()
}

fn news_choices(chosen: &[String]) -> Vec<ChoiceView> {
    News::ALL
        .iter()
        .map(|one| ChoiceView {
            value: one.key().into(),
            label: one.text().into(),
            is_chosen: chosen.iter().any(|key| key == one.key()),
        })
        .collect()
}

fn team_forms(
    ctx: &TenantContext,
    roster: &Roster,
    team: &Team,
    resources: Vec<ChoiceView>,
    pairs: &Pairs,
    flash: Option<&Flash>,
) -> TeamForms {
    let typed = |name: &str| flash.and_then(|flash| flash.value(name));
    let person = typed("person").unwrap_or_else(|| value(pairs, "person").to_owned());
    let place = person.parse::<UserId>().ok().and_then(|id| team.members.get(&id));
    let role = typed("person")
        .map(|_| typed("role").unwrap_or_default())
        .or_else(|| place.and_then(|place| place.role).map(|role| role.to_string()))
        .unwrap_or_default();
    let extra = match (typed("person"), flash, place) {
        (Some(_), Some(flash), _) => flash.chosen("permission"),
        (_, _, Some(place)) => place.extra.keys(),
        _ => Vec::new(),
    };
    let news = match (typed("person"), flash, place) {
        (Some(_), Some(flash), _) => flash.chosen("news"),
        _ => {
            let person = person.parse::<UserId>().ok();
            let told = person.and_then(|person| team.told.get(&person));
            told.into_iter().flatten().map(|one| one.key().to_owned()).collect()
        }
    };
    let zone = typed("zone").unwrap_or_else(|| team.zone.map(Tz::name).unwrap_or_default().to_owned());
    let in_team = ctx.access().in_team(team.id);
    let limited = PermissionSet::by_resource();
    let offered = in_team.union(place.map_or(PermissionSet::EMPTY, |place| place.extra)).intersection(limited);
    let none = ChoiceView { value: String::new(), label: "None".into(), is_chosen: role.is_empty() };
    let roles = role::of(roster)
        .into_iter()
        .filter(|listed| !listed.role.role.is_owner())
        .filter(|listed| {
            let gives = listed.role.permissions.intersection(limited);
            gives.is_within(in_team) || place.and_then(|place| place.role) == Some(listed.role.role)
        })
        .map(|listed| {
            let key = listed.role.role.to_string();
            ChoiceView { is_chosen: key == role, value: key, label: listed.role.name }
        });
    let range = typed("range").unwrap_or_else(|| team.range.map(Range::key).unwrap_or_default().to_owned());
    let platforms = flash.filter(|flash| flash.value("name").is_some()).map_or_else(
        || team.platforms.iter().map(|one| one.key().to_owned()).collect(),
        |flash| flash.chosen("platform"),
    );
    TeamForms {
        people: by_name(roster)
            .into_iter()
            .map(|member| {
                let value = member.id.to_string();
                ChoiceView { is_chosen: value == person, label: format!("{} · {}", member.name, member.email), value }
            })
            .collect(),
        roles: core::iter::once(none).chain(roles).collect(),
        permissions: choices_of(offered, &extra),
        is_change: place.is_some(),
        resources,
        name: typed("name").unwrap_or_else(|| team.name.clone()),
        description: typed("description").unwrap_or_else(|| team.description.clone()),
        ranges: core::iter::once(ChoiceView {
            value: String::new(),
            label: "The usual one".into(),
            is_chosen: range.is_empty(),
        })
        .chain(Range::ALL.into_iter().filter(|one| *one != Range::Custom).map(|one| ChoiceView {
            value: one.key().into(),
            label: one.label().into(),
            is_chosen: one.key() == range,
        }))
        .collect(),
        platforms: Platform::ALL
            .into_iter()
            .map(|one| ChoiceView {
                value: one.key().into(),
                label: one.label().into(),
                is_chosen: platforms.iter().any(|key| key == one.key()),
            })
            .collect(),
        zones: zone_choices(ctx, &zone),
        news: news_choices(&news),
    }
}

/// The page before a team is removed.
pub(super) async fn team_deletion(ctx: &TenantContext, id: &str) -> Result<ConfirmView, Error> {
    let id: TeamId = id.parse().map_err(|_| Error::NotFound)?;
    let roster = member::roster_for(ctx, &[Permission::TeamsManage], Resource::Team(id)).await?;
    let team = roster.teams.get(&id).ok_or(Error::NotFound)?;
    let href = format!("/t/{}/team/teams/{id}", ctx.tenant().slug);
    Ok(ConfirmView {
        name: team.name.clone(),
        title: format!("Remove the team “{}”?", team.name),
        consequences: vec![
            format!(
                "{} lose what this team gives them, with their next request.",
                plural(team.members.len(), "member", "members")
            ),
            "They stay members of the organisation with their own roles.".into(),
            "Accounts and campaigns stay as they are.".into(),
        ],
        action: format!("{href}/delete"),
        href,
        verb: "Remove team".into(),
        version: team.revision.version.to_string(),
        refusal: team::refusal_to_delete(ctx, &roster, id),
    })
}

fn users(listed: &Listed) -> String {
    let members = plural(listed.members, "member", "members");
    match listed.in_teams {
        0 => members,
        count => format!("{members}, {}", plural(count, "place in a team", "places in teams")),
    }
}

/// The roles' page.
pub(super) async fn roles(ctx: &TenantContext) -> Result<Roles, Error> {
    let roster = member::roster(ctx).await?;
    let listed = role::of(&roster);
    let permissions = Permission::ALL
        .iter()
        .map(|permission| PermissionRow {
            key: permission.key().into(),
            description: permission.description().into(),
            held: listed.iter().map(|one| one.role.permissions.contains(*permission)).collect(),
        })
        .collect();
    let rows = listed
        .into_iter()
        .map(|one| RoleRow {
            id: one.role.role.to_string(),
            users: users(&one),
            is_built_in: one.revision.is_none(),
            is_whole: one.role.role.is_owner(),
            name: one.role.name,
            description: one.description,
        })
        .collect();
    Ok(Roles {
        counts: counts(ctx, &roster),
        rows,
        permissions,
        can_create: ctx.access().grants(Permission::RolesManage),
    })
}

/// One role's page, and the page for a new one.
pub(super) async fn role(ctx: &TenantContext, id: &str, flash: Option<&Flash>) -> Result<RoleView, Error> {
    let held = ctx.access().everywhere();
    let typed = |name: &str| flash.and_then(|flash| flash.value(name));
    if id == "new" {
        // Asked for as making one is: the form is of no use to others.
        member::roster_for(ctx, &[Permission::RolesManage], Resource::Roles).await?;
        let chosen = flash.map(|flash| flash.chosen("permission")).unwrap_or_default();
        return Ok(RoleView {
            id: "new".into(),
            title: "Make a role".into(),
            description: "Choose what it holds. Then give it to members.".into(),
            holds: Vec::new(),
            users: Vec::new(),
            form: Some(RoleForm {
                name: typed("name").unwrap_or_default(),
                description: typed("description").unwrap_or_default(),
                permissions: choices_of(held, &chosen),
                version: None,
                is_stale: false,
                can_delete: false,
            }),
            note: None,
        });
    }
    let given: GivenRole = id.parse().map_err(|_| Error::NotFound)?;
    let listed = role::one(ctx, given).await?;
    let roster = member::roster(ctx).await?;
    let has_it = |member: &&Member| {
        member.role == given
            || roster
                .teams
                .values()
                .any(|team| team.members.get(&member.id).is_some_and(|place| place.role == Some(given)))
    };
    let users = by_name(&roster)
        .into_iter()
        .filter(has_it)
        .map(|member| (member.id.to_string(), member.name.clone()))
        .collect::<Vec<_>>();
    let can_manage = ctx.access().grants(Permission::RolesManage);
    let (form, note) = match (&listed.revision, can_manage) {
        (None, _) => {
            (None, Some("This role is built in: every organisation has it, and nobody changes it.".to_owned()))
        }
        (Some(_), false) => {
            (None, Some(format!("Changing a role needs the permission “{}”.", Permission::RolesManage.key())))
        }
        (Some(revision), true) => {
            let (version, is_stale) = version_of(flash, revision.version);
            let chosen = flash
                .filter(|flash| flash.value("name").is_some())
                .map_or_else(|| listed.role.permissions.keys(), |flash| flash.chosen("permission"));
            let form = RoleForm {
                name: typed("name").unwrap_or_else(|| listed.role.name.clone()),
                description: typed("description").unwrap_or_else(|| listed.description.clone()),
                permissions: choices_of(held.union(listed.role.permissions), &chosen),
                version: Some(version),
                is_stale,
                can_delete: users.is_empty(),
            };
            (Some(form), None)
        }
    };
    Ok(RoleView {
        id: id.to_owned(),
        title: listed.role.name,
        description: listed.description,
        holds: described(listed.role.permissions),
        users,
        form,
        note,
    })
}

/// The page of effective access.
pub(super) async fn access(ctx: &TenantContext, pairs: &Pairs) -> Result<AccessView, Error> {
    let (person, permission, resource) = (value(pairs, "person"), value(pairs, "permission"), value(pairs, "resource"));
    let parsed = parse_question(person, permission, resource);
    let (question, mut errors) = match parsed {
        Ok(question) => (question, Vec::new()),
        Err(errors) => (None, errors),
    };
    let asked = match effective_access::ask(ctx, question).await {
        Err(Error::Invalid(found)) => {
            errors.extend(found.into_iter().map(|error| (error.field, error.message)));
            effective_access::ask(ctx, None).await?
        }
        other => other?,
    };
    if !errors.is_empty() {
        crate::request::set_status(422);
    }
    let answer = question.zip(asked.answer).map(|(question, answer)| {
        let name = asked
            .members
            .iter()
            .find(|member| member.id == question.person)
            .map_or_else(String::new, |member| member.name.clone());
        answer_view(&name, question.permission, answer)
    });
    let people = asked
        .members
        .iter()
        .map(|member| {
            let value = member.id.to_string();
            ChoiceView { is_chosen: value == person, label: format!("{} · {}", member.name, member.email), value }
        })
        .collect();
    let accounts = asked
        .accounts
        .iter()
        .map(|one| (Subject::Account(one.id).to_string(), format!("{} · {}", one.name, one.platform.label())));
    let campaigns =
        asked.campaigns.iter().map(|one| (Subject::Campaign(one.id).to_string(), format!("Campaign {}", one.name)));
    let resources = core::iter::once((String::new(), "Anything".to_owned()))
        .chain(accounts)
        .chain(campaigns)
        .map(|(value, label)| ChoiceView { is_chosen: value == resource, value, label })
        .collect();
    let roster = member::roster(ctx).await?;
    Ok(AccessView {
        counts: counts(ctx, &roster),
        people,
        permissions: choices_of(PermissionSet::all(), &[permission.to_owned()]),
        resources,
        answer,
        errors,
    })
}

/// The question of an address. A person without a permission is the beginning of one: the page lets the rest be chosen.
fn parse_question(person: &str, permission: &str, resource: &str) -> Result<Option<Question>, Vec<(String, String)>> {
    if person.is_empty() || permission.is_empty() {
        return Ok(None);
    }
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: &str| errors.push((field.to_owned(), message.to_owned()));
    let person = person.parse().map_err(|_| refuse("person", "choose a member from the list.")).ok();
    let permission = permission.parse().map_err(|_| refuse("permission", "choose a permission from the list.")).ok();
    let subject = match resource {
        "" => Some(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| refuse("resource", "choose an account or a campaign from the list."))
            .ok(),
    };
    match (person, permission, subject) {
        (Some(person), Some(permission), Some(subject)) => Ok(Some(Question { person, permission, subject })),
        _ => Err(errors),
    }
}

fn answer_view(name: &str, permission: Permission, answer: Answer) -> AnswerView {
    let what = permission.description();
    let (verdict, text) = match &answer.verdict {
        Verdict::Allowed => ("allowed", format!("Yes: {name} may {what} here ({permission}).")),
        Verdict::Limited(teams) => (
            "limited",
            format!(
                "In part: {name} may {what} ({permission}) for the accounts and campaigns of {}, and nowhere else.",
                teams.join(", ")
            ),
        ),
        Verdict::Denied => ("denied", format!("No: {name} may not {what} here ({permission}).")),
    };
    AnswerView {
        verdict: verdict.into(),
        text,
        steps: answer
            .steps
            .into_iter()
            .map(|step| StepView {
                label: step.label,
                text: step.text,
                finding: match step.finding {
                    Finding::Grants => "grants",
                    Finding::Passes => "passes",
                    Finding::Denies => "denies",
                }
                .into(),
                is_deciding: step.is_deciding,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_keeps_the_version_that_it_was_typed_over() {
        let typed = Flash { values: vec![("version".into(), "3".into())], ..Flash::default() };
        assert_eq!(version_of(Some(&typed), 4), ("3".to_owned(), true));
        assert_eq!(version_of(Some(&typed), 3), ("3".to_owned(), false));
        assert_eq!(version_of(Some(&Flash::default()), 4), ("4".to_owned(), false));
        assert_eq!(version_of(None, 4), ("4".to_owned(), false));
    }

    #[test]
    fn what_was_typed_survives_in_an_address() {
        assert_eq!(form_urlencoded(&[("q", "a b&c=ä"), ("role", "")]), "q=a%20b%26c%3D%C3%A4");
        assert_eq!(form_urlencoded(&[("q", ""), ("role", "owner")]), "role=owner");
    }

    #[test]
    fn half_a_question_is_none_yet_and_nonsense_names_its_fields() {
        assert_eq!(parse_question("usr_0000000000000000000000000000002a", "", ""), Ok(None));
        let errors = parse_question("dana", "moon:land", "x").unwrap_err();
        assert_eq!(
            errors.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
            ["person", "permission", "resource"]
        );
    }
}
