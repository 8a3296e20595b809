//! `rtv switch`: halting, seeing what is halted, and resuming, also where no browser is at hand; with `--local` also where no
//! database is.

use std::time::Duration;

use clap::{Args, Subcommand};
use rtv_core::{HaltId, ReleaseId, Scope, SwitchId};
use rtv_domain::kill_switch::{
    self, Asked, ChoiceWords, PlanWords, Receipt, ReleaseRequest, ScopeWords, Side, State, Why,
};
use rtv_domain::{Clock, Context};
use rtv_outbound::halt_folder::{HaltFolder, LocalHalt};
use serde::Serialize;
use serde_json::json;

use crate::cli::{Failure, Outcome, operate, print_table, say};
use crate::config::{Settings, operator};
use crate::http::api::kill_switch::object::{
    HaltObject, OverviewObject, PreviewObject, ReceiptObject, ReleaseObject, SenderObject, SwitchObject,
};

/// Kill switches.
#[derive(Debug, Subcommand)]
pub enum Switch {
    /// Say what is halted, by whom and why, and which processes send.
    #[command(after_help = "Example:\n  rtv switch list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Halt. It holds at once; the command waits until every sender has acknowledged it, and says when that was.
    #[command(
        after_help = "Examples:\n  rtv switch engage --platform x --reason wrong-account --note 'Posts of Acme on the page of Globex'\n  rtv switch engage --tenant acme --action publish\n  rtv switch engage --global --everything\n  rtv switch engage --global --local    # the database does not answer"
    )]
    Engage {
        /// What to halt.
        #[command(flatten)]
        scope: ScopeArgs,
        /// Why: wrong-account, wrong-content, crisis, security, platform, client, maintenance, drill or other.
        #[arg(long, default_value = "other")]
        reason: String,
        /// Why, in words.
        #[arg(long, default_value = "")]
        note: String,
        /// Address of a ticket.
        #[arg(long, default_value = "")]
        ticket: String,
        /// When to be reminded, like 45m, 4h or 2d. Nothing is ever resumed by itself.
        #[arg(long, default_value = "4h")]
        review_in: String,
        /// Write a file in `halt.d` of RTV_HOME instead: it halts the processes of this machine without a database. It is taken over
        /// into the database when that answers, and removed by hand alone.
        #[arg(long)]
        local: bool,
        /// Do not wait until it has come to rest.
        #[arg(long, conflicts_with = "local")]
        no_wait: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what a halt would stop, and stop nothing.
    #[command(after_help = "Example:\n  rtv switch preview --tenant acme --platform linkedin")]
    Preview {
        /// What it would halt.
        #[command(flatten)]
        scope: ScopeArgs,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask for a release, or approve one that somebody else has asked for.
    ///
    /// Where two persons are needed, the second approves within ten minutes: on the page, or with --approve as another user of this
    /// machine.
    #[command(
        after_help = "Examples:\n  rtv switch release --platform x --confirm X --reason 'Tokens are mended' --plan spread --minutes 30\n  rtv switch release --approve rel_0192f3c4a1b27d3e8f9a0b1c2d3e4f50"
    )]
    Release {
        /// What to release.
        #[command(flatten)]
        scope: ScopeArgs,
        /// The switch by its id, instead of a scope.
        #[arg(long, value_name = "ID")]
        switch: Option<String>,
        /// The scope's name, as `rtv switch list` has it.
        #[arg(long, value_name = "NAME", default_value = "")]
        confirm: String,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
        /// What becomes of deliveries that are overdue: spread, reschedule, approval or drop. Needed where there are any.
        #[arg(long, default_value = "")]
        plan: String,
        /// For `spread`: within how many minutes.
        #[arg(long, default_value = "")]
        minutes: String,
        /// For `reschedule`: when, like 2026-11-25T09:00:00Z.
        #[arg(long, default_value = "")]
        at: String,
        /// A choice for one account, like acc_…=drop; may repeat.
        #[arg(long, value_name = "ACCOUNT=CHOICE")]
        account_plan: Vec<String>,
        /// Approve the release of that id, as its second person.
        #[arg(long, value_name = "ID", conflicts_with_all = ["switch", "confirm", "reason", "plan"])]
        approve: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the receipt of a halt: what was held, which calls were under way and what came of each.
    #[command(after_help = "Example:\n  rtv switch receipt halt_0192f3c4a1b27d3e8f9a0b1c2d3e4f50 --json")]
    Receipt {
        /// Id of the halt, or of a switch for its newest one.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Practise: flip a switch that stops nothing, and measure from the click to the halt.
    #[command(after_help = "Example:\n  rtv switch drill --times 20 --json")]
    Drill {
        /// How many flips.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        times: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What a switch covers: what is left out means all.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// All tenants, platforms and actions. Cleaning up goes on.
    #[arg(long, conflicts_with_all = ["tenant", "platform", "action", "account", "campaign"])]
    global: bool,
    /// With --global: cleaning up stops too.
    #[arg(long, requires = "global")]
    everything: bool,
    /// One tenant, by its slug.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// One platform: x, linkedin, instagram, facebook, bluesky, mastodon or sandbox.
    #[arg(long)]
    platform: Option<String>,
    /// One action: publish, reply, message, react or delete.
    #[arg(long)]
    action: Option<String>,
    /// One account.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// One campaign.
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
}

impl ScopeArgs {
    fn is_given(&self) -> bool {
        self.global
            || [&self.tenant, &self.platform, &self.action, &self.account, &self.campaign]
                .iter()
                .any(|part| part.is_some())
    }

    fn words(self) -> Result<ScopeWords, Failure> {
        if !self.is_given() {
            return Err(Failure::Usage(
                "scope: say what it is about: --global, or any of --tenant, --platform, --action, --account, --campaign"
                    .into(),
            ));
        }
        let Self { everything, tenant, platform, action, account, campaign, .. } = self;
        Ok(ScopeWords { everything, tenant, platform, action, account, campaign })
    }
}

/// How long `engage` waits for the halt: three times the lease of a sender, after which only calls that are under way can be missing.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the command.
pub async fn run(command: Switch, settings: &Settings) -> Outcome {
    if let Switch::Engage { scope, reason, note, local: true, json, .. } = command {
        return engage_locally(settings, scope, &reason, note, json);
    }
    let (_databases, ctx) = operate(settings).await?;
    match command {
        Switch::List { json } => list(&ctx, json).await,
        Switch::Engage { scope, reason, note, ticket, review_in, no_wait, json, local: _ } => {
            let why = Why { reason, note, ticket, review: review_in };
            engage(&ctx, scope.words()?, &why, !no_wait, json).await
        }
        Switch::Preview { scope, json } => preview(&ctx, scope.words()?, json).await,
        Switch::Release { approve: Some(id), json, .. } => {
            let id: ReleaseId = parse(&id)?;
            told(kill_switch::approve_release(Side::Operator(&ctx), id, settings.ramp()).await?, json)
        }
        Switch::Release { scope, switch, confirm, reason, plan, minutes, at, account_plan, json, .. } => {
            let groups = account_plan
                .iter()
                .map(|text| {
                    let (account, what) = text
                        .split_once('=')
                        .ok_or_else(|| Failure::Usage(format!("account-plan: write “{text}” as acc_…=drop")))?;
                    let choice = ChoiceWords { what: what.to_owned(), minutes: minutes.clone(), at: at.clone() };
                    Ok((account.to_owned(), choice))
                })
                .collect::<Result<Vec<_>, Failure>>()?;
            let plan = PlanWords { all: ChoiceWords { what: plan, minutes, at }, groups };
            let asked = ReleaseRequest { typed: confirm, reason, plan };
            let id = match switch {
                Some(id) => parse(&id)?,
                None => engaged(&ctx, scope.words()?).await?,
            };
            let asked = kill_switch::ask_release(Side::Operator(&ctx), id, &asked, settings.ramp()).await;
            told(asked.map_err(|error| error.about("typed", "confirm"))?, json)
        }
        Switch::Receipt { id, json } => {
            let side = Side::Operator(&ctx);
            let halt: HaltId = match id.strip_prefix(SwitchId::PREFIX) {
                Some(_) => kill_switch::newest_halt(side, parse(&id)?).await?,
                None => parse(&id)?,
            };
            let receipt = kill_switch::receipt(side, halt).await?;
            if json { say_object(&ReceiptObject::from(receipt)) } else { print_receipt(&receipt) }
        }
        Switch::Drill { times, json } => {
            let drill = kill_switch::drill(&ctx, times).await?;
            if json {
                return say_object(&drill);
            }
            say(&format!(
                "{} flips reached {} senders: half within {:.0} ms, 95 % within {:.0} ms, all within {:.0} ms.",
                drill.rounds, drill.senders, drill.p50_ms, drill.p95_ms, drill.most_ms
            ))
        }
    }
}

fn parse<T: core::str::FromStr<Err: core::fmt::Display>>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|error: T::Err| Failure::Usage(format!("id: {error}")))
}

