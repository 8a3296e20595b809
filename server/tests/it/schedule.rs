//! Schedules from their time to the mail that arrives, with workers that are processes of their own and are killed in the middle, and a
//! mail server on this machine.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::{SubsecRound as _, Timelike as _, Utc};
use rtv_core::report::{FileFormat, MailState, NewBlock, Rhythm, RunState, Way};
use rtv_core::{Permission, ReportId, RunId};
use rtv_domain::report::schedule::{self, Plan};
use rtv_domain::report::{self, Dispatch, Files, Template};
use rtv_domain::{TenantContext, access, mail};
use rtv_server::jobs::report::Tick;
use sha2::{Digest as _, Sha256};
use tokio::process::Child;

use crate::command::Program;
use crate::mail::{MailServer, Mood};
use crate::test_app::TestApp;

/// An RTV whose workers send to a server on this machine.
struct House {
    app: TestApp,
    rtv: Program,
    server: MailServer,
    files: Files,
    ctx: TenantContext,
    report: ReportId,
}

impl House {
    async fn new(moods: &[Mood]) -> Self {
        let server = MailServer::start(moods).await;
        let address = server.address();
        let app = TestApp::with(
            |settings| {
                settings.smtp_url = Some(address.clone());
                settings.mail_from = Some("RTV <rtv@post.example>".into());
            },
            4,
        )
        .await;
        app.tenant("acme").await;
        let ctx = access::enter_as_operator(&app.operator(), &"acme".parse().unwrap(), "test").await.unwrap();
        let blank = Template::Blank.definition();
        let edit = rtv_core::report::Edit::AddBlock { section: 1, kind: NewBlock::Table };
        let report = report::create(&ctx, &blank.edited(&edit).unwrap().definition, "Started").await.unwrap();
        let rtv = Program::of(&app)
            .with("RTV_SMTP_URL", secrecy::ExposeSecret::expose_secret(&server.address()).to_owned())
            .with("RTV_MAIL_FROM", "RTV <rtv@post.example>")
            // Whoever opens a link asks the server, and the worker has sealed it.
            .with("RTV_SECRET_KEY_FILE", app.state.settings.home.join("secret.key").display().to_string());
        let files = Files::new(rtv.home.path().join("reports"));
        Self { app, rtv, server, files, ctx, report }
    }

