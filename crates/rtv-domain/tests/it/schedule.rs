//! Schedules of reports on a real database: each occurrence once, also when workers fight over it or were away; who gets what, who wants no
//! more of it, and what is told when a mail comes to nothing.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::period::Range;
use rtv_core::report::{FileFormat, Filled, MailState, NewBlock, Rhythm, RunState, Way};
use rtv_core::{Error, FieldError, Permission, ReportId, ReportMailId, Role, RunId, ScheduleId};
use rtv_domain::mail::{Handover, Outbox};
use rtv_domain::report::schedule::{self, Plan};
use rtv_domain::report::{self, Asked, Dispatch, NewFile, SendReport, Shown, TakenUp, Template, Ticket};
use rtv_domain::{Actor, Context, TenantContext, access};

use crate::figures::Desk;
use crate::world::{at, outbox, vault};

/// The desk's clock stands at 10:00 in Berlin on Saturday, 21 November 2026; this comes next at 08:00 on Sunday, 07:00 in UTC.
const DAILY: &str = "frequency=daily&time=08:00&zone=Europe/Berlin";
const MONDAYS: &str = "frequency=weekly&weekday=mon&time=08:00&zone=Europe/Berlin";

fn plan(rhythm: &str, recipients: &[&str]) -> Plan {
    Plan {
        rhythm: Rhythm::parse(rhythm.split('&').filter_map(|pair| pair.split_once('='))).unwrap(),
        range: Some(Range::Yesterday),
        dispatch: Dispatch {
            way: Way::Attachment,
            formats: vec![FileFormat::Csv],
            recipients: recipients.iter().map(|one| one.parse().unwrap()).collect(),
            skips_empty: false,
            is_test: false,
        },
    }
}

/// Mail leaves by a server, so jobs send it.
fn sent() -> Outbox {
    Outbox::new(vault(), "https://rtv.example/", false)
}

async fn a_report(ctx: &TenantContext) -> ReportId {
    let blank = Template::Blank.definition();
    let edit = rtv_core::report::Edit::AddBlock { section: 1, kind: NewBlock::Metric };
    report::create(ctx, &blank.edited(&edit).unwrap().definition, "Started").await.unwrap()
}

fn worker_at(desk: &Desk, now: &str) -> Context {
    desk.world.context_at(at(now), Actor::System("test"))
}

async fn runs(desk: &Desk, report: ReportId) -> Vec<report::Run> {
    let mut runs = report::runs(&desk.ctx, Some(report)).await.unwrap();
    runs.reverse();
    runs
}

fn names(runs: &[report::Run]) -> Vec<(String, bool, i32, String)> {
    runs.iter()
        .map(|run| {
            let days = format!("{}..{}", run.period.from(), run.period.to());
            (run.occurrence.clone().unwrap_or_default(), run.is_late, run.missed, days)
        })
        .collect()
}

#[tokio::test]
async fn each_occurrence_is_made_once_and_the_schedule_waits_for_the_next() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    schedule::create(&desk.ctx, id, &plan(DAILY, &["client@client.example"])).await.unwrap();
    assert_eq!(
        schedule::tick(&worker_at(&desk, "2026-11-22T06:59:59Z"), &outbox()).await,
        Ok(0),
        "its time has not come"
    );
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-22T07:00:00Z"), &outbox()).await, Ok(1));
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-22T07:00:30Z"), &outbox()).await, Ok(0), "it was made");
    let made = |name: &str, days: &str| (format!("{name}T08:00[Europe/Berlin]"), false, 0, days.to_owned());
    assert_eq!(names(&runs(&desk, id).await), [made("2026-11-22", "2026-11-21..2026-11-21")]);
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-23T07:00:00Z"), &outbox()).await, Ok(1));
    assert_eq!(
        names(&runs(&desk, id).await),
        [made("2026-11-22", "2026-11-21..2026-11-21"), made("2026-11-23", "2026-11-22..2026-11-22")]
    );
}

#[tokio::test]
async fn after_days_without_a_worker_one_run_makes_up_for_all_of_them_and_is_marked_late() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    schedule::create(&desk.ctx, id, &plan(DAILY, &["client@client.example"])).await.unwrap();
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-25T09:00:00Z"), &outbox()).await, Ok(1));
    assert_eq!(
        names(&runs(&desk, id).await),
        [("2026-11-25T08:00[Europe/Berlin]".to_owned(), true, 3, "2026-11-24..2026-11-24".to_owned())],
        "the newest, counted from its own day"
    );
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-25T09:01:00Z"), &outbox()).await, Ok(0));
}

#[tokio::test]
async fn many_workers_at_once_make_each_of_many_schedules_once() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    for _ in 0..10 {
        schedule::create(&desk.ctx, id, &plan(DAILY, &["client@client.example"])).await.unwrap();
    }
    let workers = (0..4).map(|_| {
        let worker = worker_at(&desk, "2026-11-22T07:00:00Z");
        tokio::spawn(async move { schedule::tick(&worker, &outbox()).await.unwrap() })
    });
    let mut made = 0;
    for worker in workers.collect::<Vec<_>>() {
        made += worker.await.unwrap();
    }
    // Where one holds a row, another goes on without it.
    made += schedule::tick(&worker_at(&desk, "2026-11-22T07:00:00Z"), &outbox()).await.unwrap();
    assert_eq!(made, 10);
    let runs = runs(&desk, id).await;
    let mut schedules: Vec<_> = runs.iter().map(|run| run.schedule).collect();
    schedules.sort_unstable();
    schedules.dedup();
    assert_eq!((runs.len(), schedules.len()), (10, 10));
}