/// The switch of a scope, if it is engaged.
async fn engaged(ctx: &Context, words: ScopeWords) -> Result<SwitchId, Failure> {
    let side = Side::Operator(ctx);
    let scope = kill_switch::find_scope(side, &words).await?;
    let all = kill_switch::list(side).await?;
    let found = all.into_iter().find(|one| one.scope == scope);
    found
        .map(|one| one.id)
        .ok_or_else(|| Failure::Failed(anyhow::anyhow!("no switch of exactly this scope is engaged")))
}

fn engage_locally(settings: &Settings, scope: ScopeArgs, reason: &str, note: String, json: bool) -> Outcome {
    let scope = local_scope(scope)?;
    let reason = reason.parse().map_err(|message| Failure::Usage(format!("reason: {message}")))?;
    let folder = HaltFolder::open(settings.halt_folder()).map_err(|why| Failure::Failed(anyhow::anyhow!(why)))?;
    let halt = LocalHalt { scope, reason, note, by: operator(), at: Some(Clock::default().now()) };
    let name = folder.write(&halt).map_err(|why| Failure::Failed(anyhow::anyhow!(why)))?;
    let path = folder.path().join(&name);
    if json {
        return say(&json!({ "file": name, "path": path }).to_string());
    }
    say(&format!(
        "{} halts the processes of this machine from their next call on. When it may end, remove the file and release the switch.",
        path.display()
    ))
}