    fn worker(&self) -> Child {
        self.rtv.command(&["work"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Schedules that became due in this minute, each with a reader of its own.
    async fn due_now(&self, count: usize, way: Way, formats: &[FileFormat]) {
        let now = Utc::now().trunc_subsecs(0);
        let time = format!("{:02}:{:02}", now.hour(), now.minute());
        let rhythm = Rhythm::parse([("frequency", "daily"), ("time", time.as_str()), ("zone", "UTC")]).unwrap();
        for start in (0..count).step_by(20) {
            // A report has only so many schedules.
            let report = if start == 0 {
                self.report
            } else {
                let one = report::one(&self.ctx, self.report).await.unwrap();
                report::create(&self.ctx, &one.definition, "Copied").await.unwrap()
            };
            for number in start..count.min(start + 20) {
                let dispatch = Dispatch {
                    way,
                    formats: formats.to_vec(),
                    recipients: vec![format!("client-{number}@client.example").parse().unwrap()],
                    skips_empty: false,
                    is_test: false,
                };
                let plan = Plan { rhythm, range: None, dispatch };
                schedule::create(&self.ctx, report, &plan).await.unwrap();
            }
        }
        let mut tx = self.app.marked("tenant", Some(self.ctx.tenant().id.uuid()), None).await;
        let nominal = now.with_second(0).unwrap();
        sqlx::query("update report_schedule set awaited = $1, awaited_at = $2")
            .bind(nominal.naive_utc())
            .bind(nominal)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// What the next minute would bring.
    async fn tick(&self) {
        let mut tx = self.app.marked("worker", None, None).await;
        rtv_jobs::enqueue(&mut tx, &Tick {}, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// State of each run, of each mail, and how many jobs are not done.
    async fn states(&self) -> (BTreeMap<String, i64>, BTreeMap<String, i64>, i64) {
        let mut tx = self.app.marked("tenant", Some(self.ctx.tenant().id.uuid()), None).await;
        let mut counted = Vec::new();
        for table in ["report_run", "report_mail"] {
            let rows: Vec<(String, i64)> =
                sqlx::query_as(sqlx::AssertSqlSafe(format!("select state, count(*) from {table} group by state")))
                    .fetch_all(&mut *tx)
                    .await
                    .unwrap();
            counted.push(rows.into_iter().collect());
        }
        drop(tx);
        let mut tx = self.app.marked("worker", None, None).await;
        let open = sqlx::query_scalar(
            "select count(*) from job where finished_at is null and kind in ('report.run', 'report.mail')",
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        let mails = counted.remove(1);
        (counted.remove(0), mails, open)
    }

    async fn wait_until(&self, what: &str, limit: Duration, is_so: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !is_so().await {
            assert!(started.elapsed() < limit, "waited for {what}: {:?}", self.states().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Each file that a row names is whole.
    async fn check_files(&self, run: RunId) {
        let run = report::run(&self.ctx, run).await.unwrap();
        assert_eq!((run.state, run.files.len()), (RunState::Done, 3), "{run:?}");
        for file in &run.files {
            let path = self.files.path(self.ctx.tenant().id, run.id, file.format, file.part);
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(Sha256::digest(&bytes).as_slice(), file.sha256, "{}", path.display());
        }
    }

    async fn runs(&self) -> Vec<RunId> {
        let mut tx = self.app.marked("tenant", Some(self.ctx.tenant().id.uuid()), None).await;
        let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select id from report_run where occurrence is not null")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
        ids.into_iter().map(RunId::from).collect()
    }
}

/// The same numbers again from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// So many schedules that are due in one minute, with so many workers of which so many are killed at moments that nobody knows.
async fn kill_workers(schedules: usize, workers: usize, kills: usize) {
    let seed = uuid::Uuid::now_v7().as_u64_pair().1;
    eprintln!("seed {seed}");
    let mut random = Random(seed | 1);
    let house = House::new(&[]).await;
    house.due_now(schedules, Way::Attachment, &[FileFormat::Csv]).await;
    let began = Instant::now();
    let mut working: Vec<Child> = (0..workers).map(|_| house.worker()).collect();
    for _ in 0..kills {
        house.tick().await;
        tokio::time::sleep(Duration::from_millis(200 + random.below(900))).await;
        let place = usize::try_from(random.below(u64::try_from(workers).unwrap())).unwrap();
        working[place].kill().await.unwrap();
        working[place] = house.worker();
    }
    house.tick().await;
    // What the dead held lapses after half a minute.
    house
        .wait_until("all runs and mails", Duration::from_mins(8), async || {
            let (runs, _, open) = house.states().await;
            let total = i64::try_from(schedules).unwrap();
            runs.get("done").copied() == Some(total) && open == 0
        })
        .await;
    for mut worker in working {
        worker.kill().await.unwrap();
    }
    let runs = house.runs().await;
    assert_eq!(runs.len(), schedules, "seed {seed}: each occurrence once");
    let messages = house.server.messages();
    let (mut sent, mut uncertain) = (0, 0);
    for run in &runs {
        house.check_files(*run).await;
        let mailings = report::mailings(&house.ctx, *run).await.unwrap();
        let [mailing] = mailings.as_slice() else { panic!("seed {seed}: {mailings:?}") };
        let arrived =
            messages.iter().filter(|message| message.contains(&format!("To: {}\n", mailing.recipient))).count();
        match mailing.state {
            MailState::Sent => {
                assert_eq!(arrived, 1, "seed {seed}: {mailing:?}");
                sent += 1;
            }
            MailState::Uncertain => {
                assert!(arrived <= 1, "seed {seed}: {mailing:?} arrived {arrived} times");
                uncertain += 1;
            }
            other => panic!("seed {seed}: {other:?} {mailing:?}"),
        }
    }
    assert_eq!(sent + uncertain, schedules);
    eprintln!(
        "{schedules} schedules, {workers} workers, {kills} killed: {} runs, {sent} mails sent and {uncertain} marked as uncertain, {:.0} s",
        runs.len(),
        began.elapsed().as_secs_f64()
    );
}

#[tokio::test]
async fn workers_that_are_killed_make_each_occurrence_once_and_mail_it_once() {
    kill_workers(16, 2, 3).await;
}

#[tokio::test]
#[ignore = "takes minutes; make torture-report runs it"]
async fn two_hundred_schedules_in_one_minute_with_twenty_killed_workers_are_made_and_mailed_once() {
    kill_workers(200, 4, 20).await;
}

/// The message of a mail with its quoted-printable lines joined.
fn joined(message: &str) -> String {
    message.replace("=\n", "")
}

#[tokio::test]
async fn a_report_reaches_its_reader_with_its_files_and_an_address_that_ends_it() {
    let house = House::new(&[]).await;
    house.due_now(1, Way::Attachment, &[FileFormat::Pdf, FileFormat::Csv]).await;
    let _worker = house.worker();
    house.tick().await;
    house.wait_until("the mail", Duration::from_mins(1), async || !house.server.messages().is_empty()).await;
    let message = joined(&house.server.messages()[0]);
    for part in [
        "To: client-0@client.example",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe: <http",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Content-Type: application/pdf",
        "Content-Type: text/csv; charset=utf-8",
        "Content-Disposition: attachment;",
        "filename*0=\"New-report_",
        "/shared/",
    ] {
        assert!(message.contains(part), "{part} is not in {}", &message[..message.len().min(4_000)]);
    }
    assert!(!message.contains("spreadsheetml"), "the workbook was not asked for");
    let token = message.split_once("/shared/").unwrap().1;
    let token: String = token.chars().take_while(char::is_ascii_hexdigit).collect();

    // Whoever has the mail gets the files, and no others.
    let mut reader = house.app.browser();
    let page = reader.get(&format!("/shared/{token}")).await;
    assert!(page.status == 200 && page.text().contains("client-0@client.example"), "{}", page.text());
    assert_eq!(reader.get(&format!("/shared/{token}/files/xlsx")).await.status, 404);
    assert_eq!(reader.get(&format!("/shared/{token}/files/csv")).await.status, 200);

    // A mail program posts without a page of ours before it; nothing else may.
    let post = |path: String| {
        http::Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from("List-Unsubscribe=One-Click"))
            .unwrap()
    };
    assert_eq!(reader.send(post(format!("/shared/{token}/leave"))).await.status, 403);
    assert_eq!(reader.get(&format!("/shared/{token}/unsubscribe")).await.status, 303);
    let schedules = schedule::list(&house.ctx, house.report).await.unwrap();
    assert!(schedules[0].unsubscribed.is_empty(), "looking changes nothing");
    assert_eq!(reader.send(post(format!("/shared/{token}/unsubscribe"))).await.status, 200);
    let schedules = schedule::list(&house.ctx, house.report).await.unwrap();
    assert_eq!(schedules[0].unsubscribed, ["client-0@client.example"]);
    let again = reader.get(&format!("/shared/{token}")).await;
    assert!(again.text().contains("gets no more of these mails"), "{}", again.text());
}

#[tokio::test]
async fn a_mail_whose_answer_never_came_is_marked_and_told_and_not_sent_again() {
    let house = House::new(&[Mood::FallsSilent]).await;
    house.due_now(1, Way::Link, &[FileFormat::Csv]).await;
    let _worker = house.worker();
    house.tick().await;
    house
        .wait_until("the mail", Duration::from_mins(1), async || house.states().await.1.contains_key("uncertain"))
        .await;
    let run = house.runs().await[0];
    let attempts = report::attempts(&house.ctx, run).await.unwrap();
    assert!(attempts.newest[0].outcome.starts_with("Not known whether it arrived"), "{attempts:?}");
    let to_reader = |messages: Vec<String>| {
        messages.into_iter().filter(|message| message.contains("To: client-0@client.example")).count()
    };
    assert_eq!(to_reader(house.server.messages()), 1);
    house.tick().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(to_reader(house.server.messages()), 1, "it is not sent again by itself");
    assert!(!mail::list(&house.app.operator()).await.unwrap().iter().any(|mail| mail.to == "client-0@client.example"));
}

#[tokio::test]
async fn a_mail_whose_files_cannot_be_had_fails_with_its_last_attempt_and_does_not_wait_for_ever() {
    let house = House::new(&[Mood::IsBusy]).await;
    house.due_now(1, Way::Attachment, &[FileFormat::Csv]).await;
    let _worker = house.worker();
    house.tick().await;
    let outcomes = async || {
        let mut all = Vec::new();
        for run in house.runs().await {
            all.extend(report::attempts(&house.ctx, run).await.unwrap().newest.into_iter().map(|one| one.outcome));
        }
        all
    };
    house.wait_until("the first attempt", Duration::from_mins(1), async || !outcomes().await.is_empty()).await;
    // Neither the file nor what it was made from is there any more.
    let run = house.runs().await[0];
    std::fs::remove_file(house.files.path(house.ctx.tenant().id, run, FileFormat::Csv, 1)).unwrap();
    let mut tx = house.app.marked("tenant", Some(house.ctx.tenant().id.uuid()), None).await;
    sqlx::query("update report_run set result = 'nothing that can be read'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = house.app.marked("worker", None, None).await;
    sqlx::query(
        "update job set attempts = max_attempts - 1, run_at = now(), locked_by = null, locked_at = null, lease_expires_at = null
         where kind = 'report.mail'",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    house.wait_until("the end", Duration::from_mins(1), async || house.states().await.1.contains_key("failed")).await;
    let outcomes = outcomes().await;
    assert!(outcomes[0].starts_with("Not sent: "), "{outcomes:?}");
    assert!(outcomes.iter().any(|one| one.contains("without a word")), "the attempts between: {outcomes:?}");
}

#[tokio::test]
async fn who_may_not_schedule_finds_no_form_and_reads_which_permission_it_takes() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let (report, run) = app.report("acme").await;
    let (of, _) = app.schedule("acme", report, run).await;
    let reads = [Permission::ReportsRead, Permission::ReportsManage, Permission::AnalyticsRead];
    let builder = app.somebody_with("builder@acme.example", &tenant, &reads).await;
    let sender =
        app.somebody_with("sender@acme.example", &tenant, &[&reads[..], &[Permission::ReportsSchedule]].concat()).await;
    let pages = [format!("/t/acme/reports/{report}/schedules"), format!("/t/acme/reports/{report}/schedules/{of}")];
    for page in &pages {
        let seen = app.signed_in(builder).await.get(page).await.text();
        assert!(seen.contains("“reports:schedule”") && !seen.contains("name=\"recipients\""), "{page}: {seen}");
        let seen = app.signed_in(sender).await.get(page).await.text();
        assert!(!seen.contains("“reports:schedule”") && seen.contains("name=\"recipients\""), "{page}: {seen}");
    }
    let page = format!("/t/acme/reports/{report}/runs/{run}");
    let seen = app.signed_in(builder).await.get(&page).await.text();
    assert!(seen.contains("“reports:schedule”") && !seen.contains("Send again to"), "{seen}");
    let seen = app.signed_in(sender).await.get(&page).await.text();
    assert!(!seen.contains("“reports:schedule”") && seen.contains("Send again to"), "{seen}");
}
