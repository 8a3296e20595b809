//! Imports step by step, as pages and workers do them: a file comes, is checked, imported, cancelled, taken back, and
//! tidied up. Work is done here by taking the jobs from the queue's table one after the other, so that a test can do
//! something between any two.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use rtv_core::{Error, ImportId, ImportState, Permission, ReadOnly, Role};
use rtv_domain::import::work::{self, Ticket};
use rtv_domain::import::{
    self, Counts, Draft, DuplicateRule, Field, Import, Limits, MappingChoice, Row, Settings, Step, Swept, Uploads,
    upload,
};
use rtv_domain::{Actor, Tenant, TenantContext, kpi_daily, life_cycle, mapping};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::World;

const HEADER: &str =
    "platform,account_id,account_name,post_id,published_at,campaign,reach,impressions,reactions,comments";

/// A tenant with an editor, and a folder for uploads.
struct Desk {
    world: World,
    tenant: Tenant,
    editor: TenantContext,
    uploads: Uploads,
    folder: TempDir,
}

impl Desk {
    async fn new() -> Self {
        Self::with(Limits { file_bytes: 50_000_000, tenant_bytes: 80_000_000 }).await
    }

    async fn with(limits: Limits) -> Self {
        let world = World::with_connections(8).await;
        let tenant = world.tenant("desk", "Europe/Berlin").await;
        let editor = world.member(&tenant, Role::Editor).await;
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::new(folder.path().join("uploads"), limits);
        Self { world, tenant, editor, uploads, folder }
    }

    async fn upload(&self, name: &str, content: &[u8]) -> Result<ImportId, Error> {
        let mut upload = upload::begin(&self.editor, &self.uploads, name, Some(content.len() as u64)).await?;
        for piece in content.chunks(10_000) {
            upload.write(piece).await?;
        }
        upload.finish().await
    }

    async fn checked(&self, text: &str) -> ImportId {
        let id = self.upload("posts.csv", text.as_bytes()).await.unwrap();
        self.check(id, Settings::default()).await.unwrap();
        self.work().await;
        id
    }

    async fn done(&self, text: &str) -> ImportId {
        let id = self.checked(text).await;
        import::start(&self.editor, id).await.unwrap();
        self.work().await;
        assert_eq!(self.one(id).await.state, ImportState::Done);
        id
    }

    async fn check(&self, id: ImportId, settings: Settings) -> Result<(), Error> {
        import::check(&self.editor, &self.uploads, id, settings).await
    }

    async fn one(&self, id: ImportId) -> Import {
        import::one(&self.editor, id).await.unwrap()
    }

    async fn state(&self, id: ImportId) -> ImportState {
        self.one(id).await.state
    }

    /// Jobs that are not finished: kind and ticket, oldest first.
    async fn jobs(&self) -> Vec<(Uuid, String, Ticket)> {
        let mut tx = self.world.marked("worker", None, None).await;
        let jobs: Vec<(Uuid, String, Value)> =
            sqlx::query_as("select id, kind, payload from job where finished_at is null order by id")
                .fetch_all(&mut *tx)
                .await
                .unwrap();
        jobs.into_iter().map(|(id, kind, payload)| (id, kind, serde_json::from_value(payload).unwrap())).collect()
    }

    async fn run_job(&self, kind: &str, ticket: Ticket, is_last: bool) -> Result<(), Error> {
        let ctx = self.world.context(Actor::System("import"));
        match kind {
            "import.check" => work::check(&ctx, &self.uploads, ticket, is_last).await,
            "import.run" => work::run(&ctx, &self.uploads, ticket, is_last).await,
            "import.roll_back" => work::roll_back(&ctx, ticket, is_last).await,
            other => panic!("a job {other}"),
        }
    }