/// Without a database no name can be looked up: a tenant is named by its id, or everything of it by the platform.
fn local_scope(scope: ScopeArgs) -> Result<Scope, Failure> {
    let words = scope.words()?;
    if words.everything {
        return Ok(Scope::Everything);
    }
    if words.account.is_some() || words.campaign.is_some() {
        return Err(Failure::Usage(
            "local: without a database nobody knows whose account or campaign it is; halt its platform or its tenant"
                .into(),
        ));
    }
    let tenant = words.tenant.map(|text| {
        text.parse().map_err(|_| {
            Failure::Usage(format!(
                "tenant: without a database “{text}” cannot be looked up; give the id, like ten_…, or halt a platform"
            ))
        })
    });
    let refused = |field: &str, message: String| Failure::Usage(format!("{field}: {message}"));
    Ok(Scope::Part {
        tenant: tenant.transpose()?,
        platform: words.platform.map(|text| text.parse()).transpose().map_err(|text| refused("platform", text))?,
        action: words.action.map(|text| text.parse()).transpose().map_err(|text| refused("action", text))?,
    })
}

async fn engage(ctx: &Context, words: ScopeWords, why: &Why, wait: bool, json: bool) -> Outcome {
    let side = Side::Operator(ctx);
    let scope = kill_switch::find_scope(side, &words).await?;
    let engagement =
        kill_switch::engage(side, &scope, why).await.map_err(|error| error.about("review", "review-in"))?;
    if !json {
        let how = if engagement.was_engaged { "was engaged already" } else { "is engaged" };
        eprintln!("{} {how} by {} at {}.", engagement.switch, engagement.by, engagement.at.format("%F %T UTC"));
    }
    let began = std::time::Instant::now();
    let state = loop {
        // Released by somebody in the meantime: then nothing is to be waited for.
        let state = kill_switch::one(side, engagement.switch).await.map_or(State::Running, |one| one.state);
        if !wait || !matches!(state, State::Halting { .. }) || began.elapsed() > PATIENCE {
            break state;
        }
        tokio::time::sleep(LOOK).await;
    };
    if json {
        return say_object(&HaltObject::of(engagement, Some(state)));
    }
    say(&match state {
        State::Halted { at } => format!(
            "Halted at {}: every sender has acknowledged it or may not send any more. Receipt: rtv switch receipt {}",
            at.format("%T%.3f UTC"),
            engagement.halt
        ),
        State::Halting { in_flight, unaware } => format!(
            "Halting: {in_flight} calls are under way and {unaware} senders have not acknowledged it. See: rtv switch list"
        ),
        State::Running => "It was released in the meantime.".to_owned(),
        State::Unknown => "Whether it has come to rest is not known.".to_owned(),
    })
}