#[tokio::test]
async fn what_is_paused_deleted_or_of_a_deleted_report_is_not_made_nor_made_up_for() {
    let desk = Desk::new("Europe/Berlin").await;
    let (id, gone) = (a_report(&desk.ctx).await, a_report(&desk.ctx).await);
    let daily = plan(DAILY, &["client@client.example"]);
    let paused = schedule::create(&desk.ctx, id, &daily).await.unwrap();
    let deleted = schedule::create(&desk.ctx, id, &daily).await.unwrap();
    schedule::create(&desk.ctx, gone, &daily).await.unwrap();
    schedule::pause(&desk.ctx, id, paused).await.unwrap();
    schedule::pause(&desk.ctx, id, paused).await.unwrap();
    schedule::delete(&desk.ctx, id, deleted).await.unwrap();
    report::delete(&desk.ctx, gone).await.unwrap();
    assert_eq!(schedule::list(&desk.ctx, id).await.unwrap().len(), 1);
    assert_eq!(schedule::one(&desk.ctx, id, deleted).await.err(), Some(Error::NotFound));
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-24T08:00:00Z"), &outbox()).await, Ok(0));

    let ctx = editor_at(&desk, "2026-11-24T09:00:00Z").await;
    let next = schedule::resume(&ctx, id, paused).await.unwrap();
    assert_eq!(next.name(), "2026-11-25T08:00[Europe/Berlin]");
    schedule::bring_back(&ctx, id, deleted).await.unwrap();
    report::bring_back(&ctx, gone).await.unwrap();
    assert_eq!(
        schedule::tick(&worker_at(&desk, "2026-11-24T10:00:00Z"), &outbox()).await,
        Ok(0),
        "nothing is made up for"
    );
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-25T07:00:00Z"), &outbox()).await, Ok(3));
    assert!(names(&runs(&desk, id).await).iter().all(|(_, is_late, missed, _)| !is_late && *missed == 0));
}

/// The desk's editor at another time.
async fn editor_at(desk: &Desk, now: &str) -> TenantContext {
    let person = desk.ctx.context().person().unwrap().clone();
    let ctx = desk.world.context_at(at(now), Actor::Person(Arc::new(person)));
    access::enter(&ctx, desk.tenant.slug.as_str()).await.unwrap()
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_by_name_all_at_once() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let refused = |outcome: Result<ScheduleId, Error>| match outcome {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|FieldError { field, .. }| field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let mut wrong = plan(MONDAYS, &[]);
    wrong.range = Some(Range::Custom);
    wrong.dispatch.formats.clear();
    assert_eq!(refused(schedule::create(&desk.ctx, id, &wrong).await), ["format", "range", "recipients"]);
    let mut inbox = plan(MONDAYS, &["stranger@client.example"]);
    inbox.dispatch.way = Way::Inbox;
    assert_eq!(refused(schedule::create(&desk.ctx, id, &inbox).await), ["recipients"]);
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    let version = rtv_domain::settings::read(&owner).await.unwrap().revision.version.to_string();
    rtv_domain::settings::change_report_domains(&owner, "client.example", &version).await.unwrap();
    let outside = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example", "b@other.example"])).await;
    assert_eq!(refused(outside), ["recipients"]);
    schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@mail.client.example"])).await.unwrap();
}

#[tokio::test]
async fn the_later_of_two_editors_is_told_who_changed_what() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let made = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    schedule::save(&desk.ctx, id, made, "1", &plan(DAILY, &["a@client.example"])).await.unwrap();
    let again = schedule::save(&desk.ctx, id, made, "1", &plan(MONDAYS, &["b@client.example"])).await;
    assert!(matches!(&again, Err(Error::Conflict(text)) if text.contains("changed this")), "{again:?}");
    let now = schedule::one(&desk.ctx, id, made).await.unwrap();
    assert_eq!((now.version, now.plan.rhythm.words().as_str()), (2, "Every day at 08:00, Europe/Berlin"));
    assert_eq!(now.awaited.name(), "2026-11-22T08:00[Europe/Berlin]");
}

#[tokio::test]
async fn schedules_of_others_and_those_of_other_reports_are_none() {
    let desk = Desk::new("Europe/Berlin").await;
    let (id, other) = (a_report(&desk.ctx).await, a_report(&desk.ctx).await);
    let made = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let foreign = desk.world.tenant("foreign", "UTC").await;
    let stranger = desk.world.member(&foreign, Role::Owner).await;
    for (ctx, report) in [(&stranger, id), (&desk.ctx, other)] {
        assert_eq!(schedule::one(ctx, report, made).await.err(), Some(Error::NotFound));
        assert_eq!(schedule::pause(ctx, report, made).await.err(), Some(Error::NotFound));
        assert_eq!(schedule::run_now(ctx, report, made).await.err(), Some(Error::NotFound));
        assert_eq!(schedule::delete(ctx, report, made).await.err(), Some(Error::NotFound));
    }
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    assert!(matches!(schedule::delete(&viewer, id, made).await, Err(Error::Forbidden(_))));
    assert!(schedule::one(&desk.ctx, id, made).await.is_ok());
}

/// Takes a run up and fills it.
async fn taken(desk: &Desk, now: &str, run: RunId) -> (TakenUp, Filled) {
    let ticket = Ticket { tenant: desk.tenant.id, run };
    let taken = report::take_up(&worker_at(desk, now), ticket).await.unwrap().unwrap();
    let asked = Asked { parameters: &taken.parameters, version: None, shown: Shown::AsDefined, address: "" };
    let filled = report::fill(&taken.ctx, &taken.definition, &asked).await.unwrap();
    (taken, filled)
}

/// Makes the run of a schedule now, with one small file.
async fn made(desk: &Desk, outbox: &Outbox, run: RunId) {
    made_of(desk, outbox, run, 3).await;
}

/// The same with a file of so many bytes.
async fn made_of(desk: &Desk, outbox: &Outbox, run: RunId, bytes: i64) {
    let now = desk.world.clock.now().to_rfc3339();
    let (taken, filled) = taken(desk, &now, run).await;
    let file = NewFile {
        format: FileFormat::Csv,
        part: 1,
        title: "Table".into(),
        file_name: "table.csv".into(),
        bytes,
        sha256: [7; 32],
    };
    assert!(report::finish(&taken.ctx, outbox, &taken.run, &filled, &[file], None, &[]).await.unwrap());
}