    async fn settle_job(&self, id: Uuid) {
        let mut tx = self.world.marked("worker", None, None).await;
        sqlx::query("update job set finished_at = now(), outcome = 'done' where id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Does the oldest job; false if there is none.
    async fn work_once(&self) -> bool {
        let Some((id, kind, ticket)) = self.jobs().await.into_iter().next() else { return false };
        self.run_job(&kind, ticket, false).await.unwrap();
        self.settle_job(id).await;
        true
    }

    async fn work(&self) {
        while self.work_once().await {}
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for tenant in std::fs::read_dir(self.folder.path().join("uploads")).into_iter().flatten() {
            files.extend(std::fs::read_dir(tenant.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
        }
        files
    }

    async fn actions(&self) -> Vec<String> {
        let audit = self.world.audit(Some(&self.tenant)).await;
        audit.into_iter().map(|(action, _, _)| action).filter(|action| action != "tenant.create").collect()
    }

    async fn execute(&self, statement: &'static str) -> u64 {
        self.world.execute(&self.tenant, statement).await
    }
}

fn file(rows: &[&str]) -> String {
    format!("{HEADER}\n{}\n", rows.join("\n"))
}

fn many(posts: usize) -> String {
    let mut text = format!("{HEADER}\n");
    for post in 0..posts {
        writeln!(
            text,
            "x,a{},A,p{post},2026-03-{:02}T10:00:00Z,Spring,{post},{},5,1",
            post % 7,
            post % 28 + 1,
            post * 2
        )
        .unwrap();
    }
    text
}

fn field_of(error: &Error) -> &str {
    match error {
        Error::Invalid(errors) => &errors[0].field,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_comes_is_checked_is_imported_and_is_taken_back() {
    let desk = Desk::new().await;
    let text = file(&[
        "x,a,A,p1,2026-03-01T10:00:00Z,Spring,7,70,5,1",
        "x,a,A,p2,2026-03-02T10:00:00Z,Spring,8,80,6,2",
        "x,b,B,p3,2026-03,,,,,",
        "x,b,B,p3,2026-03,,,,9,",
        "x,b,B,p4,yesterday,,,,,",
        "nowhere,b,B,p5,2026-03-03T10:00:00Z,,,,,",
    ]);
    let id = desk.upload("C:\\mine\\posts.csv", text.as_bytes()).await.unwrap();
    let uploaded = desk.one(id).await;
    assert_eq!((uploaded.state, uploaded.file_name.as_str()), (ImportState::Uploaded, "posts.csv"));
    assert_eq!((uploaded.bytes, uploaded.counts, uploaded.can_check), (text.len() as u64, None, true));
    assert!(!uploaded.can_start && uploaded.can_cancel && !uploaded.can_roll_back && uploaded.progress.is_none());
    let files = desk.files();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].file_name().unwrap().to_str().unwrap(), id.uuid().simple().to_string(), "a name of ours");
    assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read(&files[0]).unwrap(), text.as_bytes());

    let look = import::look(&desk.editor, &desk.uploads, id, None, None).await.unwrap();
    assert_eq!(look.guess.builtin.unwrap().name, "rtv-posts");
    let preview = import::preview(&desk.editor, &desk.uploads, id, &Settings::default()).await.unwrap();
    assert!(
        matches!((&preview.rows[0], &preview.rows[4]), (Row::Post(post), Row::Refused(_)) if post.external_id == "p1")
    );

    desk.check(id, Settings::default()).await.unwrap();
    let checking = desk.one(id).await;
    assert_eq!((checking.state, checking.progress.unwrap().step), (ImportState::Checking, Step::Waiting));
    desk.work().await;
    let checked = desk.one(id).await;
    let expect = Counts { read: 6, new: 3, changed: 0, unchanged: 0, duplicate: 1, refused: 2 };
    assert_eq!((checked.state, checked.counts), (ImportState::Checked, Some(expect)));
    let found = checked.findings.unwrap();
    assert_eq!((found.accounts, found.new_accounts, found.new_campaigns), (2, 2, 1));
    assert_eq!(
        (found.first_day.unwrap().to_string(), found.last_day.unwrap().to_string()),
        ("2026-03-01".into(), "2026-03-31".into())
    );
    assert_eq!(
        found.reasons.iter().map(|one| (one.column.as_deref(), one.rows, one.first_rows.clone())).collect::<Vec<_>>(),
        [(Some("published_at"), 1, vec![5]), (Some("platform"), 1, vec![6])]
    );
    assert!(!found.reasons[0].reason.contains("yesterday"), "{:?}", found.reasons);
    let [example] = &found.contradiction_examples[..] else { panic!("{found:?}") };
    assert_eq!((example.external_id.as_str(), example.rows[0].counts, example.rows[1].counts), ("p3", true, false));
    assert_eq!(example.rows[1].differs, [("reactions".to_owned(), "9".to_owned())]);
    assert!(desk.world.rows(&desk.tenant, "post").await.is_empty(), "a check writes nothing");
    assert!(desk.world.rows(&desk.tenant, "account").await.is_empty());

    import::start(&desk.editor, id).await.unwrap();
    desk.work().await;
    let done = desk.one(id).await;
    assert_eq!((done.state, done.counts, done.failure), (ImportState::Done, Some(expect), None));
    assert_eq!(done.findings.unwrap().new_accounts, 2, "as many as the check has said");
    assert!(done.can_roll_back && !done.can_cancel && !done.can_check && !done.can_start);
    assert!(done.file_kept_until.is_some());
    assert_eq!(desk.world.rows(&desk.tenant, "post").await.len(), 3);
    for account in desk.world.rows(&desk.tenant, "account").await {
        let id: Uuid = account["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 7, "ids sort by the time at which they were made");
    }
    assert_eq!(kpi_daily::verify(&desk.editor).await.unwrap(), []);

    // The same bytes again change nothing, and the page says that they are known.
    let again = desk.done(&text).await;
    let same = desk.one(again).await;
    assert_eq!(same.counts, Some(Counts { new: 0, unchanged: 3, ..expect }));
    assert_eq!(same.same_file.iter().map(|one| one.id).collect::<Vec<_>>(), [id]);
    assert_eq!(kpi_daily::verify(&desk.editor).await.unwrap(), []);

    import::begin_roll_back(&desk.editor, id).await.unwrap();
    assert_eq!(desk.state(id).await, ImportState::RollingBack);
    desk.work().await;
    let back = desk.one(id).await;
    assert_eq!((back.state, back.rolled_back.unwrap().removed), (ImportState::RolledBack, 3));
    assert!(desk.world.rows(&desk.tenant, "post").await.is_empty());
    assert_eq!(kpi_daily::verify(&desk.editor).await.unwrap(), []);
    let run = ["import.upload", "import.check", "import.start", "import.run"];
    assert_eq!(desk.actions().await, [&run[..], &run[..], &["import.begin_roll_back", "import.roll_back"]].concat());
}

#[tokio::test]
async fn what_is_no_text_is_refused_by_what_it_holds_and_nothing_stays() {
    let desk = Desk::new().await;
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &vec![0; 100_000]].concat();
    let xlsx = [b"PK\x03\x04".as_slice(), &[7; 2_000]].concat();
    let pdf = b"%PDF-1.7\n1 0 obj\n<< >>\n".as_slice();
    for (name, content) in [
        ("posts.csv", png.as_slice()),
        ("posts.csv", &xlsx),
        ("posts.csv", pdf),
        ("empty.csv", b""),
        ("h.csv", b"a,b\n"),
        ("twice.csv", b"a,a\n1,2\n"),
    ] {
        let Err(refused) = desk.upload(name, content).await else { panic!("{name} was taken: {content:.20?}") };
        assert_eq!(field_of(&refused), "file", "{refused:?}");
        assert!(refused.to_string().len() > 40, "it says what to do: {refused}");
    }
    wait_until("the rows to go", async || desk.world.rows(&desk.tenant, "import").await.is_empty()).await;
    assert_eq!(desk.files(), Vec::<PathBuf>::new());
    assert_eq!(upload::usage(&desk.editor, &desk.uploads).await.unwrap().used_bytes, 0);

    // A picture is known by its first 64 KiB; nothing more of it is taken.
    let mut picture = upload::begin(&desk.editor, &desk.uploads, "posts.csv", None).await.unwrap();
    let mut taken = 0;
    let refused = loop {
        match picture.write(&png[taken..taken + 8_192]).await {
            Ok(()) => taken += 8_192,
            Err(refused) => break refused,
        }
    };
    assert!(
        taken <= 65_536 && refused.to_string().contains("picture") || refused.to_string().contains("PNG"),
        "{taken} {refused}"
    );
}

async fn wait_until(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(20), "waited long for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn room_is_taken_before_the_bytes_are_and_given_back() {
    let desk = Desk::with(Limits { file_bytes: 300_000, tenant_bytes: 500_000 }).await;
    let used = async || upload::usage(&desk.editor, &desk.uploads).await.unwrap().used_bytes;
    let first = upload::begin(&desk.editor, &desk.uploads, "1.csv", Some(200_000)).await.unwrap();
    assert_eq!(used().await, 200_000, "though not a byte has come");
    let second = upload::begin(&desk.editor, &desk.uploads, "2.csv", Some(250_000)).await.unwrap();
    let third = upload::begin(&desk.editor, &desk.uploads, "3.csv", Some(100_000)).await;
    assert!(
        matches!(&third, Err(Error::Limit { message, .. }) if message.contains("488.2 KB") && message.contains("439.4 KB")),
        "{third:?}"
    );
    drop(second);
    wait_until("the room of the dropped one", async || used().await == 200_000).await;
    first.discard().await.unwrap();
    assert_eq!((used().await, desk.files().len()), (0, 0));

    // Who announces too little is measured by what comes; who announces too much is refused at once.
    let large = upload::begin(&desk.editor, &desk.uploads, "4.csv", Some(900_000)).await;
    assert_eq!(field_of(&large.unwrap_err()), "file");
    let mut sly = upload::begin(&desk.editor, &desk.uploads, "5.csv", Some(10)).await.unwrap();
    let line = vec![b'a'; 50_000];
    let refused = loop {
        if let Err(refused) = sly.write(&line).await {
            break refused;
        }
        assert!(used().await >= 50_000);
    };
    assert!(refused.to_string().contains("larger than 292.9 KB"), "{refused}");
    drop(sly);
    wait_until("its room", async || used().await == 0).await;

    // The quota is one for all files: kept ones count.
    let rows = many(4_000);
    let kept = desk.upload("kept.csv", rows.as_bytes()).await.unwrap();
    assert_eq!(used().await, rows.len() as u64);
    let next = upload::begin(&desk.editor, &desk.uploads, "6.csv", Some(300_000)).await;
    assert!(matches!(next, Err(Error::Limit { .. })), "{next:?}");
    import::cancel(&desk.editor, &desk.uploads, kept).await.unwrap();
    assert_eq!(used().await, 0);
}

#[tokio::test]
async fn many_uploads_at_once_never_take_more_than_the_quota() {
    let desk = Desk::with(Limits { file_bytes: 300_000, tenant_bytes: 500_000 }).await;
    let tries = (0..12).map(|_| upload::begin(&desk.editor, &desk.uploads, "f.csv", Some(100_000)));
    let taken: Vec<_> = futures::future::join_all(tries).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(taken.len(), 5);
}

#[tokio::test]
async fn cancelling_leaves_nothing_of_the_file_in_any_state() {
    let desk = Desk::new().await;
    let text = file(&["x,a,A,p1,2026-03-01T10:00:00Z,Spring,7,70,5,1", "x,a,A,p2,never,Spring,7,70,5,1"]);
    let mut arriving = upload::begin(&desk.editor, &desk.uploads, "slow.csv", None).await.unwrap();
    arriving.write(b"platform,account_id").await.unwrap();
    let uploaded = desk.upload("posts.csv", text.as_bytes()).await.unwrap();
    let checking = desk.upload("posts.csv", text.as_bytes()).await.unwrap();
    let checked = desk.checked(&text).await;
    let importing = desk.checked(&text).await;
    desk.check(checking, Settings::default()).await.unwrap();
    import::start(&desk.editor, importing).await.unwrap();
    for (id, state) in [
        (arriving.id(), ImportState::Uploading),
        (uploaded, ImportState::Uploaded),
        (checking, ImportState::Checking),
        (checked, ImportState::Checked),
        (importing, ImportState::Importing),
    ] {
        assert_eq!(desk.state(id).await, state);
        import::cancel(&desk.editor, &desk.uploads, id).await.unwrap();
        let cancelled = desk.one(id).await;
        assert_eq!(
            (cancelled.state, cancelled.findings, cancelled.settings),
            (ImportState::Cancelled, None, None),
            "{state}"
        );
        assert!(cancelled.file_kept_until.is_none() && cancelled.finished_at.is_some());
        let again = import::cancel(&desk.editor, &desk.uploads, id).await;
        assert!(matches!(&again, Err(Error::Conflict(text)) if text.contains("cancelled")), "{again:?}");
    }
    assert_eq!(desk.files(), Vec::<PathBuf>::new());
    assert!(desk.world.rows(&desk.tenant, "import_refusal").await.is_empty());
    // The jobs that were waiting find nothing to do, and the sender hears of it within a second.
    desk.work().await;
    assert!(desk.world.rows(&desk.tenant, "post").await.is_empty());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let told = arriving.write(b",more").await.unwrap_err();
    assert!(matches!(&told, Error::Conflict(text) if text.contains("cancelled")), "{told:?}");

    let done = desk.done(&file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1"])).await;
    let late = import::cancel(&desk.editor, &desk.uploads, done).await;
    assert!(matches!(&late, Err(Error::Conflict(text)) if text.contains("it is done")), "{late:?}");
}

/// Cancelled while the worker is busy with it, in the middle of whatever it does.
#[tokio::test]
async fn work_stops_within_a_second_and_stores_nothing() {
    let desk = Desk::new().await;
    let text = many(60_000);
    for step in [Step::Reading, Step::Writing] {
        let id = desk.checked(&text).await;
        import::start(&desk.editor, id).await.unwrap();
        let (job, kind, ticket) = desk.jobs().await.remove(0);
        let mut work = Box::pin(desk.run_job(&kind, ticket, false));
        let seen = async {
            loop {
                let progress = desk.one(id).await.progress;
                if progress.is_some_and(|progress| progress.step == step) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            () = seen => {}
            ended = &mut work => panic!("it ended before {step} was seen: {ended:?}"),
        }
        import::cancel(&desk.editor, &desk.uploads, id).await.unwrap();
        let cancelled = Instant::now();
        work.await.unwrap();
        assert!(cancelled.elapsed() < Duration::from_millis(1_300), "{step}: {:?}", cancelled.elapsed());
        desk.settle_job(job).await;
        assert_eq!(desk.state(id).await, ImportState::Cancelled);
        for table in ["post", "account", "campaign", "kpi_daily", "import_change"] {
            assert!(desk.world.rows(&desk.tenant, table).await.is_empty(), "{step}: {table}");
        }
    }
    assert_eq!(desk.files(), Vec::<PathBuf>::new());
    desk.done(&text).await;
}

/// Suspended while the worker is busy with it: the work is undone, the import waits as it did, and goes on afterwards.
#[tokio::test]
async fn work_in_a_tenant_that_is_suspended_stops_within_a_second_and_goes_on_when_it_is_resumed() {
    let desk = Desk::new().await;
    let text = many(60_000);
    let id = desk.checked(&text).await;
    import::start(&desk.editor, id).await.unwrap();
    let (_, kind, ticket) = desk.jobs().await.remove(0);
    let operator = desk.world.operator();
    for step in [Step::Reading, Step::Writing] {
        let mut work = Box::pin(desk.run_job(&kind, ticket, true));
        let seen = async {
            while desk.one(id).await.progress.is_none_or(|progress| progress.step != step) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            () = seen => {}
            ended = &mut work => panic!("it ended before {step} was seen: {ended:?}"),
        }
        life_cycle::take(&operator, &desk.tenant.slug, life_cycle::Step::Suspend, Some("why"), None).await.unwrap();
        let suspended = Instant::now();
        let reason = ReadOnly::Suspended { reason: "why".into() };
        assert_eq!(work.await, Err(Error::ReadOnly(reason.clone())));
        assert!(suspended.elapsed() < Duration::from_millis(1_300), "{step}: {:?}", suspended.elapsed());
        // The job that comes back meanwhile does nothing, also where it is the last attempt.
        assert_eq!(desk.run_job(&kind, ticket, true).await, Err(Error::ReadOnly(reason)));
        let waits = desk.one(id).await;
        assert_eq!((waits.state, waits.progress.unwrap().step), (ImportState::Importing, Step::Waiting));
        for table in ["post", "account", "campaign", "kpi_daily", "import_change"] {
            assert!(desk.world.rows(&desk.tenant, table).await.is_empty(), "{step}: {table}");
        }
        life_cycle::take(&operator, &desk.tenant.slug, life_cycle::Step::Resume, None, None).await.unwrap();
    }
    desk.work().await;
    assert_eq!(desk.state(id).await, ImportState::Done);
    // Nor does anything of it that is left behind vanish while the tenant cannot look after it.
    life_cycle::take(&operator, &desk.tenant.slug, life_cycle::Step::Cancel, Some("why"), None).await.unwrap();
    let late = desk.world.context_at(Utc::now() + TimeDelta::days(400), Actor::System("sweep"));
    assert_eq!(import::sweep(&late, &desk.uploads).await.unwrap(), Swept::default());
}

#[tokio::test]
async fn imports_of_one_tenant_take_turns_and_hold_one_worker() {
    let desk = Desk::new().await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let row = format!("x,a,A,p{number},2026-03-01T10:00:00Z,,7,70,5,1");
        ids.push(desk.checked(&file(&[&row])).await);
    }
    for id in &ids {
        import::start(&desk.editor, *id).await.unwrap();
    }
    let waiting = async || desk.jobs().await.into_iter().map(|(_, _, ticket)| ticket.import).collect::<Vec<_>>();
    assert_eq!(waiting().await, [ids[0]], "the others have no job yet");
    let last = desk.one(ids[2]).await;
    assert_eq!((last.takes_turn_after, last.progress.unwrap().step), (Some(ids[0]), Step::Waiting));
    // Whoever leaves the line gives the turn to the next: by being cancelled, or by being done.
    import::cancel(&desk.editor, &desk.uploads, ids[0]).await.unwrap();
    assert_eq!(waiting().await, [ids[0], ids[1]], "the job of the cancelled one does nothing");
    desk.work_once().await;
    desk.work_once().await;
    assert_eq!(desk.state(ids[1]).await, ImportState::Done);
    assert_eq!(waiting().await, [ids[2]]);
    // The clock stands still here, and the line goes by the time at which each joined it.
    desk.execute("update import set queued_at = queued_at - interval '1 second' where state = 'importing'").await;
    import::begin_roll_back(&desk.editor, ids[1]).await.unwrap();
    assert_eq!(waiting().await, [ids[2]], "a roll-back waits in the same line");
    desk.work().await;
    assert_eq!((desk.state(ids[1]).await, desk.state(ids[2]).await), (ImportState::RolledBack, ImportState::Done));
}

#[tokio::test]
async fn a_job_that_comes_twice_or_too_late_does_nothing() {
    let desk = Desk::new().await;
    let id = desk.checked(&file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1"])).await;
    desk.check(id, Settings { duplicates: DuplicateRule::Last, ..Settings::default() }).await.unwrap();
    let (_, kind, second) = desk.jobs().await.remove(0);
    let first = Ticket { round: second.round - 1, ..second };
    desk.run_job(&kind, first, false).await.unwrap();
    assert_eq!(desk.state(id).await, ImportState::Checking, "the first round's job is not the second's");
    desk.run_job(&kind, second, false).await.unwrap();
    assert_eq!(desk.state(id).await, ImportState::Checked);
    desk.run_job(&kind, second, false).await.unwrap();
    desk.work().await;

    import::start(&desk.editor, id).await.unwrap();
    let (job, kind, ticket) = desk.jobs().await.remove(0);
    // A worker that lost its lease and the one that took over, both at once.
    let (one, other) = tokio::join!(desk.run_job(&kind, ticket, false), desk.run_job(&kind, ticket, false));
    one.and(other).unwrap();
    desk.settle_job(job).await;
    assert_eq!(desk.one(id).await.counts.unwrap().new, 1);
    assert_eq!(desk.actions().await.iter().filter(|action| *action == "import.run").count(), 1);
    let gone = Ticket { tenant: Uuid::now_v7().into(), ..ticket };
    desk.run_job("import.run", gone, false).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let desk = Desk::new().await;
    let contradicting = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1", "x,a,A,p1,2026-03-01T10:00:00Z,,8,70,5,1"]);
    let id = desk.upload("posts.csv", contradicting.as_bytes()).await.unwrap();
    let early = import::start(&desk.editor, id).await.unwrap_err();
    assert!(matches!(&early, Error::Conflict(text) if text.contains("what its columns mean")), "{early:?}");
    desk.check(id, Settings { duplicates: DuplicateRule::Refuse, ..Settings::default() }).await.unwrap();
    desk.work().await;
    let checked = desk.one(id).await;
    let blocked = checked.findings.unwrap().blocked.unwrap();
    assert!(!checked.can_start && checked.can_check && blocked.contains("p1 in rows 1, 2"), "{blocked}");
    assert_eq!(import::start(&desk.editor, id).await, Err(Error::Conflict(blocked)));
    // The other rule lets it in.
    desk.check(id, Settings { duplicates: DuplicateRule::Last, ..Settings::default() }).await.unwrap();
    desk.work().await;
    import::start(&desk.editor, id).await.unwrap();
    desk.work().await;
    assert_eq!(desk.world.rows(&desk.tenant, "post").await[0]["reach"], 8);

    let nothing = desk.checked(&file(&["x,a,A,p1,never,,7,70,5,1"])).await;
    let blocked = desk.one(nothing).await.findings.unwrap().blocked.unwrap();
    assert!(blocked.contains("Not one row"), "{blocked}");
}

#[tokio::test]
async fn settings_are_judged_against_the_file_before_anything_begins() {
    let desk = Desk::new().await;
    let text = "Day,Link,Seen\n31.12.2025 10:00,a,\"1.234\"\n01.02.2026 09:30,b,\"7\"\n";
    let id = desk.upload("own.csv", text.as_bytes()).await.unwrap();
    let refused = desk.check(id, Settings::default()).await.unwrap_err();
    assert_eq!(field_of(&refused), "mapping");
    let look = import::look(&desk.editor, &desk.uploads, id, None, None).await.unwrap();
    let mut draft: Draft = look.guess.draft;
    for column in &mut draft.columns {
        column.field = match column.column.as_str() {
            "Day" => Some(Field::PublishedAt),
            "Link" => Some(Field::PostId),
            _ => Some("reach".parse().unwrap()),
        };
    }
    draft.date_order = None;
    draft.numbers = None;
    draft.zone = None;
    let with = |draft: &Draft| Settings { mapping: MappingChoice::Draft(draft.clone()), ..Settings::default() };
    let Err(Error::Invalid(errors)) = desk.check(id, with(&draft)).await else {
        panic!("an incomplete form is refused")
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    for field in ["platform", "account", "date_order", "zone", "numbers"] {
        assert!(fields.contains(&field), "{field} is not named: {errors:?}");
    }
    assert_eq!(desk.state(id).await, ImportState::Uploaded, "nothing has begun");
    draft.platform = Some("instagram".into());
    draft.account_id = Some("our-page".into());
    draft.date_order = Some(import::DateOrder::DayFirst);
    draft.numbers = Some(import::NumberStyle::DecimalComma);
    draft.zone = Some(chrono_tz::Europe::Berlin);
    mapping::save(&desk.editor, "Monthly export", &draft, false).await.unwrap();
    desk.check(id, Settings { mapping: MappingChoice::Saved("Monthly export".into()), ..Settings::default() })
        .await
        .unwrap();
    desk.work().await;
    let checked = desk.one(id).await;
    assert_eq!(checked.counts.unwrap().new, 2, "{checked:?}");
    assert_eq!(checked.mapping_title.as_deref(), Some("Monthly export"));
    assert_eq!(mapping::find(&desk.editor, "Monthly export").await.unwrap().used, 1);
    // What was checked is imported, also if the saved mapping is changed or gone by then.
    mapping::delete(&desk.editor, "Monthly export").await.unwrap();
    import::start(&desk.editor, id).await.unwrap();
    desk.work().await;
    let posts = desk.world.rows(&desk.tenant, "post").await;
    let mut seen: Vec<(i64, &str)> =
        posts.iter().map(|post| (post["reach"].as_i64().unwrap(), post["published_from"].as_str().unwrap())).collect();
    seen.sort_unstable();
    assert_eq!(seen, [(7, "2026-02-01"), (1_234, "2025-12-31")], "day first, and a point between thousands");
}

#[tokio::test]
async fn refused_rows_come_whole_and_mended_they_are_taken() {
    let desk = Desk::new().await;
    let id = desk
        .done(&file(&[
            "x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1",
            "x,a,A,p2,never,\"Spring, early\",7,70,5,1",
            "myspace,a,A,p3,2026-03-01T10:00:00Z,,7,70,5,1",
            "x,a,A,p4,2026-03-01T10:00:00Z,,9999999999999,70,5,1",
        ]))
        .await;
    let mut refused = import::refused_file(&desk.editor, id).await.unwrap();
    assert_eq!(refused.file_name(), "posts-refused.csv");
    let mut text = Vec::new();
    while let Some(piece) = refused.next().await.unwrap() {
        text.extend(piece);
    }
    let text = String::from_utf8(text).unwrap();
    for row in
        ["p2,never,\"Spring, early\",7,70,5,1", "myspace,a,A,p3", "x,a,A,p4,2026-03-01T10:00:00Z,,9999999999999,70,5,1"]
    {
        assert!(text.contains(row), "{row}: {text}");
    }
    let mended = text.replace("never", "2026-03-01T10:00:00Z").replace("myspace", "x").replace("9999999999999", "9");
    let second = desk.done(&mended).await;
    assert_eq!(desk.one(second).await.counts, Some(Counts { read: 3, new: 3, ..Counts::default() }));
}

#[tokio::test]
async fn refused_rows_are_read_and_written_in_pieces_without_losing_one() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..1_203).map(|row| format!("x,a,A,p{row},\"never\n{row}\",,7,70,5,1")).collect();
    let rows: Vec<&str> =
        rows.iter().map(String::as_str).chain(["x,a,A,good,2026-03-01T10:00:00Z,,7,70,5,1"]).collect();
    let id = desk.checked(&file(&rows)).await;
    let mut refused = import::refused_file(&desk.editor, id).await.unwrap();
    let (mut text, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = refused.next().await.unwrap() {
        text.extend(piece);
        pieces += 1;
    }
    assert_eq!(pieces, 3);
    let records: Vec<csv::StringRecord> =
        csv::ReaderBuilder::new().flexible(true).from_reader(&*text).records().map(Result::unwrap).collect();
    let numbers: Vec<u64> = records.iter().map(|record| record[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=1_203).collect::<Vec<_>>());
    assert_eq!(desk.one(id).await.findings.unwrap().reasons[0].rows, 1_203, "one reason for all of them");
    let some = import::refusals(&desk.editor, id, 700, 5).await.unwrap();
    assert_eq!(some.iter().map(|one| one.row_number).collect::<Vec<_>>(), [701, 702, 703, 704, 705]);
}

#[tokio::test]
async fn what_fails_says_so_and_can_be_tried_again() {
    let desk = Desk::new().await;
    let text = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1"]);
    let id = desk.checked(&text).await;
    import::start(&desk.editor, id).await.unwrap();
    // Somebody has changed the stored file.
    std::fs::write(&desk.files()[0], text.replace(",7,", ",8,")).unwrap();
    desk.work().await;
    let failed = desk.one(id).await;
    assert_eq!(failed.state, ImportState::Failed);
    assert!(failed.failure.as_deref().unwrap().contains("not what was uploaded"), "{failed:?}");
    assert!(failed.can_check, "its file is still there");
    assert!(desk.world.rows(&desk.tenant, "post").await.is_empty());

    // A file that cannot be read to its end fails its check with the reason.
    let torn = format!("{}x,a,A,\"p,2026-03-01T10:00:00Z,,7,70,5,1\n", many(400));
    let broken = desk.upload("broken.csv", torn.as_bytes()).await.unwrap();
    desk.check(broken, Settings::default()).await.unwrap();
    desk.work().await;
    let failed = desk.one(broken).await;
    assert_eq!(failed.state, ImportState::Failed);
    assert!(failed.failure.as_deref().unwrap().contains("never closed"), "{failed:?}");

    // A file that this machine does not have is tried again, on others; the last attempt says what is wrong.
    let lost = desk.upload("lost.csv", text.as_bytes()).await.unwrap();
    desk.check(lost, Settings::default()).await.unwrap();
    for file in desk.files() {
        std::fs::remove_file(file).unwrap();
    }
    let (job, kind, ticket) = desk.jobs().await.remove(0);
    assert!(matches!(desk.run_job(&kind, ticket, false).await, Err(Error::Unavailable(_))));
    assert_eq!(desk.state(lost).await, ImportState::Checking);
    desk.run_job(&kind, ticket, true).await.unwrap();
    desk.settle_job(job).await;
    assert!(desk.one(lost).await.failure.unwrap().contains("Upload it again"));
    assert_eq!(desk.actions().await.iter().filter(|action| *action == "import.fail").count(), 3);
}

#[tokio::test]
async fn a_roll_back_is_refused_while_a_later_import_has_changed_the_posts() {
    let desk = Desk::new().await;
    let first =
        desk.done(&file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1", "x,a,A,p2,2026-03-01T10:00:00Z,,7,70,5,1"])).await;
    let second = desk.done(&file(&["x,a,A,p1,2026-03-01T10:00:00Z,,8,80,5,1"])).await;
    let refused = import::begin_roll_back(&desk.editor, first).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(text) if text.contains(&second.to_string())), "{refused:?}");
    assert_eq!(desk.state(first).await, ImportState::Done);
    import::begin_roll_back(&desk.editor, second).await.unwrap();
    desk.work().await;
    assert_eq!(desk.world.rows(&desk.tenant, "post").await.len(), 2);
    // It was refused while it was in the line: the import stays as it is, and says why.
    import::begin_roll_back(&desk.editor, first).await.unwrap();
    let third = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,9,90,5,1"]);
    desk.world.import_text(&desk.editor, &third, import::Options::default()).await.unwrap();
    desk.work().await;
    let kept = desk.one(first).await;
    assert_eq!(kept.state, ImportState::Done);
    assert!(kept.failure.unwrap().contains("changed later"));
    assert_eq!(kpi_daily::verify(&desk.editor).await.unwrap(), []);
}

#[tokio::test]
async fn the_sweep_ends_what_nobody_ends_and_removes_what_nobody_needs() {
    let desk = Desk::new().await;
    let text = file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1"]);
    let sweep = async || import::sweep(&desk.world.worker(), &desk.uploads).await.unwrap();
    // An upload whose server died, and one that is just slow.
    let dead = upload::begin(&desk.editor, &desk.uploads, "dead.csv", Some(1_000)).await.unwrap();
    let alive = upload::begin(&desk.editor, &desk.uploads, "alive.csv", Some(1_000)).await.unwrap();
    let dead_id = dead.id();
    std::mem::forget(dead);
    let mut tx = desk.world.as_tenant(&desk.tenant).await;
    sqlx::query("update import set alive_at = alive_at - interval '11 minutes' where id = $1")
        .bind(dead_id.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Work that lost its job for good, one that waits behind it, and one that is being done.
    let stuck = desk.checked(&text).await;
    let behind = desk.checked(&text).await;
    import::start(&desk.editor, stuck).await.unwrap();
    import::start(&desk.editor, behind).await.unwrap();
    let (job, _, _) = desk.jobs().await.remove(0);
    desk.execute("update import set alive_at = alive_at - interval '6 minutes' where state = 'importing'").await;
    assert_eq!(sweep().await, Swept { uploads: 1, ..Swept::default() }, "a job that is not finished may still do it");
    desk.settle_job(job).await;
    assert_eq!(sweep().await, Swept { works: 1, ..Swept::default() });
    let failed = desk.one(stuck).await;
    assert!(failed.state == ImportState::Failed && failed.failure.unwrap().contains("never came to its end"));
    desk.work().await;
    assert_eq!(desk.state(behind).await, ImportState::Done, "the one behind it had its turn");
    assert_eq!(import::one(&desk.editor, dead_id).await.unwrap_err(), Error::NotFound);
    assert_eq!(desk.files().len(), 3);
    drop(alive);

    // A file without a row goes when it is an hour old; what is not ours stays.
    let folder = desk.files()[0].parent().unwrap().to_owned();
    let orphan = folder.join(Uuid::now_v7().simple().to_string());
    let others = folder.join("notes.txt");
    for path in [&orphan, &others] {
        let file = std::fs::File::create(path).unwrap();
        file.set_modified((Utc::now() - TimeDelta::hours(2)).into()).unwrap();
    }
    assert_eq!(sweep().await, Swept { orphans: 1, ..Swept::default() });
    assert!(!orphan.exists() && others.exists());
    std::fs::remove_file(others).unwrap();

    // A week later the files go, and what waited for a person is over.
    let waiting = desk.checked(&text).await;
    let later = desk.world.context_at(desk.world.clock.now() + TimeDelta::days(8), Actor::System("sweep"));
    assert_eq!(import::sweep(&later, &desk.uploads).await.unwrap(), Swept { expired: 3, ..Swept::default() });
    assert_eq!(desk.files(), Vec::<PathBuf>::new());
    assert_eq!((desk.state(waiting).await, desk.state(behind).await), (ImportState::Cancelled, ImportState::Done));
    assert!(!desk.one(stuck).await.can_check, "without its file it cannot be checked again");
    let gone = desk.check(stuck, Settings::default()).await.unwrap_err();
    assert!(matches!(&gone, Error::Conflict(text) if text.contains("not kept any more")), "{gone:?}");
    assert_eq!(sweep().await, Swept::default());
}

#[tokio::test]
async fn the_history_is_read_page_by_page() {
    let desk = Desk::new().await;
    let mut made = Vec::new();
    for number in 0..27 {
        made.push(desk.upload(&format!("{number}.csv"), b"a,b\n1,2\n").await.unwrap());
    }
    made.reverse();
    let first = import::list(&desk.editor, None).await.unwrap();
    assert_eq!(first.imports.len(), 25);
    let next = first.next.unwrap();
    assert_eq!(next.to_string().parse(), Ok(next));
    let second = import::list(&desk.editor, Some(next)).await.unwrap();
    assert_eq!(second.next, None);
    let listed: Vec<ImportId> = first.imports.iter().chain(&second.imports).map(|one| one.id).collect();
    assert_eq!(listed, made);
    assert_eq!((first.imports[0].file_name.as_str(), first.imports[0].state), ("26.csv", ImportState::Uploaded));
    assert!("nonsense".parse::<import::Cursor>().is_err());
}

#[tokio::test]
async fn every_step_asks_for_the_permission_and_for_ones_own_tenant() {
    let desk = Desk::new().await;
    let id = desk.checked(&file(&["x,a,A,p1,2026-03-01T10:00:00Z,,7,70,5,1"])).await;
    let viewer = desk.world.member(&desk.tenant, Role::Viewer).await;
    let other = desk.world.tenant("other", "UTC").await;
    let stranger = desk.world.member(&other, Role::Owner).await;
    for (ctx, refused) in [(&viewer, Error::Forbidden(Permission::ImportsManage)), (&stranger, Error::NotFound)] {
        let uploads = &desk.uploads;
        let settings = Settings::default();
        for (step, answer) in [
            ("one", import::one(ctx, id).await.map(drop)),
            ("look", import::look(ctx, uploads, id, None, None).await.map(drop)),
            ("preview", import::preview(ctx, uploads, id, &settings).await.map(drop)),
            ("check", import::check(ctx, uploads, id, settings.clone()).await),
            ("start", import::start(ctx, id).await),
            ("cancel", import::cancel(ctx, uploads, id).await),
            ("begin_roll_back", import::begin_roll_back(ctx, id).await),
            ("refused_file", import::refused_file(ctx, id).await.map(drop)),
        ] {
            assert_eq!(answer, Err(refused.clone()), "{step}");
        }
    }
    assert_eq!(
        upload::begin(&viewer, &desk.uploads, "f.csv", None).await.unwrap_err(),
        Error::Forbidden(Permission::ImportsManage)
    );
    assert_eq!(import::list(&viewer, None).await.unwrap_err(), Error::Forbidden(Permission::ImportsManage));
    assert!(import::list(&stranger, None).await.unwrap().imports.is_empty());
    assert_eq!(desk.state(id).await, ImportState::Checked);
    // Only RTV itself works, and a person cannot pass for it.
    let (tenant, round) = (desk.tenant.id, 1);
    let person = desk.editor.context();
    assert_eq!(
        work::check(person, &desk.uploads, Ticket { tenant, import: id, round }, false).await,
        Ok(()),
        "as if it were not there"
    );
}
