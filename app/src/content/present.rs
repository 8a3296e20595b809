//! From the domain's content to the rows, fields and sentences that people read. Runs on the server only.

use chrono::{Days, NaiveTime};
use rtv_core::delivery::State;
use rtv_core::{AccountId, Error, FieldError, Permission, Platform, capability};
use rtv_domain::TenantContext;
use rtv_domain::content::{self, Choices, Content, Destination, Length, Listed, Query, Snapshot};
use rtv_domain::format::{Format, MISSING};
use rtv_ui::{Step, StepState};

use crate::content::list::{ContentRow, Contents};
use crate::content::one::{AccountChoice, ContentForm, ContentView, DeliveryRow, LengthView, Removal, ReviewView};
use crate::page::Flash;
use crate::publish::Filter;
use crate::publish::present::{
    LOCAL, Pairs, account_choices, account_label, address, beginning, choices, local, local_time, machine_time, named,
    parsed, refuse_account, state_view, time_hint, value,
};

/// States by their keys, for a menu.
fn state_choices() -> impl Iterator<Item = (String, String)> {
    State::ALL.iter().map(|state| (state.key().to_owned(), state.label().to_owned()))
}

/// The list.
pub(super) async fn list(ctx: &TenantContext, pairs: &Pairs) -> Result<Contents, Error> {
    let offered = content::choices(ctx).await?;
    let mut errors = Vec::new();
    let query = Query {
        state: parsed(pairs, "state", &mut errors),
        account: parsed(pairs, "account", &mut errors),
        campaign: parsed(pairs, "campaign", &mut errors),
        after: parsed(pairs, "after", &mut errors),
    };
    refuse_account(query.account, &offered, &mut errors);
    if query.campaign.is_some_and(|id| !offered.campaigns.iter().any(|(one, _)| *one == id)) {
        errors.push(FieldError {
            field: "campaign".into(),
            message: "there is no campaign like that; choose one from the list.".into(),
        });
    }
    let mut page = empty(ctx, pairs, &offered);
    if !errors.is_empty() {
        crate::request::set_status(422);
        page.errors = named(errors);
        return Ok(page);
    }
    let listing = content::list(ctx, &query).await?;
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/content", ctx.tenant().slug);
    let parameters = |after: &str| {
        address(
            &path,
            &[
                ("state", value(pairs, "state")),
                ("account", value(pairs, "account")),
                ("campaign", value(pairs, "campaign")),
                ("after", after),
            ],
        )
    };
    page.summary = match listing.items.len() {
        1 => "1 post".into(),
        shown => format!("{shown} posts"),
    };
    page.rows = listing.items.iter().map(|one| row(&path, &format, one)).collect();
    page.first = query.after.map(|_| parameters(""));
    page.next = listing.next.map(|next| parameters(&next.to_string()));
    // Filters of an empty list would only be in the way.
    page.is_filtered = page.is_filtered && listing.has_any;
    Ok(page)
}

fn empty(ctx: &TenantContext, pairs: &Pairs, offered: &Choices) -> Contents {
    let (state, account, campaign) = (value(pairs, "state"), value(pairs, "account"), value(pairs, "campaign"));
    let campaigns = choices(campaign, "All", offered.campaigns.iter().map(|(id, name)| (id.to_string(), name.clone())));
    let mut filters = vec![
        Filter { label: "State", name: "state", choices: choices(state, "All", state_choices()) },
        Filter { label: "Account", name: "account", choices: account_choices(account, offered) },
    ];
    // One choice is none.
    filters.extend((campaigns.len() > 1).then_some(Filter { label: "Campaign", name: "campaign", choices: campaigns }));
    Contents {
        filters,
        errors: Vec::new(),
        is_filtered: !(state.is_empty() && account.is_empty() && campaign.is_empty()),
        has_account: offered.accounts.iter().any(|one| one.obstacle.is_none()),
        can_write: ctx.access().grants_somewhere(Permission::ContentCreate),
        can_connect: ctx.access().grants(Permission::AccountsConnect),
        zone: ctx.tenant().zone.to_string(),
        rows: Vec::new(),
        summary: String::new(),
        first: None,
        next: None,
    }
}