fn states(mailings: &[report::Mailing]) -> Vec<(&str, i32, MailState)> {
    mailings.iter().map(|one| (one.recipient.as_str(), one.number, one.state)).collect()
}

#[tokio::test]
async fn a_reader_who_wants_no_more_gets_no_more_and_only_they_undo_it() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let both = plan(MONDAYS, &["a@client.example", "b@client.example"]);
    let of = schedule::create(&desk.ctx, id, &both).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    let (subject, text) = desk.world.mail_to("a@client.example").await.unwrap();
    assert!(subject.starts_with("The desk: "), "{subject}");
    assert!(text.contains("Every Monday at 08:00") || text.contains("every Monday at 08:00"), "{text}");
    let token = desk.world.token_to("a@client.example", "/shared/").await;
    let anybody = desk.world.context(Actor::Anonymous);
    let opened = report::handout(&anybody, &vault(), &token).await.unwrap();
    assert_eq!(
        (opened.recipient.as_str(), opened.files.len(), opened.is_subscribed),
        ("a@client.example", 1, Some(true))
    );
    report::handout_file(&anybody, &vault(), &token, FileFormat::Csv, 1).await.unwrap();
    assert!(report::handout_file(&anybody, &vault(), &token, FileFormat::Pdf, 1).await.is_err(), "it was not sent");

    report::subscribe(&anybody, &vault(), &token, false).await.unwrap();
    report::subscribe(&anybody, &vault(), &token, false).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    let mailings = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(
        states(&mailings),
        [("a@client.example", 1, MailState::Withheld), ("b@client.example", 1, MailState::Caught)]
    );
    let seen = schedule::one(&desk.ctx, id, of).await.unwrap();
    assert_eq!(seen.unsubscribed, ["a@client.example"]);
    schedule::save(&desk.ctx, id, of, &seen.version.to_string(), &both).await.unwrap();
    assert_eq!(schedule::one(&desk.ctx, id, of).await.unwrap().unsubscribed, ["a@client.example"]);
    let copied = schedule::copy(&desk.ctx, id, of).await.unwrap();
    assert_eq!(schedule::one(&desk.ctx, id, copied).await.unwrap().unsubscribed, ["a@client.example"]);
    schedule::resume(&desk.ctx, id, copied).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, copied).await.unwrap();
    made(&desk, &outbox(), run).await;
    assert_eq!(report::mailings(&desk.ctx, run).await.unwrap()[0].state, MailState::Withheld, "a copy sends them none");
    report::subscribe(&anybody, &vault(), &token, true).await.unwrap();
    assert!(schedule::one(&desk.ctx, id, of).await.unwrap().unsubscribed.is_empty());
}

#[tokio::test]
async fn a_link_opens_its_own_files_for_thirty_days_and_what_somebody_made_up_opens_nothing() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    let token = desk.world.token_to("a@client.example", "/shared/").await;
    let then = |days: i64| {
        let now: DateTime<Utc> = desk.world.clock.now() + TimeDelta::days(days);
        desk.world.context_at(now, Actor::Anonymous)
    };
    assert_eq!(report::handout(&then(29), &vault(), &token).await.unwrap().files.len(), 1);
    let over = report::handout(&then(31), &vault(), &token).await.unwrap();
    assert!(over.files.is_empty(), "its time is over");
    let file = report::handout_file(&then(31), &vault(), &token, FileFormat::Csv, 1).await;
    assert_eq!(file.err(), Some(Error::NotFound));
    report::subscribe(&then(31), &vault(), &token, false).await.unwrap();
    let mut changed = token.clone();
    changed.replace_range(60..61, if &token[60..61] == "0" { "1" } else { "0" });
    for wrong in ["", "00", "zz", &changed, &token[..token.len() - 2]] {
        assert_eq!(report::handout(&then(0), &vault(), wrong).await.err(), Some(Error::NotFound), "{wrong}");
    }
    let events = desk.world.audit(Some(&desk.tenant)).await;
    assert!(events.iter().any(|(action, ..)| action == "report.unsubscribe"), "{events:?}");
}

#[tokio::test]
async fn nothing_is_sent_where_there_is_nothing_to_report() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let mut silent = plan(MONDAYS, &["a@client.example"]);
    silent.dispatch.skips_empty = true;
    let of = schedule::create(&desk.ctx, id, &silent).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    let (taken, filled) = taken(&desk, "2026-11-21T09:00:00Z", run).await;
    assert!(report::is_skipped(&taken.run, &filled));
    report::finish(&taken.ctx, &outbox(), &taken.run, &filled, &[], None, &[]).await.unwrap();
    assert_eq!(report::run(&desk.ctx, run).await.unwrap().state, RunState::Skipped);
    assert!(report::mailings(&desk.ctx, run).await.unwrap().is_empty());

    // Yesterday had one post; then there is something to say.
    desk.posts(&["x,a,p1,2026-11-20T10:00:00Z,100,200,10"]).await;
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    assert_eq!(report::run(&desk.ctx, run).await.unwrap().state, RunState::Done);
    assert_eq!(report::mailings(&desk.ctx, run).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_test_goes_to_whoever_asked_and_to_nobody_else() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let run = schedule::test(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    let me = desk.ctx.context().person().unwrap().email.to_string();
    assert_eq!(states(&report::mailings(&desk.ctx, run).await.unwrap()), [(me.as_str(), 1, MailState::Caught)]);
    let (subject, text) = desk.world.mail_to(&me).await.unwrap();
    assert!(subject.starts_with("Test: ") && text.contains("Nobody else gets it."), "{subject}\n{text}");
    assert!(desk.world.mail_to("a@client.example").await.is_none());
    assert_eq!(report::inbox(&desk.ctx).await.unwrap().len(), 1);
}

#[tokio::test]
async fn files_of_more_than_ten_megabytes_are_behind_a_link_and_not_attached() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    for (bytes, attached) in [(report::MOST_ATTACHED, 1), (report::MOST_ATTACHED + 1, 0)] {
        let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
        made_of(&desk, &sent(), run, bytes).await;
        let mail = report::mailings(&desk.ctx, run).await.unwrap().remove(0).id;
        let job = SendReport { tenant: desk.tenant.id, mail };
        let outgoing = report::look(&desk.world.worker(), &sent(), job).await.unwrap().unwrap();
        assert_eq!(outgoing.files.len(), attached, "{bytes}");
        let text = secrecy::ExposeSecret::expose_secret(&outgoing.text).to_owned();
        assert!(text.contains("https://rtv.example/shared/"), "{text}");
    }
}

