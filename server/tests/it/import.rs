//! Imports as the program does them: a real worker that is killed in the middle of one, and the commands. Whatever
//! happens, all rows of a file are there or none, and the import's state says which.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rtv_core::{ImportId, ImportState, Slug};
use rtv_domain::import::{self, Limits, Settings, Uploads, upload};
use rtv_domain::{Tenant, TenantContext, access, kpi_daily, mapping};
use tokio::process::Child;

use crate::command::Program;
use crate::test_app::TestApp;

/// Enough that an import takes a while also on a fast machine.
const POSTS: usize = 12_000;

fn many(posts: usize) -> String {
    let mut text = String::from("platform,account_id,post_id,published_at,text,campaign,reach,impressions,reactions\n");
    for post in 0..posts {
        text.push_str(&format!(
            "x,a{},p{post},2026-03-{:02}T10:00:00Z,\"Post number {post}, with some text in it\",Spring,{post},{},5\n",
            post % 7,
            post % 28 + 1,
            post * 2
        ));
    }
    text
}

/// A program with a tenant and its folder of uploads.
struct Site {
    app: TestApp,
    rtv: Program,
    tenant: Tenant,
    ctx: TenantContext,
    uploads: Uploads,
}

impl Site {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let tenant = app.tenant("site").await;
        let rtv = Program::of(&app);
        let uploads = Uploads::new(rtv.home.path().join("uploads"), Limits::default());
        let slug: Slug = tenant.slug.clone();
        let ctx = access::enter_as_operator(&app.operator(), &slug, "test").await.unwrap();
        Self { app, rtv, tenant, ctx, uploads }
    }

    async fn upload(&self, text: &str) -> ImportId {
        let mut upload = upload::begin(&self.ctx, &self.uploads, "posts.csv", None).await.unwrap();
        for piece in text.as_bytes().chunks(64 * 1_024) {
            upload.write(piece).await.unwrap();
        }
        let id = upload.finish().await.unwrap();
        import::check(&self.ctx, &self.uploads, id, Settings::default()).await.unwrap();
        id
    }

    /// Uploaded and checked, by a worker that is gone again.
    async fn checked(&self, text: &str) -> ImportId {
        let id = self.upload(text).await;
        let mut worker = self.worker();
        self.wait_for(id, ImportState::Checked).await;
        worker.kill().await.unwrap();
        self.lapse().await;
        id
    }

    /// Waits until a worker has taken the import's job.
    async fn taken(&self) {
        let started = Instant::now();
        loop {
            let mut tx = self.app.marked("worker", None, None).await;
            let is_taken: bool = sqlx::query_scalar(
                "select exists (select 1 from job where kind = 'import.run' and finished_at is null and lease_expires_at > now())",
            )
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            if is_taken {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "no worker takes the import");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn worker(&self) -> Child {
        self.rtv.command(&["work"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    async fn state(&self, id: ImportId) -> ImportState {
        import::one(&self.ctx, id).await.unwrap().state
    }

    async fn wait_for(&self, id: ImportId, state: ImportState) {
        let started = Instant::now();
        loop {
            let now = import::one(&self.ctx, id).await.unwrap();
            if now.state == state {
                return;
            }
            assert!(!now.state.is_final(), "{state} was waited for: {now:?}");
            assert!(started.elapsed() < Duration::from_mins(2), "{state} was waited for: {now:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Posts, accounts, roll-ups and kept changes of the tenant.
    async fn rows(&self) -> [i64; 4] {
        let mut tx = self.app.marked("tenant", Some(self.tenant.id.uuid()), None).await;
        let (posts, accounts, roll_ups, changes) = sqlx::query_as(
            "select (select count(*) from post), (select count(*) from account), (select count(*) from kpi_daily), (select count(*) from import_change)",
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        [posts, accounts, roll_ups, changes]
    }

    /// Both at one moment: the database may still finish what a killed worker has asked for.
    async fn state_and_rows(&self, id: ImportId) -> (ImportState, [i64; 4]) {
        let mut tx = self.app.marked("tenant", Some(self.tenant.id.uuid()), None).await;
        let (state, posts, accounts, roll_ups, changes): (String, i64, i64, i64, i64) = sqlx::query_as(
            "select state, (select count(*) from post), (select count(*) from account), (select count(*) from kpi_daily), (select count(*) from import_change) from import where id = $1",
        )
        .bind(id.uuid())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        (state.parse().unwrap(), [posts, accounts, roll_ups, changes])
    }

    /// What half a minute would bring: the dead worker's lease lapses.
    async fn lapse(&self) {
        let mut tx = self.app.marked("worker", None, None).await;
        sqlx::query("update job set lease_expires_at = now() where lease_expires_at is not null")
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

/// Numbers that look random and come again from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Kills workers at random moments of an import, each time another one, and looks at what is there.
async fn kill_workers(kills: usize, seed: u64) {
    eprintln!("seed {seed}");
    let mut random = Random(seed | 1);
    let site = Site::new().await;
    let text = many(POSTS);
    let whole = [i64::try_from(POSTS).unwrap(), 7, 28, 0];

    // How long an import takes that nobody disturbs, from the moment at which a worker has taken it.
    let id = site.checked(&text).await;
    import::start(&site.ctx, id).await.unwrap();
    let mut worker = site.worker();
    site.taken().await;
    let began = Instant::now();
    site.wait_for(id, ImportState::Done).await;
    let undisturbed = began.elapsed();
    worker.kill().await.unwrap();
    site.lapse().await;
    assert_eq!(site.rows().await, whole);
    import::roll_back(&site.ctx, id).await.unwrap();
    assert_eq!(site.rows().await, [0; 4]);

    let (mut in_the_middle, mut too_late) = (0, 0);
    while in_the_middle < kills {
        let id = site.checked(&text).await;
        import::start(&site.ctx, id).await.unwrap();
        // The same import is disturbed a few times; then it may end.
        for _ in 0..3 {
            let moment = random.below(u64::try_from(undisturbed.as_millis()).unwrap());
            let mut worker = site.worker();
            site.taken().await;
            tokio::time::sleep(Duration::from_millis(moment)).await;
            worker.kill().await.unwrap();
            let (state, rows) = site.state_and_rows(id).await;
            site.lapse().await;
            match state {
                ImportState::Importing => {
                    assert_eq!(rows, [0; 4], "seed {seed}, killed after {moment} ms: it says that it goes on");
                    in_the_middle += 1;
                }
                ImportState::Done => {
                    assert_eq!(rows, whole, "seed {seed}, killed after {moment} ms: it says that it is done");
                    too_late += 1;
                    break;
                }
                other => panic!("seed {seed}, killed after {moment} ms: {other}"),
            }
        }
        let mut worker = site.worker();
        site.wait_for(id, ImportState::Done).await;
        worker.kill().await.unwrap();
        site.lapse().await;
        assert_eq!(site.rows().await, whole, "seed {seed}");
        assert_eq!(kpi_daily::verify(&site.ctx).await.unwrap(), []);
        assert_eq!(import::one(&site.ctx, id).await.unwrap().counts.unwrap().new, whole[0]);
        import::roll_back(&site.ctx, id).await.unwrap();
        assert_eq!(site.rows().await, [0; 4], "seed {seed}");
    }
    eprintln!(
        "{in_the_middle} workers were killed before the end and {too_late} just after it; undisturbed it takes {undisturbed:?}"
    );
}

#[tokio::test]
async fn a_worker_that_is_killed_leaves_all_rows_or_none_and_the_state_says_which() {
    kill_workers(6, uuid::Uuid::now_v7().as_u64_pair().1).await;
}

#[tokio::test]
#[ignore = "takes minutes; make torture-import runs it"]
async fn fifty_workers_that_are_killed_leave_all_rows_or_none_and_the_state_says_which() {
    kill_workers(50, uuid::Uuid::now_v7().as_u64_pair().1).await;
}

#[tokio::test]
async fn a_worker_that_is_killed_while_it_checks_begins_again() {
    let site = Site::new().await;
    let id = site.upload(&many(4 * POSTS)).await;
    let mut worker = site.worker();
    let started = Instant::now();
    while import::one(&site.ctx, id).await.unwrap().progress.unwrap().step == import::Step::Waiting {
        assert!(started.elapsed() < Duration::from_secs(30), "the check never began");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    worker.kill().await.unwrap();
    assert_eq!(site.state(id).await, ImportState::Checking);
    site.lapse().await;
    let _worker = site.worker();
    site.wait_for(id, ImportState::Checked).await;
    assert_eq!(site.rows().await, [0; 4]);
}

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_gives_the_import_back() {
    let site = Site::new().await;
    let id = site.upload(&many(200)).await;
    let mut worker = site.worker();
    site.wait_for(id, ImportState::Checked).await;
    let kill = format!("kill -TERM {}", worker.id().unwrap());
    assert!(tokio::process::Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
    assert!(worker.wait().await.unwrap().success());
    import::start(&site.ctx, id).await.unwrap();
    assert_eq!(site.state(id).await, ImportState::Importing, "it waits for a worker, however long there is none");
    let _worker = site.worker();
    site.wait_for(id, ImportState::Done).await;
}

#[tokio::test]
async fn a_file_is_validated_without_being_stored() {
    let site = Site::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.csv");
    let refused = folder.path().join("refused.csv");
    let mut text = many(40);
    for row in 0..30 {
        text.push_str(&format!("x,a,q{row},never,\"two, words\",,1,1,1\n"));
    }
    std::fs::write(&path, text).unwrap();
    let arguments =
        ["migrate", "validate", path.to_str().unwrap(), "--tenant", "site", "--refused", refused.to_str().unwrap()];
    let told = site.rtv.run(&arguments).await;
    told.check(0, "70 rows read: 40 new, 0 changed, 0 unchanged, 0 duplicates, 30 refused", "");
    told.check(0, "all refused rows are in", "");
    let json = site.rtv.run(&[&arguments[..], &["--json"]].concat()).await.json();
    assert_eq!((json["state"].as_str(), json["counts"]["refused"].as_i64()), (Some("dry_run"), Some(30)));
    let refused = std::fs::read_to_string(refused).unwrap();
    assert_eq!(refused.matches("\"two, words\"").count(), 30, "all of them, and whole: {refused}");
    assert_eq!(site.rows().await, [0; 4]);
    assert!(import::list(&site.ctx, None).await.unwrap().imports.is_empty());
}

#[tokio::test]
async fn a_mapping_is_taken_by_its_name_or_from_a_file() {
    let site = Site::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("posts.csv");
    let form = folder.path().join("form.json");
    std::fs::write(&path, "When,Link,Seen\n31/12/2025 10:00,a,\"1,234\"\n01/02/2026 09:30,b,7\n").unwrap();
    let draft = serde_json::json!({
        "columns": [
            { "column": "When", "field": "published_at" }, { "column": "Link", "field": "post_id" }, { "column": "Seen", "field": "reach" },
        ],
        "platform": "instagram", "account_id": "our-page", "date_order": "day_first", "zone": "Europe/Berlin",
        "numbers": "decimal_point",
    });
    std::fs::write(&form, draft.to_string()).unwrap();
    let import = |mapping: String| {
        let arguments = ["migrate", "import", path.to_str().unwrap(), "--tenant", "site", "--json", "--mapping"];
        arguments.into_iter().map(str::to_owned).chain([mapping]).collect::<Vec<_>>()
    };
    let run = async |mapping: &str| {
        let arguments = import(mapping.to_owned());
        site.rtv.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    run("Monthly").await.check(2, "", "there is no mapping “Monthly”");
    let first = run(form.to_str().unwrap()).await.json();
    assert_eq!((first["counts"]["new"].as_i64(), first["mapping"].as_str()), (Some(2), Some("own")));
    mapping::save(&site.ctx, "Monthly", &serde_json::from_value(draft).unwrap(), false).await.unwrap();
    let second = run("Monthly").await.json();
    assert_eq!((second["counts"]["unchanged"].as_i64(), second["mapping"].as_str()), (Some(2), Some("Monthly")));
    std::fs::write(&form, "{ \"columns\": 7 }").unwrap();
    run(form.to_str().unwrap()).await.check(2, "", "is not a mapping as RTV writes it");
}

/// As `rtv migrate import … | head -1` does.
#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let site = Site::new().await;
    let mut file = tempfile::NamedTempFile::with_suffix(".csv").unwrap();
    file.write_all(many(300).as_bytes()).unwrap();
    for more in [&[][..], &["--json"]] {
        let arguments = [&["migrate", "validate", file.path().to_str().unwrap(), "--tenant", "site"], more].concat();
        let mut child = site.rtv.command(&arguments).spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stdin.take());
        let ended = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert!(ended.status.success() && !errors.contains("panicked"), "{:?} {errors}", ended.status);
    }
}