fn row(path: &str, format: &Format, one: &Listed) -> ContentRow {
    let when = one.destinations.first().map(|first| first.scheduled_at);
    let mut names: Vec<&str> = one.destinations.iter().map(|to| to.account_name.as_str()).collect();
    names.dedup();
    let accounts = match names.as_slice() {
        [] => MISSING.to_owned(),
        [first, second, third, more @ ..] if !more.is_empty() => {
            format!("{first}, {second}, {third} and {} more", more.len())
        }
        few => few.join(", "),
    };
    let campaign = one.campaign.as_ref().map(|(_, name)| format!(" · {name}")).unwrap_or_default();
    let is_back = one.state() == State::Draft;
    ContentRow {
        id: one.id.to_string(),
        href: format!("{path}/{}", one.id),
        text: beginning(&one.text),
        detail: format!("{}{campaign}", one.author),
        state: state_view(one.state()),
        note: one.returned.as_ref().filter(|_| is_back).map(|back| format!("Given back: {}", back.note)),
        accounts,
        when: when.map_or_else(|| MISSING.into(), |at| format.clock(at)),
        when_utc: when.map(machine_time),
    }
}

/// The form for a new content, or one that is there.
pub(super) async fn one(ctx: &TenantContext, id: &str, pairs: &Pairs) -> Result<ContentView, Error> {
    let flash = crate::request::current().flash.unwrap_or_default();
    if id == "new" {
        if !ctx.access().grants_somewhere(Permission::ContentCreate) {
            return Err(Error::Forbidden(Permission::ContentCreate));
        }
        let offered = content::choices(ctx).await?;
        return Ok(new(ctx, &offered, flash));
    }
    // Whoever may not read content learns nothing about ids either.
    let content = content::one(ctx, id.parse().map_err(|_| Error::NotFound)?).await?;
    let offered = content::choices(ctx).await?;
    Ok(existing(ctx, &offered, &content, flash, value(pairs, "step") == "delete"))
}

fn new(ctx: &TenantContext, offered: &Choices, flash: Flash) -> ContentView {
    let path = format!("/t/{}/content", ctx.tenant().slug);
    let tomorrow = ctx.today().checked_add_days(Days::new(1)).unwrap_or(ctx.today());
    let nine = NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default();
    let stored = Stored {
        version: String::new(),
        text: String::new(),
        link: String::new(),
        scheduled_at: tomorrow.and_time(nine).format(LOCAL).to_string(),
        accounts: Vec::new(),
        campaign: String::new(),
    };
    let form = form(ctx, offered, stored, &flash, false, true);
    let lengths = typed_lengths(ctx, offered, &form);
    ContentView {
        name: "New post".into(),
        subtitle: "Written here, approved by a reviewer, sent at its time, once.".into(),
        path,
        state: None,
        steps: steps(State::Draft),
        lengths: if form.text.is_empty() { Vec::new() } else { lengths },
        form: Some(form),
        facts: Vec::new(),
        fixed: None,
        review: None,
        deliveries: Vec::new(),
        errors: flash.errors,
        removal: None,
        can_remove: false,
    }
}

fn existing(ctx: &TenantContext, offered: &Choices, content: &Content, flash: Flash, is_asked: bool) -> ContentView {
    let format = Format::of(ctx.tenant());
    let slug = &ctx.tenant().slug;
    let path = format!("/t/{slug}/content/{}", content.id);
    let state = content.state();
    let version = content.revision.version.to_string();
    let stored = Stored {
        version: version.clone(),
        text: content.text.clone(),
        link: content.link.clone().unwrap_or_default(),
        scheduled_at: local(ctx, content.scheduled_at),
        accounts: content.destinations.iter().map(|one| one.account.to_string()).collect(),
        campaign: content.campaign.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default(),
    };
    let is_approved = content.destinations.iter().any(|one| one.state.is_reserved() || one.state == State::Approved);
    let form = content.possible.edit.then(|| form(ctx, offered, stored, &flash, is_approved, content.possible.submit));
    let lengths = match &form {
        Some(form) => typed_lengths(ctx, offered, form),
        None => content.lengths.iter().map(length_view).collect(),
    };
    let changed = content.revision.changed_by.as_deref().unwrap_or(&content.author);
    let deliveries = content
        .destinations
        .iter()
        .filter(|one| one.state != State::Draft)
        .map(|one| DeliveryRow {
            id: one.id.to_string(),
            href: format!("/t/{slug}/deliveries/{}", one.id),
            account: account_label(&one.account_name, one.platform),
            when: format.instant(one.scheduled_at),
            state: state_view(one.state),
        })
        .collect();
    let removal = (is_asked && content.possible.delete).then(|| Removal {
        version: version.clone(),
        consequences: vec![
            format!("“{}” is gone for good.", beginning(&content.text)),
            "Nothing of it has been sent to any network, and nothing will be.".into(),
        ],
    });
    ContentView {
        name: beginning(&content.text),
        subtitle: format!(
            "Written by {}, {}. Changed last by {changed}, {}.",
            content.author,
            format.instant(content.created_at),
            format.instant(content.revision.updated_at)
        ),
        path,
        state: Some(state_view(state)),
        steps: steps(state),
        facts: if form.is_none() { facts(&format, content) } else { Vec::new() },
        fixed: form.is_none().then(|| fixed(ctx, content)),
        form,
        lengths,
        review: review(&format, content, version, &flash),
        deliveries,
        errors: flash.errors,
        removal,
        can_remove: content.possible.delete,
    }
}