#[tokio::test]
async fn what_nobody_knows_of_is_told_to_the_keeper_and_goes_out_again_only_when_asked_saying_so() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &sent(), run).await;
    let worker = desk.world.worker();
    let first = report::mailings(&desk.ctx, run).await.unwrap().remove(0);
    let job = SendReport { tenant: desk.tenant.id, mail: first.id };
    let outgoing = report::look(&worker, &sent(), job).await.unwrap().unwrap();
    assert_eq!((outgoing.to.as_str(), outgoing.files.len()), ("a@client.example", 1));
    assert!(report::claim(&outgoing).await.unwrap());
    assert!(!report::claim(&outgoing).await.unwrap(), "only one hands it over");
    // The worker died here. Another finds the row as it was left.
    assert!(report::look(&worker, &outbox(), job).await.unwrap().is_none());
    assert!(report::look(&worker, &outbox(), job).await.unwrap().is_none(), "and nobody sends it again");
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(states(&told), [("a@client.example", 1, MailState::Uncertain)]);
    let keeper = desk.ctx.context().person().unwrap().email.to_string();
    let (subject, text) = desk.world.mail_to(&keeper).await.unwrap();
    assert!(
        subject.contains("may not have arrived") && text.contains("Its readers were told nothing."),
        "{subject}\n{text}"
    );
    assert!(desk.world.mail_to("a@client.example").await.is_none(), "the reader is told nothing");

    report::send_again(&desk.ctx, &sent(), run, first.id).await.unwrap();
    assert!(matches!(report::send_again(&desk.ctx, &sent(), run, first.id).await, Err(Error::Conflict(_))), "once");
    let both = report::mailings(&desk.ctx, run).await.unwrap();
    assert!(told[0].can_be_repeated() && !both[0].can_be_repeated(), "only the newest is offered again");
    let second = both[1].clone();
    let job = SendReport { tenant: desk.tenant.id, mail: second.id };
    let outgoing = report::look(&worker, &sent(), job).await.unwrap().unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&outgoing.text).to_owned();
    assert!(text.contains("may have reached you before"), "{text}");
    assert!(report::claim(&outgoing).await.unwrap());
    report::settle(&outgoing.ctx, &sent(), second.id, MailState::Sending, &Handover::Accepted, false).await.unwrap();
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(told[1].state, MailState::Sent);
    assert_eq!(report::attempts(&desk.ctx, run).await.unwrap().total, 2);
}

#[tokio::test]
async fn a_refused_mail_is_tried_again_until_the_last_time_and_then_told() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &sent(), run).await;
    let mail = report::mailings(&desk.ctx, run).await.unwrap().remove(0).id;
    let worker = access_worker(&desk).await;
    let keeper = desk.ctx.context().person().unwrap().email.to_string();
    let busy = Handover::TryAgain("451 come back later".into());
    report::settle(&worker, &outbox(), mail, MailState::Waiting, &busy, false).await.unwrap();
    assert_eq!(report::mailings(&desk.ctx, run).await.unwrap()[0].state, MailState::Waiting);
    assert!(desk.world.mail_to(&keeper).await.is_none(), "nobody is told of what is tried again");
    report::settle(&worker, &outbox(), mail, MailState::Waiting, &busy, true).await.unwrap();
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!((told[0].state, told[0].last_error.as_deref()), (MailState::Failed, Some("451 come back later")));
    assert!(desk.world.mail_to(&keeper).await.unwrap().1.contains("451 come back later"));
    let outcomes: Vec<String> =
        report::attempts(&desk.ctx, run).await.unwrap().newest.into_iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, ["Not sent: 451 come back later", "Not sent, to be tried again: 451 come back later"]);
}

/// The tenant as a worker enters it.
async fn access_worker(desk: &Desk) -> TenantContext {
    let run = {
        let id = a_report(&desk.ctx).await;
        report::begin(&desk.ctx, id, None).await.unwrap()
    };
    let ticket = Ticket { tenant: desk.tenant.id, run };
    report::take_up(&desk.world.worker(), ticket).await.unwrap().unwrap().ctx
}

#[tokio::test]
async fn a_run_that_cannot_be_made_is_told_to_the_owners_where_its_keeper_has_left() {
    let desk = Desk::new("Europe/Berlin").await;
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, &["a@client.example"])).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    let keeper = desk.ctx.context().person().unwrap().clone();
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    sqlx::query("delete from membership where user_id = $1").bind(keeper.id.uuid()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let (taken, _) = taken(&desk, "2026-11-21T09:00:00Z", run).await;
    report::fail(&taken.ctx, &outbox(), run, "The campaign that it names is gone.").await.unwrap();
    report::fail(&taken.ctx, &outbox(), run, "The campaign that it names is gone.").await.unwrap();
    assert!(desk.world.mail_to(keeper.email.as_str()).await.is_none());
    let to = owner.context().person().unwrap().email.to_string();
    assert!(desk.world.mail_to(&to).await.unwrap().1.contains("The campaign that it names is gone."));
}

/// What the newest mail to whoever keeps the desk's schedules says.
async fn told_to_keeper(desk: &Desk) -> Option<(String, String)> {
    desk.world.mail_to(desk.ctx.context().person().unwrap().email.as_str()).await
}

async fn outcomes(desk: &Desk, run: RunId) -> Vec<String> {
    report::attempts(&desk.ctx, run).await.unwrap().newest.into_iter().map(|one| one.outcome).collect()
}