async fn preview(ctx: &Context, words: ScopeWords, json: bool) -> Outcome {
    let side = Side::Operator(ctx);
    let scope = kill_switch::find_scope(side, &words).await?;
    let found = kill_switch::preview(side, &scope).await?;
    if json {
        return say_object(&PreviewObject::from(found));
    }
    println!(
        "A halt of {} would stop {} accounts of {} tenants: {} deliveries due within 24 hours, {} calls under way.",
        found.name, found.accounts, found.tenants, found.due_within_a_day, found.in_flight
    );
    let rows: Vec<Vec<String>> = found
        .groups
        .iter()
        .map(|group| {
            vec![
                group.tenant_name.clone(),
                group.platform.label().into(),
                group.account.clone(),
                group.due.to_string(),
                group.first_due_at.format("%F %T").to_string(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        print_table(&["tenant", "platform", "account", "due", "first (UTC)"], &rows);
    }
    Ok(())
}

async fn list(ctx: &Context, json: bool) -> Outcome {
    let side = Side::Operator(ctx);
    let (engaged, senders) = (kill_switch::list(side).await?, kill_switch::senders(side).await?);
    if json {
        return say_object(&OverviewObject {
            switches: engaged.into_iter().map(SwitchObject::from).collect(),
            senders: senders.into_iter().map(SenderObject::from).collect(),
        });
    }
    if engaged.is_empty() {
        println!("Nothing is halted.");
    } else {
        let rows: Vec<Vec<String>> = engaged
            .iter()
            .map(|one| {
                vec![
                    one.name.clone(),
                    state_words(one.state),
                    one.facts.by.clone(),
                    one.facts.at.format("%F %T").to_string(),
                    one.facts.reason.to_string(),
                    one.held.to_string(),
                    one.facts.review_at.format("%F %T").to_string(),
                    one.id.to_string(),
                ]
            })
            .collect();
        print_table(&["halted", "state", "by", "since (UTC)", "reason", "held", "review (UTC)", "id"], &rows);
    }
    let rows: Vec<Vec<String>> = senders
        .iter()
        .map(|one| {
            vec![
                one.name.clone(),
                if one.is_live { "live" } else { "lapsed" }.into(),
                one.acknowledged_epoch.to_string(),
                one.lease_expires_at.format("%T%.3f").to_string(),
                one.in_flight.to_string(),
                one.local_files.iter().map(|file| file.name.clone()).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("No process sends.");
    } else {
        println!();
        print_table(&["sender", "lease", "epoch", "until (UTC)", "calls", "files"], &rows);
    }
    Ok(())
}

/// An object of the API.
fn say_object(object: &impl Serialize) -> Outcome {
    say(&serde_json::to_string(object)?)
}

fn told(asked: Asked, json: bool) -> Outcome {
    if json {
        return say_object(&ReleaseObject::from(asked));
    }
    say(&match asked {
        Asked::Released(done) => format!(
            "Released. {} deliveries go out after all, {} wait for approval, {} were dropped.",
            done.resumed, done.returned, done.dropped
        ),
        Asked::Waits { release, expires_at } => format!(
            "Nothing is released yet: another person approves {release} until {}. On the page, or: rtv switch release --approve {release}",
            expires_at.format("%T UTC")
        ),
    })
}

fn state_words(state: State) -> String {
    match state {
        State::Running => "running".into(),
        State::Halting { in_flight, unaware } => format!("halting, {in_flight} calls, {unaware} unaware"),
        State::Halted { at } => format!("halted {}", at.format("%T%.3f")),
        State::Unknown => "unknown".into(),
    }
}

fn print_receipt(receipt: &Receipt) -> Outcome {
    let time = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "not known".to_owned(), |at| at.format("%F %T%.3f UTC").to_string())
    };
    let mut lines = vec![
        format!("Halt of {} by {}, {}", receipt.name, receipt.facts.by, receipt.facts.reason.label()),
        format!("  click               {}", time(Some(receipt.clicked_at))),
        format!("  halted              {}", time(receipt.halted_at)),
        format!(
            "  click to halt       {}",
            receipt.click_to_halt_ms.map_or_else(|| "not known".to_owned(), |ms| format!("{ms:.0} ms"))
        ),
        format!(
            "  last outbound byte  {}",
            receipt.part.last_outbound_byte_at.map_or_else(|| "none".into(), |at| time(Some(at)))
        ),
        format!("  deliveries held     {}", receipt.part.held),
        format!("  calls under way     {}", receipt.part.calls_in_flight),
    ];
    for call in &receipt.part.calls {
        lines.push(format!(
            "    {} attempt {} to {} ({}): {}{}",
            call.delivery,
            call.attempt,
            call.account,
            call.platform,
            call.outcome.as_deref().unwrap_or(&call.state),
            if call.is_late { ", bytes left after the flip" } else { "" }
        ));
    }
    for sender in &receipt.senders {
        let how = match (sender.acknowledged_at, sender.lapsed_at) {
            (Some(at), _) => format!("acknowledged {}", at.format("%T%.3f")),
            (None, Some(at)) => format!("lease lapsed {}", at.format("%T%.3f")),
            (None, None) => "not known".into(),
        };
        lines.push(format!("  {}: {how}", sender.name));
    }
    if receipt.completed_at.is_none() {
        lines.push("The receipt is not complete: what it says still changes.".into());
    }
    if let Some(at) = receipt.released_at {
        lines.push(format!(
            "Released {} by {}{}: {}",
            at.format("%F %T UTC"),
            receipt.released_by.as_deref().unwrap_or("somebody"),
            receipt.approved_by.as_deref().map(|name| format!(", approved by {name}")).unwrap_or_default(),
            receipt.release_reason.as_deref().unwrap_or("")
        ));
    }
    say(&lines.join("\n"))
}