/// What a content holds, as its form shows it.
struct Stored {
    version: String,
    text: String,
    link: String,
    scheduled_at: String,
    accounts: Vec<String>,
    campaign: String,
}

fn form(
    ctx: &TenantContext,
    offered: &Choices,
    stored: Stored,
    flash: &Flash,
    voids_approval: bool,
    can_submit: bool,
) -> ContentForm {
    // Another form of the page leaves nothing of these fields behind.
    let is_typed = flash.value("text").is_some();
    let typed =
        |field: &str, stored: &str| if is_typed { flash.value(field).unwrap_or_default() } else { stored.to_owned() };
    let chosen = if is_typed { flash.chosen("account") } else { stored.accounts.clone() };
    let version = typed("version", &stored.version);
    let campaign = typed("campaign", &stored.campaign);
    let accounts = offered
        .accounts
        .iter()
        .map(|one| {
            let value = one.id.to_string();
            let is_chosen = chosen.contains(&value);
            let can = capability::of(one.platform);
            let hint = one.obstacle.clone().unwrap_or_else(|| format!("Up to {} {}.", can.most, can.count.label()));
            AccountChoice {
                label: account_label(&one.name, one.platform),
                hint: Some(hint),
                // One that was chosen before it could not publish any more can be taken out.
                is_possible: one.obstacle.is_none() || is_chosen,
                is_chosen,
                value,
            }
        })
        .collect();
    ContentForm {
        is_stale: is_typed && version != stored.version,
        version,
        voids_approval,
        text: typed("text", &stored.text),
        link: typed("link", &stored.link),
        scheduled_at: local_time(typed("scheduled_at", &stored.scheduled_at)),
        time_hint: time_hint(ctx),
        accounts,
        campaigns: choices(
            &campaign,
            "None",
            offered.campaigns.iter().map(|(id, name)| (id.to_string(), name.clone())),
        ),
        can_submit,
    }
}