/// A run of a schedule whose mails wait for a worker, in the order of their readers.
async fn waiting(desk: &Desk, recipients: &[&str]) -> (ReportId, RunId, Vec<ReportMailId>) {
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(MONDAYS, recipients)).await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(desk, &sent(), run).await;
    let mails = report::mailings(&desk.ctx, run).await.unwrap().into_iter().map(|one| one.id).collect();
    (id, run, mails)
}

/// Ends jobs that send as those end whose worker was lost in its last attempt: the queue knows of it, and nobody else.
async fn lose_mail_jobs(desk: &Desk, mails: &[ReportMailId]) {
    let mut tx = desk.world.marked("worker", None, None).await;
    for mail in mails {
        let lost = sqlx::query(
            "update job set finished_at = now(), outcome = 'failed' where kind = 'report.mail' and payload ->> 'mail' = $1",
        )
        .bind(mail.to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
        assert_eq!(lost.rows_affected(), 1);
    }
    tx.commit().await.unwrap();
}

/// Somebody who holds these permissions and no others.
async fn holder(desk: &Desk, permissions: &[&str]) -> TenantContext {
    let entered = desk.world.member(&desk.tenant, Role::Viewer).await;
    let person = entered.context().person().unwrap().clone();
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    let role = uuid::Uuid::now_v7();
    let keys: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    sqlx::query(
        "insert into custom_role (tenant_id, id, name, permissions, created_at, updated_at, changed_by)
         values ($1, $2, $3, $4, now(), now(), 'test')",
    )
    .bind(desk.tenant.id.uuid())
    .bind(role)
    .bind(role.to_string())
    .bind(keys)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query("update membership set role = 'custom', role_id = $1 where user_id = $2")
        .bind(role)
        .bind(person.id.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    desk.world.enter(&person, &desk.tenant).await
}

/// Leaves the organisation's reports to one domain.
async fn allow_only(desk: &Desk, domain: &str) {
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    let version = rtv_domain::settings::read(&owner).await.unwrap().revision.version.to_string();
    rtv_domain::settings::change_report_domains(&owner, domain, &version).await.unwrap();
}

#[tokio::test]
async fn what_keeps_a_mail_from_being_offered_is_noted_and_told_with_the_last_attempt() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example", "b@client.example"]).await;
    let worker = desk.world.worker();
    let jobs: Vec<_> = mails.iter().map(|mail| SendReport { tenant: desk.tenant.id, mail: *mail }).collect();
    // Another worker hands this one over meanwhile; putting it off would send it twice.
    let outgoing = report::look(&worker, &sent(), jobs[1]).await.unwrap().unwrap();
    assert!(report::claim(&outgoing).await.unwrap());
    for job in &jobs {
        report::put_off(&worker, &outbox(), *job, "The disk is full.", false).await.unwrap();
    }
    let states_now =
        async || report::mailings(&desk.ctx, run).await.unwrap().iter().map(|one| one.state).collect::<Vec<_>>();
    assert_eq!(states_now().await, [MailState::Waiting, MailState::Sending]);
    assert!(told_to_keeper(&desk).await.is_none(), "nobody is told of what is tried again");
    for job in &jobs {
        report::put_off(&worker, &outbox(), *job, "The disk is full.", true).await.unwrap();
    }
    assert_eq!(states_now().await, [MailState::Failed, MailState::Sending]);
    assert!(told_to_keeper(&desk).await.unwrap().1.contains("The disk is full."));
    assert_eq!(
        outcomes(&desk, run).await,
        ["Not sent: The disk is full.", "Not sent, to be tried again: The disk is full."]
    );
}

#[tokio::test]
async fn a_mail_that_no_job_works_at_any_more_is_ended_and_told_and_never_sent() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example", "b@client.example", "c@client.example"]).await;
    let of_claimed = SendReport { tenant: desk.tenant.id, mail: mails[1] };
    let outgoing = report::look(&desk.world.worker(), &sent(), of_claimed).await.unwrap().unwrap();
    assert!(report::claim(&outgoing).await.unwrap());
    lose_mail_jobs(&desk, &mails[..2]).await;
    let folder = tempfile::tempdir().unwrap();
    let files = report::Files::new(folder.path().to_owned());
    let sweep = async |minutes: i64| {
        let later = desk.world.context_at(desk.world.clock.now() + TimeDelta::minutes(minutes), Actor::System("sweep"));
        report::sweep(&later, &outbox(), &files).await.unwrap()
    };
    assert_eq!(sweep(4).await, 0, "a worker may still come");
    assert_eq!(sweep(6).await, 2);
    assert_eq!(sweep(12).await, 0, "once");
    let mailings = report::mailings(&desk.ctx, run).await.unwrap();
    let states: Vec<_> = mailings.iter().map(|one| one.state).collect();
    assert_eq!(states, [MailState::Failed, MailState::Uncertain, MailState::Waiting], "the last has its job");
    assert!(mailings[0].can_be_repeated() && mailings[1].can_be_repeated());
    let told: Vec<String> =
        rtv_domain::mail::list(&desk.world.operator()).await.unwrap().into_iter().map(|one| one.subject).collect();
    for subject in ["A report to a@client.example was not sent", "A report to b@client.example may not have arrived"] {
        assert!(told.iter().any(|one| one.ends_with(subject)), "{subject}: {told:?}");
    }
    assert_eq!(outcomes(&desk, run).await.len(), 2);
    // A worker that comes back all the same sends neither.
    for mail in &mails[..2] {
        let job = SendReport { tenant: desk.tenant.id, mail: *mail };
        assert!(report::look(&desk.world.worker(), &sent(), job).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn schedules_are_set_by_those_who_hold_their_permission_and_by_nobody_else() {
    let desk = Desk::new("Europe/Berlin").await;
    let (id, run, mails) = waiting(&desk, &["a@client.example"]).await;
    let of = schedule::list(&desk.ctx, id).await.unwrap()[0].id;
    let seen = schedule::one(&desk.ctx, id, of).await.unwrap().version.to_string();
    let worker = desk.world.worker();
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    report::put_off(&worker, &outbox(), job, "The disk is full.", true).await.unwrap();
    let daily = plan(DAILY, &["a@client.example"]);
    let builder = holder(&desk, &["reports:read", "reports:manage", "analytics:read"]).await;
    let refused = Some(Error::Forbidden(Permission::ReportsSchedule));
    assert_eq!(schedule::may_set(&builder).await.err(), refused);
    assert_eq!(schedule::may_stop(&builder).await.err(), refused);
    assert_eq!(schedule::create(&builder, id, &daily).await.err(), refused);
    assert_eq!(schedule::save(&builder, id, of, &seen, &daily).await.err(), refused);
    assert_eq!(schedule::pause(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::resume(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::run_now(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::test(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::copy(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::delete(&builder, id, of).await.err(), refused);
    assert_eq!(schedule::bring_back(&builder, id, of).await.err(), refused);
    assert_eq!(report::send_again(&builder, &sent(), run, mails[0]).await.err(), refused);
    assert_eq!(schedule::list(&builder, id).await.unwrap().len(), 1, "they look");

    let sender = holder(&desk, &["reports:read", "reports:schedule", "analytics:read"]).await;
    report::send_again(&sender, &sent(), run, mails[0]).await.unwrap();
    schedule::save(&sender, id, of, &seen, &daily).await.unwrap();
    schedule::run_now(&sender, id, of).await.unwrap();
    schedule::copy(&sender, id, of).await.unwrap();
    schedule::delete(&sender, id, of).await.unwrap();
    schedule::bring_back(&sender, id, of).await.unwrap();
    schedule::pause(&sender, id, of).await.unwrap();
}

#[tokio::test]
async fn a_domain_that_is_no_longer_allowed_gets_neither_what_waits_nor_what_is_sent_again() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example"]).await;
    allow_only(&desk, "other.example").await;
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    assert!(report::look(&desk.world.worker(), &outbox(), job).await.unwrap().is_none());
    let mailing = report::mailings(&desk.ctx, run).await.unwrap().remove(0);
    let word = "The organisation no longer allows reports to this domain.";
    assert_eq!((mailing.state, mailing.last_error.as_deref()), (MailState::Failed, Some(word)));
    assert!(told_to_keeper(&desk).await.unwrap().1.contains(word));
    let again = report::send_again(&desk.ctx, &sent(), run, mails[0]).await;
    assert!(matches!(&again, Err(Error::Conflict(text)) if text.contains(word)), "{again:?}");
    allow_only(&desk, "client.example").await;
    report::send_again(&desk.ctx, &sent(), run, mails[0]).await.unwrap();
}

#[tokio::test]
async fn the_inbox_takes_reports_for_members_who_see_them_alone() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let email = |ctx: &TenantContext| ctx.context().person().unwrap().email.to_string();
    let blind = holder(&desk, &["content:read"]).await;
    let reader = desk.world.member(&desk.tenant, Role::Viewer).await;
    let leaver = desk.world.member(&desk.tenant, Role::Viewer).await;
    let inbox = |recipients: &[&str]| {
        let mut inbox = plan(MONDAYS, recipients);
        inbox.dispatch.way = Way::Inbox;
        inbox
    };
    let refused = schedule::create(&desk.ctx, id, &inbox(&[&email(&reader), &email(&blind)])).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(errors)) if errors[0].message.starts_with(&format!("{} have no inbox", email(&blind)))),
        "{refused:?}"
    );
    let of = schedule::create(&desk.ctx, id, &inbox(&[&email(&reader), &email(&leaver)])).await.unwrap();
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    let gone = leaver.context().person().unwrap().id.uuid();
    sqlx::query("delete from membership where user_id = $1").bind(gone).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let run = schedule::run_now(&desk.ctx, id, of).await.unwrap();
    made(&desk, &outbox(), run).await;
    let mailings = report::mailings(&desk.ctx, run).await.unwrap();
    let of_leaver = mailings.iter().find(|one| one.recipient == email(&leaver)).unwrap();
    let of_reader = mailings.iter().find(|one| one.recipient == email(&reader)).unwrap();
    assert_eq!((of_reader.state, of_leaver.state), (MailState::Delivered, MailState::Failed));
    let (subject, text) = told_to_keeper(&desk).await.unwrap();
    assert!(subject.contains(&email(&leaver)) && text.contains("reports:read"), "{subject}\n{text}");
    assert!(matches!(report::send_again(&desk.ctx, &outbox(), run, of_leaver.id).await, Err(Error::Conflict(_))));
    // Where they are a member again, it lies there, once.
    let person = leaver.context().person().unwrap();
    desk.world.join(person, &desk.tenant, Role::Viewer).await;
    report::send_again(&desk.ctx, &outbox(), run, of_leaver.id).await.unwrap();
    let leaver = desk.world.enter(person, &desk.tenant).await;
    for who in [&reader, &leaver] {
        let received: Vec<RunId> = report::inbox(who).await.unwrap().into_iter().map(|one| one.run).collect();
        assert_eq!(received, [run]);
        assert_eq!(report::count_inbox(who).await, Ok(1));
    }
}

#[tokio::test]
async fn what_waits_does_not_leave_after_it_was_stopped_unless_somebody_sends_it_after_that() {
    for stopping in ["pause", "delete", "delete the report", "take off"] {
        let desk = Desk::new("Europe/Berlin").await;
        let (id, run, mails) = waiting(&desk, &["a@client.example", "b@client.example"]).await;
        let of = schedule::list(&desk.ctx, id).await.unwrap()[0].id;
        let later = editor_at(&desk, "2026-11-21T09:01:00Z").await;
        match stopping {
            "pause" => schedule::pause(&later, id, of).await.unwrap(),
            "delete" => schedule::delete(&later, id, of).await.unwrap(),
            "delete the report" => drop(report::delete(&later, id).await.unwrap()),
            _ => schedule::save(&later, id, of, "1", &plan(MONDAYS, &["b@client.example"])).await.unwrap(),
        }
        let look = async |mail: ReportMailId| {
            let job = SendReport { tenant: desk.tenant.id, mail };
            report::look(&worker_at(&desk, "2026-11-21T09:02:00Z"), &sent(), job).await.unwrap().is_some()
        };
        let is_other_stopped = stopping != "take off";
        assert_eq!((look(mails[0]).await, look(mails[1]).await), (false, !is_other_stopped), "{stopping}");
        let mailing = report::mailings(&desk.ctx, run).await.unwrap().remove(0);
        assert_eq!(mailing.state, MailState::Stopped, "{stopping}");
        assert!(mailing.last_error.unwrap().ends_with("before it left."), "{stopping}");
        assert!(told_to_keeper(&desk).await.is_none(), "who did it knows");
        let after = editor_at(&desk, "2026-11-21T09:03:00Z").await;
        report::send_again(&after, &sent(), run, mails[0]).await.unwrap();
        let again = report::mailings(&desk.ctx, run).await.unwrap();
        let again = again.iter().find(|one| one.recipient == "a@client.example" && one.number == 2).unwrap();
        assert!(look(again.id).await, "{stopping}");
        if stopping == "take off" {
            // Whoever sends it again knows who is on the schedule; a change of its time says nothing new about them.
            let last = editor_at(&desk, "2026-11-21T09:04:00Z").await;
            schedule::save(&last, id, of, "2", &plan(DAILY, &["b@client.example"])).await.unwrap();
            assert!(look(again.id).await);
        }
    }
}

#[tokio::test]
async fn a_mail_that_is_stopped_while_the_server_is_called_is_not_handed_over() {
    let desk = Desk::new("Europe/Berlin").await;
    let (id, run, mails) = waiting(&desk, &["a@client.example"]).await;
    let of = schedule::list(&desk.ctx, id).await.unwrap()[0].id;
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    let outgoing = report::look(&worker_at(&desk, "2026-11-21T09:01:00Z"), &sent(), job).await.unwrap().unwrap();
    schedule::pause(&editor_at(&desk, "2026-11-21T09:01:01Z").await, id, of).await.unwrap();
    assert!(!report::claim(&outgoing).await.unwrap());
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(states(&told), [("a@client.example", 1, MailState::Stopped)]);
}

#[tokio::test]
async fn nothing_is_sent_of_a_run_that_was_stopped_before_it_was_made_and_a_paused_one_can_be_sent_now() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let of = schedule::create(&desk.ctx, id, &plan(DAILY, &["a@client.example"])).await.unwrap();
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-22T07:00:00Z"), &outbox()).await, Ok(1));
    let run = runs(&desk, id).await[0].id;
    let later = editor_at(&desk, "2026-11-22T07:00:01Z").await;
    schedule::pause(&later, id, of).await.unwrap();
    made(&desk, &sent(), run).await;
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(states(&told), [("a@client.example", 1, MailState::Stopped)]);

    let after = editor_at(&desk, "2026-11-22T07:00:02Z").await;
    let run = schedule::run_now(&after, id, of).await.unwrap();
    made(&desk, &sent(), run).await;
    let told = report::mailings(&desk.ctx, run).await.unwrap();
    assert_eq!(states(&told), [("a@client.example", 1, MailState::Waiting)]);
}

#[tokio::test]
async fn two_who_send_the_same_mail_again_at_once_send_it_once_and_one_is_told() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example"]).await;
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    report::put_off(&desk.world.worker(), &outbox(), job, "The disk is full.", true).await.unwrap();
    let outbox = sent();
    let (one, other) = tokio::join!(
        report::send_again(&desk.ctx, &outbox, run, mails[0]),
        report::send_again(&desk.ctx, &outbox, run, mails[0])
    );
    let refused = match (one, other) {
        (Ok(_), refused) | (refused, Ok(_)) => refused,
        neither => panic!("{neither:?}"),
    };
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("and once")), "{refused:?}");
    assert_eq!(report::mailings(&desk.ctx, run).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_mail_that_waited_for_weeks_leaves_with_a_link_that_opens() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, _, mails) = waiting(&desk, &["a@client.example"]).await;
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    let outgoing = report::look(&worker_at(&desk, "2026-12-31T09:00:00Z"), &sent(), job).await.unwrap().unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&outgoing.text).to_owned();
    let token = text.split("/shared/").nth(1).unwrap().split_whitespace().next().unwrap();
    let reader = desk.world.context_at(at("2027-01-29T09:00:00Z"), Actor::Anonymous);
    assert_eq!(report::handout(&reader, &vault(), token).await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn a_schedule_that_cannot_be_carried_out_says_so_and_its_keeper_is_told_once() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let mut own_days = plan(DAILY, &["a@client.example"]);
    own_days.range = None;
    let of = schedule::create(&desk.ctx, id, &own_days).await.unwrap();
    let parameters = "update report_version set definition = jsonb_set(definition, '{parameters}', to_jsonb($1::text))";
    let set = async |query: &str| {
        let mut tx = desk.world.as_tenant(&desk.tenant).await;
        sqlx::query(parameters).bind(query).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    let before = report::one(&desk.ctx, id).await.unwrap().definition.parameters;
    set("range=nonsense").await;
    let told = async || {
        let all = rtv_domain::mail::list(&desk.world.operator()).await.unwrap();
        all.iter().filter(|one| one.subject.ends_with("a schedule could not be carried out")).count()
    };
    for minute in ["2026-11-22T07:00:00Z", "2026-11-22T07:01:00Z", "2026-11-22T07:02:00Z"] {
        assert_eq!(schedule::tick(&worker_at(&desk, minute), &outbox()).await, Ok(0));
        assert_eq!(told().await, 1);
    }
    let (since, reason) = schedule::one(&desk.ctx, id, of).await.unwrap().trouble.unwrap();
    assert_eq!(since, at("2026-11-22T07:00:00Z"));
    assert!(told_to_keeper(&desk).await.unwrap().1.contains(&reason), "{reason}");
    set(&before).await;
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-22T07:03:00Z"), &outbox()).await, Ok(1));
    assert_eq!(schedule::one(&desk.ctx, id, of).await.unwrap().trouble, None);
    set("range=nonsense").await;
    schedule::tick(&worker_at(&desk, "2026-11-23T07:00:00Z"), &outbox()).await.unwrap();
    assert_eq!(told().await, 2, "trouble that comes again is told again");
}

#[tokio::test]
async fn attempts_that_ended_without_a_word_are_noted_and_all_are_counted() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example"]).await;
    let worker = desk.world.worker();
    let job = SendReport { tenant: desk.tenant.id, mail: mails[0] };
    report::put_off(&worker, &outbox(), job, "The disk is full.", false).await.unwrap();
    let note = async |mail: Option<ReportMailId>, attempt: u32| {
        let ctx = &report::look(&worker, &sent(), job).await.unwrap().unwrap().ctx;
        report::note_silence(ctx, run, mail, attempt).await.unwrap();
    };
    note(Some(mails[0]), 2).await;
    assert_eq!(outcomes(&desk, run).await.len(), 1, "the one before has said what came of it");
    note(Some(mails[0]), 3).await;
    note(Some(mails[0]), 3).await;
    note(None, 1).await;
    note(None, 2).await;
    let outcomes = outcomes(&desk, run).await;
    assert_eq!(outcomes.iter().filter(|one| one.contains("without a word")).count(), 2, "{outcomes:?}");

    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    sqlx::query(
        "insert into report_attempt (tenant_id, id, run_id, at, outcome)
         select $1, gen_random_uuid(), $2, '2020-01-01', 'Old' from generate_series(1, 600)",
    )
    .bind(desk.tenant.id.uuid())
    .bind(run.uuid())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let attempts = report::attempts(&desk.ctx, run).await.unwrap();
    assert_eq!((attempts.newest.len(), attempts.total), (500, 603));
}

#[tokio::test]
async fn a_schedule_that_is_brought_back_counts_among_those_of_its_report() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    let daily = plan(DAILY, &["a@client.example"]);
    let deleted = schedule::create(&desk.ctx, id, &daily).await.unwrap();
    schedule::delete(&desk.ctx, id, deleted).await.unwrap();
    let mut last = deleted;
    for _ in 0..20 {
        last = schedule::create(&desk.ctx, id, &daily).await.unwrap();
    }
    let refused = schedule::bring_back(&desk.ctx, id, deleted).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("at most 20")), "{refused:?}");
    schedule::delete(&desk.ctx, id, last).await.unwrap();
    schedule::bring_back(&desk.ctx, id, deleted).await.unwrap();
}

#[tokio::test]
async fn a_mail_that_surely_did_not_arrive_does_not_say_that_it_may_have() {
    let desk = Desk::new("Europe/Berlin").await;
    let (_, run, mails) = waiting(&desk, &["a@client.example"]).await;
    let worker = desk.world.worker();
    let refused = Handover::Refused("550 nobody of that name".into());
    let ctx = access_worker(&desk).await;
    report::settle(&ctx, &outbox(), mails[0], MailState::Waiting, &refused, false).await.unwrap();
    let again = report::send_again(&desk.ctx, &sent(), run, mails[0]).await.unwrap();
    assert_eq!((again.to.as_str(), again.may_come_twice), ("a@client.example", false));
    let second = report::mailings(&desk.ctx, run).await.unwrap()[1].id;
    let job = SendReport { tenant: desk.tenant.id, mail: second };
    let outgoing = report::look(&worker, &sent(), job).await.unwrap().unwrap();
    let text = secrecy::ExposeSecret::expose_secret(&outgoing.text).to_owned();
    assert!(!text.contains("may have reached you before"), "{text}");
}