/// How long the text of the form is on the platforms of the accounts that are chosen.
fn typed_lengths(ctx: &TenantContext, offered: &Choices, form: &ContentForm) -> Vec<LengthView> {
    let chosen = |id: AccountId| {
        let id = id.to_string();
        form.accounts.iter().any(|one| one.is_chosen && one.value == id)
    };
    let mut platforms: Vec<Platform> =
        offered.accounts.iter().filter(|one| chosen(one.id)).map(|one| one.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    // Nothing is chosen yet: the network that everything can be tried on says the most.
    if platforms.is_empty() && ctx.tenant().is_sandbox {
        platforms.push(Platform::Sandbox);
    }
    let text = form.text.replace("\r\n", "\n");
    let whole = capability::compose(text.trim(), Some(form.link.trim()).filter(|link| !link.is_empty()));
    platforms
        .into_iter()
        .map(|platform| {
            let can = capability::of(platform);
            length_view(&Length { platform, count: can.length(&whole), most: can.most })
        })
        .collect()
}

fn length_view(length: &Length) -> LengthView {
    LengthView {
        platform: length.platform.key().into(),
        text: format!("{} {} of {}", length.platform.label(), length.count, length.most),
        is_over: length.count > length.most,
    }
}

/// The way of a post, with where it is now.
fn steps(state: State) -> Vec<Step> {
    let at = match state {
        State::Draft => 0,
        State::InReview => 1,
        State::Confirmed => 4,
        State::Accepted => 3,
        State::Approved
        | State::Scheduled
        | State::Claimed
        | State::Sending
        | State::Held
        | State::Rejected
        | State::Missed
        | State::Unknown
        | State::NeedsPerson
        | State::Dropped => 2,
    };
    ["Written", "Approved", "Sent", "Read back"]
        .into_iter()
        .enumerate()
        .map(|(index, label)| Step {
            label: label.into(),
            state: match index.cmp(&at) {
                core::cmp::Ordering::Less => StepState::Done,
                core::cmp::Ordering::Equal => StepState::Current,
                core::cmp::Ordering::Greater => StepState::Ahead,
            },
            href: None,
        })
        .collect()
}

fn names(destinations: &[Destination]) -> String {
    destinations.iter().map(|one| account_label(&one.account_name, one.platform)).collect::<Vec<_>>().join("\n")
}

fn facts(format: &Format, content: &Content) -> Vec<(String, String)> {
    let mut facts = vec![("Text".to_owned(), content.text.clone())];
    facts.extend(content.link.clone().map(|link| ("Link".to_owned(), link)));
    facts.push(("Goes out".to_owned(), format.instant(content.scheduled_at)));
    facts.push(("Accounts".to_owned(), names(&content.destinations)));
    facts.extend(content.campaign.clone().map(|(_, name)| ("Campaign".to_owned(), name)));
    facts
}

/// Why nothing can be changed here.
fn fixed(ctx: &TenantContext, content: &Content) -> String {
    if !ctx.access().grants_somewhere(Permission::ContentUpdate) {
        return format!(
            "Changing it needs the permission “{}”. An owner or admin of this organisation can grant it.",
            Permission::ContentUpdate.key()
        );
    }
    if content.destinations.iter().any(|one| one.may_be_out || one.state == State::Claimed) {
        return "It has left, or is leaving: what is out cannot be changed here. For a correction write a new post."
            .into();
    }
    "Nothing in this organisation can be changed at present.".into()
}

/// What an approval or a return says, and what can be decided now.
fn review(format: &Format, content: &Content, version: String, flash: &Flash) -> Option<ReviewView> {
    let waits = content.destinations.iter().any(|one| one.state == State::InReview);
    let is_draft = content.state() == State::Draft;
    let approved = |one: &&(rtv_core::DeliveryId, Snapshot)| {
        content.destinations.iter().any(|to| to.id == one.0 && !matches!(to.state, State::Draft | State::InReview))
    };
    let valid = content.approved.iter().find(approved).map(|(_, snapshot)| snapshot);
    let voided = content.approved.iter().find(|one| !approved(one)).map(|(_, snapshot)| snapshot);
    let changes = voided.map(|was| changes(format, was, content)).unwrap_or_default();
    if waits {
        let text = match voided {
            Some(was) if !changes.is_empty() => format!(
                "{} approved it on {}. It was changed since, so that approval holds no longer.",
                was.by,
                format.instant(was.at)
            ),
            _ => {
                "An approval covers text, link, time and account exactly as they are; any change takes it away.".into()
            }
        };
        let covers = [
            ("Text", content.text.clone()),
            ("Link", content.link.clone().unwrap_or_else(|| MISSING.into())),
            ("Goes out", format.instant(content.scheduled_at)),
            ("Accounts", names(&content.destinations)),
        ];
        let can = content.possible.review;
        return Some(ReviewView {
            title: "Waits for approval".into(),
            text,
            note: None,
            changes,
            covers: covers.into_iter().map(|(term, value)| (term.to_owned(), value)).collect(),
            decide: can.then_some(version),
            waits: (!can).then(|| {
                format!(
                    "Somebody with the permission “{}” approves it or gives it back.",
                    Permission::ApprovalsReview.key()
                )
            }),
            note_typed: flash.value("note"),
        });
    }
    let plain = |title: &str, text: String, note: Option<String>| ReviewView {
        title: title.into(),
        text,
        note,
        changes: Vec::new(),
        covers: Vec::new(),
        decide: None,
        waits: None,
        note_typed: None,
    };
    if is_draft {
        return content.returned.as_ref().map(|back| ReviewView {
            changes,
            ..plain("Given back", format!("By {}, {}.", back.by, format.instant(back.at)), Some(back.note.clone()))
        });
    }
    valid.map(|was| {
        plain(
            "Approved",
            format!(
                "By {}, {}: this text, link and time for {}.",
                was.by,
                format.instant(was.at),
                if content.destinations.len() == 1 { was.account.clone() } else { "these accounts".to_owned() }
            ),
            None,
        )
    })
}

/// What is different from what was approved.
fn changes(format: &Format, was: &Snapshot, now: &Content) -> Vec<(String, Option<String>, Option<String>)> {
    [
        ("Text", Some(was.text.clone()), Some(now.text.clone())),
        ("Link", was.link.clone(), now.link.clone()),
        ("Goes out", Some(format.instant(was.scheduled_at)), Some(format.instant(now.scheduled_at))),
    ]
    .into_iter()
    .filter(|(_, before, after)| before != after)
    .map(|(field, before, after)| (field.to_owned(), before, after))
    .collect()
}