#[tokio::test]
async fn a_run_that_is_done_or_mailed_too_late_is_marked_and_says_when_it_was_due_in_words() {
    let desk = Desk::new("Europe/Berlin").await;
    let id = a_report(&desk.ctx).await;
    schedule::create(&desk.ctx, id, &plan(DAILY, &["a@client.example"])).await.unwrap();
    let due = "It comes late. It was due on Nov 22, 2026, 08:00 CET.";
    let text_at = async |now: &str, run: RunId| {
        let mail = report::mailings(&desk.ctx, run).await.unwrap()[0].id;
        let job = SendReport { tenant: desk.tenant.id, mail };
        let outgoing = report::look(&worker_at(&desk, now), &sent(), job).await.unwrap().unwrap();
        (secrecy::ExposeSecret::expose_secret(&outgoing.text).to_owned(), outgoing)
    };
    let done_at = async |now: &str, run: RunId| {
        let (taken, filled) = taken(&desk, now, run).await;
        assert!(report::finish(&taken.ctx, &sent(), &taken.run, &filled, &[], None, &[]).await.unwrap());
    };
    let is_late = async |run: RunId| report::run(&desk.ctx, run).await.unwrap().is_late;

    // It is begun and done in time, and its mail waits.
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-22T07:00:00Z"), &outbox()).await, Ok(1));
    let mailed = runs(&desk, id).await[0].id;
    done_at("2026-11-22T07:04:59Z", mailed).await;
    let (text, _) = text_at("2026-11-22T07:04:59Z", mailed).await;
    assert!(!text.contains("It comes late") && !is_late(mailed).await, "{text}");
    let (text, outgoing) = text_at("2026-11-22T09:00:00Z", mailed).await;
    assert!(text.contains(due), "{text}");
    assert!(report::claim(&outgoing).await.unwrap() && is_late(mailed).await);

    // It is begun in time, and waits for a worker.
    assert_eq!(schedule::tick(&worker_at(&desk, "2026-11-23T07:00:00Z"), &outbox()).await, Ok(1));
    let made = runs(&desk, id).await[1].id;
    assert!(!is_late(made).await);
    done_at("2026-11-23T07:05:00Z", made).await;
    assert!(is_late(made).await);
    let (text, _) = text_at("2026-11-23T07:05:00Z", made).await;
    assert!(text.contains(&due.replace("22", "23")), "{text}");
}
