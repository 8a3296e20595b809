//! The program as people and scripts start it: what its commands print, how they end, and what a kill leaves behind.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use clap::CommandFactory as _;
use rtv_domain::Tenant;
use rtv_testkit::cluster;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::test_app::{PASSWORD, TestApp, site};

/// The program with a database, and nothing else in its environment.
pub(crate) struct Program {
    owner_url: String,
    app_url: String,
    pub(crate) home: TempDir,
    site: TempDir,
    more: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn check(&self, status: i32, on_output: &str, on_errors: &str) {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert!(self.output.contains(on_output), "{self:?}");
        assert!(self.errors.contains(on_errors), "{self:?}");
        assert_eq!(
            status != 0,
            self.errors.contains("rtv: ") || self.errors.contains("error: "),
            "a failure says so: {self:?}"
        );
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, Some(0), "{self:?}");
        serde_json::from_str(&self.output).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Program {
    pub(crate) fn of(app: &TestApp) -> Self {
        Self::at(app.db.owner_url(), app.db.app_url())
    }

    pub(crate) fn at(owner_url: String, app_url: String) -> Self {
        Self { owner_url, app_url, home: tempfile::tempdir().unwrap(), site: site(), more: Vec::new() }
    }

    /// From now on the database does not answer.
    pub(crate) fn break_database(&mut self) {
        "postgres://rtv_app@127.0.0.1:1/nothing".clone_into(&mut self.app_url);
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtv"));
        command
            .env_clear()
            .env("DATABASE_URL", &self.owner_url)
            .env("RTV_APP_DATABASE_URL", &self.app_url)
            .env("RTV_HOME", self.home.path())
            .env("RTV_SITE", self.site.path())
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "").await
    }

    /// Runs a command with something on its standard input.
    async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let done = tokio::time::timeout(Duration::from_mins(2), child.wait_with_output()).await;
        let done = done.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { status: done.status.code(), output: text(done.stdout), errors: text(done.stderr) }
    }
}

#[track_caller]
fn check_keys(object: &Value, keys: &[&str]) {
    let found: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, keys.iter().copied().collect::<BTreeSet<_>>());
}

/// An empty database beside the ones that the kit clones, named so that it goes with them.
async fn empty_database() -> Program {
    let name = format!("rtv_test_{}_{}", std::process::id(), Uuid::now_v7().simple());
    let mut owner = PgConnection::connect(&cluster().owner_url()).await.unwrap();
    for statement in
        [format!("create database {name}"), format!("grant connect, temporary on database {name} to rtv_app")]
    {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut owner).await.unwrap();
    }
    let mut inside = PgConnection::connect(&cluster().owner_url_of(&name)).await.unwrap();
    sqlx::raw_sql("revoke all on schema public from public; grant usage on schema public to rtv_app")
        .execute(&mut inside)
        .await
        .unwrap();
    Program::at(cluster().owner_url_of(&name), cluster().app_url_of(&name))
}

#[tokio::test]
async fn migrations_are_listed_and_applied_once() {
    let rtv = empty_database().await;
    let before = rtv.run(&["db", "status", "--json"]).await.json();
    assert!(before.as_array().unwrap().len() >= 3);
    for migration in before.as_array().unwrap() {
        check_keys(migration, &["version", "description", "applied", "known"]);
        assert_eq!((&migration["applied"], &migration["known"]), (&Value::Bool(false), &Value::Bool(true)));
    }
    rtv.run(&["serve", "--addr", "127.0.0.1:0"]).await.check(1, "", "run: rtv db up");
    let applied = rtv.run(&["db", "up", "--json"]).await.json();
    assert_eq!(applied["applied"].as_array().unwrap().len(), before.as_array().unwrap().len());
    rtv.run(&["db", "up"]).await.check(0, "The schema is up to date.", "");
    assert_eq!(rtv.run(&["db", "up", "--json"]).await.json()["applied"], Value::Array(Vec::new()));
    let after = rtv.run(&["db", "status"]).await;
    after.check(0, "version", "");
    assert!(after.output.contains("applied") && !after.output.contains("missing"), "{after:?}");
    assert_eq!(rtv.run(&["admin", "tenants", "list", "--json"]).await.json(), Value::Array(Vec::new()));
}

#[tokio::test]
async fn tenants_are_created_and_listed() {
    let app = TestApp::new().await;
    let rtv = Program::of(&app);
    let create =
        |more: &'static [&'static str]| -> Vec<&'static str> { [&["admin", "tenants", "create"], more].concat() };
    let made = rtv
        .run(&create(&[
            "--slug",
            "acme",
            "--name",
            "Acme Coffee",
            "--zone",
            "Europe/Berlin",
            "--currency",
            "EUR",
            "--json",
        ]))
        .await
        .json();
    check_keys(&made, &["id", "slug", "name", "plan", "status", "house", "zone", "locale", "currency", "sample"]);
    assert_eq!(
        (made["slug"].as_str(), made["zone"].as_str(), made["plan"].as_str()),
        (Some("acme"), Some("Europe/Berlin"), Some("free"))
    );
    assert!(made["id"].as_str().unwrap().starts_with("ten_"));
    rtv.run(&create(&["--slug", "beta", "--name", "Beta"])).await.check(0, "Created beta (ten_", "");
    rtv.run(&create(&["--slug", "acme", "--name", "Again"])).await.check(2, "", "slug: “acme” is taken");
    rtv.run(&create(&["--slug", "gamma", "--name", "Gamma", "--zone", "Europe/Nowhere"])).await.check(
        2,
        "",
        "zone: use an IANA time zone",
    );
    let both = rtv.run(&create(&["--slug", "No Slug", "--name", "", "--currency", "euro"])).await;
    for field in ["slug: ", "name: ", "currency: "] {
        both.check(2, "", field);
    }
    rtv.run(&create(&["--slug", "gamma"])).await.check(2, "", "--name");
    let list = rtv.run(&["admin", "tenants", "list", "--json"]).await.json();
    assert_eq!(
        list.as_array().unwrap().iter().map(|one| one["slug"].as_str().unwrap()).collect::<Vec<_>>(),
        ["acme", "beta"]
    );
    assert_eq!(list[0], made);
    rtv.run(&["admin", "tenants", "list"]).await.check(0, "acme  Acme Coffee", "");
}

#[tokio::test]
async fn a_tenant_is_given_a_colour_of_its_own() {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    let rtv = Program::of(&app);
    let brand = |more: &'static [&'static str]| -> Vec<&'static str> {
        [&["admin", "tenants", "brand", "--tenant", "acme"], more].concat()
    };
    let made = rtv.run(&brand(&["--hue", "145", "--chroma", "0.12", "--json"])).await.json();
    assert!(made["accent"][0].as_str().unwrap().ends_with(" 145.0)"), "{made}");
    rtv.run(&brand(&["--hue", "145", "--chroma", "0.12"])).await.check(0, "acme has its own colour: oklch(", "");
    let refused = rtv.run(&brand(&["--hue", "400", "--chroma", "-1"])).await;
    refused.check(2, "", "hue: use degrees");
    refused.check(2, "", "chroma: use a number");
    rtv.run(&brand(&["--hue", "145"])).await.check(2, "", "--chroma");
    rtv.run(&brand(&[])).await.check(2, "", "--hue");
    rtv.run(&["admin", "tenants", "brand", "--tenant", "nobody", "--default"]).await.check(2, "", "there is no tenant");
    rtv.run(&brand(&["--default"])).await.check(0, "acme has RTV’s own colour.", "");
}

#[tokio::test]
async fn people_are_created_with_a_password_that_is_typed_or_shown_once() {
    let app = TestApp::new().await;
    app.tenant("acme").await;
    let rtv = Program::of(&app);
    let create = |email: &'static str, more: &'static [&'static str]| -> Vec<&'static str> {
        [&["admin", "users", "create", "--email", email], more].concat()
    };
    let owner = &["--tenant", "acme", "--role", "owner", "--json"];
    let typed = rtv.run_with(&create("typed@acme.example", owner), &format!("{PASSWORD}\n")).await;
    let made = typed.json();
    check_keys(&made, &["id", "email", "new", "password"]);
    assert_eq!((&made["password"], &made["new"]), (&Value::Null, &Value::Bool(true)));
    assert!(!typed.output.contains(PASSWORD) && !typed.errors.contains(PASSWORD), "a typed password is not repeated");

    let made = rtv.run(&create("made@acme.example", owner)).await.json();
    let password = made["password"].as_str().unwrap().to_owned();
    assert!(password.len() >= 12, "{password}");
    let text = rtv.run(&create("staff@rtv.example", &["--staff"])).await;
    text.check(0, "Password, shown once: ", "");
    let again = rtv.run(&create("made@acme.example", &["--staff"])).await;
    again.check(0, "keeps their password", "");
    assert!(!again.output.contains("shown once"));
    for (email, password) in [("typed@acme.example", PASSWORD), ("made@acme.example", &password)] {
        let answer = app.browser().post("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"), "{email}");
    }

    rtv.run_with(&create("weak@acme.example", owner), "short\n").await.check(
        2,
        "",
        "password: use at least 12 characters",
    );
    rtv.run_with(&create("no address", owner), &format!("{PASSWORD}\n")).await.check(2, "", "email: ");
    rtv.run(&create("a@b.example", &["--tenant", "nowhere", "--role", "owner"])).await.check(
        2,
        "",
        "there is no tenant “nowhere”",
    );
    rtv.run(&create("a@b.example", &["--tenant", "acme", "--role", "king"])).await.check(
        2,
        "",
        "role: “king” is not a role",
    );
    rtv.run(&create("a@b.example", &["--tenant", "acme"])).await.check(2, "", "--role");
    rtv.run(&create("a@b.example", &[])).await.check(2, "", "--tenant");
    rtv.run(&create("typed@acme.example", owner)).await.check(2, "", "is a member of acme already");

    let list = rtv.run(&["admin", "users", "list", "--tenant", "acme", "--json"]).await.json();
    check_keys(&list[0], &["id", "email", "name", "disabled", "staff", "role", "role_name"]);
    let people: Vec<(&str, &str)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["email"].as_str().unwrap(), one["role"].as_str().unwrap()))
        .collect();
    assert_eq!(people, [("made@acme.example", "owner"), ("typed@acme.example", "owner")]);
    let mut tx = app.marked("staff", None, None).await;
    let actors: Vec<(String, String)> =
        sqlx::query_as("select actor_kind, actor_label from audit_event where action = 'staff.add'")
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    assert!(
        actors.len() == 2 && actors.iter().all(|(kind, label)| kind == "staff" && label.contains('@')),
        "{actors:?}"
    );
}

#[tokio::test]
async fn wrong_usage_ends_with_2_and_a_failure_with_1() {
    let app = TestApp::new().await;
    let rtv = Program::of(&app);
    for wrong in [
        &["no-such-command"][..],
        &["admin"],
        &["db", "up", "--nonsense"],
        &["migrate", "rollback", "not-an-id"],
        &["serve", "--addr", "nonsense"],
    ] {
        rtv.run(wrong).await.check(2, "", "");
    }
    rtv.run(&["migrate", "rollback", "imp_00000000000000000000000000000000"]).await.check(
        1,
        "",
        "there is no import imp_0000",
    );
    rtv.run(&["migrate", "import", "no-such-file.csv", "--tenant", "nowhere"]).await.check(
        2,
        "",
        "there is no tenant “nowhere”",
    );
    app.tenant("acme").await;
    rtv.run(&["migrate", "import", "no-such-file.csv", "--tenant", "acme", "--zone", "Mars/Base"])
        .await
        .check(2, "", "zone: ");
    let absent = rtv.run(&["migrate", "import", "no-such-file.csv", "--tenant", "acme"]).await;
    assert!(matches!(absent.status, Some(1 | 2)) && absent.errors.contains("no-such-file.csv"), "{absent:?}");
    let help = rtv.run(&["--help"]).await;
    help.check(0, "serve", "");
    let gone = Program::at(app.db.owner_url(), "postgres://rtv_app@127.0.0.1:1/rtv".into());
    gone.run(&["admin", "tenants", "list"]).await.check(1, "", "the database does not answer");
    let unreadable = Program::at(app.db.owner_url(), "nonsense".into());
    unreadable.run(&["admin", "tenants", "list"]).await.check(1, "", "the database address cannot be read");
}

#[test]
fn every_command_shows_an_example() {
    fn walk(command: &clap::Command, path: &str, found: &mut usize) {
        let path = format!("{path} {}", command.get_name());
        if command.get_subcommands().next().is_none() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example") && help.contains(path.trim()), "{path}: {help}");
            assert!(command.get_about().is_some(), "{path}");
            *found += 1;
        }
        for one in command.get_subcommands() {
            walk(one, &path, found);
        }
    }
    let mut found = 0;
    walk(&rtv_server::cli::Cli::command(), "", &mut found);
    assert!(found >= 10, "{found}");
}

#[tokio::test]
async fn serving_refuses_what_would_be_dangerous_and_says_what_to_do() {
    let app = TestApp::new().await;
    let serve = &["serve", "--addr", "127.0.0.1:0"];
    let rtv = || Program::of(&app);
    Program::at(app.db.owner_url(), app.db.owner_url()).run(serve).await.check(1, "", "owns tables");
    Program::at(app.db.owner_url(), app.db.owner_url()).run(&["work"]).await.check(
        1,
        "",
        "Point RTV_APP_DATABASE_URL to a role like rtv_app",
    );
    let production = |program: Program| program.with("RTV_ENV", "production");
    production(rtv()).with("RTV_CLOCK", "+1h").with("RTV_BASE_URL", "https://rtv.example").run(serve).await.check(
        1,
        "",
        "RTV_CLOCK is for tests",
    );
    production(rtv()).run(serve).await.check(1, "", "set RTV_BASE_URL=https://");
    rtv().with("RTV_BASE_URL", "ftp://rtv.example").run(serve).await.check(1, "", "RTV_BASE_URL must look like");
    rtv().with("RTV_CLOCK", "soon").run(serve).await.check(2, "", "is not a clock");
    let empty = tempfile::tempdir().unwrap();
    rtv().with("RTV_SITE", empty.path().to_str().unwrap()).run(serve).await.check(1, "", "run: make build");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    rtv().run(&["serve", "--addr", &address]).await.check(1, "", "choose another address with --addr");

    let owner = app.db.owner_pool().await;
    let version = "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (29990101000000, 'later', true, '', 0)";
    sqlx::query(version).execute(&owner).await.unwrap();
    for command in [&serve[..], &["work"]] {
        rtv().run(command).await.check(1, "", "ahead of this program by 1 migrations; run the newer program");
    }
    sqlx::query("delete from _sqlx_migrations where version in (select max(version) from _sqlx_migrations)")
        .execute(&owner)
        .await
        .unwrap();
    sqlx::query("delete from _sqlx_migrations where version in (select max(version) from _sqlx_migrations)")
        .execute(&owner)
        .await
        .unwrap();
    rtv().run(serve).await.check(1, "", "behind this program by 1 migrations; run: rtv db up");
}

#[tokio::test]
async fn a_variable_that_nothing_reads_is_named() {
    let app = TestApp::new().await;
    let ended = Program::of(&app)
        .with("RTV_ADDDR", "127.0.0.1:1")
        .with("RTV_LOG_FORMAT", "json")
        .run(&["admin", "tenants", "list", "--json"])
        .await;
    assert_eq!(ended.json(), Value::Array(Vec::new()), "standard output is for results alone");
    assert!(ended.errors.contains("RTV_ADDDR") && ended.errors.contains("does nothing"), "{ended:?}");
    let ended = Program::of(&app).run(&["admin", "tenants", "list"]).await;
    assert_eq!(ended.errors, "", "nothing to say, nothing said");
}

#[tokio::test]
async fn the_demo_is_loaded_once_shown_and_removed() {
    let app = TestApp::new().await;
    let rtv = Program::of(&app).with("RTV_CLOCK", "2026-11-21T09:00:00Z");
    let small = &["demo", "--posts", "200", "--json"];
    let shown = rtv.run(small).await.json();
    check_keys(&shown, &["base_url", "tenants", "staff", "password"]);
    assert_eq!(
        (&shown["base_url"], &shown["password"], &shown["staff"]),
        (
            &Value::from("http://127.0.0.1:3000"),
            &Value::from("demo-rtv-2026"),
            &serde_json::json!(["staff@rtv.example", "staff2@rtv.example"])
        )
    );
    let tenants = shown["tenants"].as_array().unwrap();
    assert_eq!(
        tenants.iter().map(|one| one["slug"].as_str().unwrap()).collect::<Vec<_>>(),
        ["northwind-outdoor", "kaffa-coffee", "house"]
    );
    for tenant in tenants {
        check_keys(tenant, &["slug", "name", "people"]);
        let slug = tenant["slug"].as_str().unwrap();
        let people: Vec<Value> = ["owner", "admin", "editor", "viewer"]
            .map(|role| serde_json::json!({ "email": format!("{role}@{slug}.example"), "role": role }))
            .into();
        assert_eq!(tenant["people"], Value::from(people));
        let verified = rtv.run(&["admin", "rollups", "verify", "--tenant", slug]).await;
        verified.check(0, &format!("Every roll-up of {slug} equals its facts."), "");
        let answer = app
            .browser()
            .post("/sign-in", &[("email", &format!("viewer@{slug}.example")), ("password", "demo-rtv-2026")])
            .await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/"), "{slug}");
    }
    let list = rtv.run(&["admin", "tenants", "list", "--json"]).await.json();
    let told: Vec<(&str, &str, &str, &str, bool, bool)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            let is = |key: &str| one[key].as_bool().unwrap();
            (text("slug"), text("plan"), text("zone"), text("currency"), is("house"), is("sample"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("house", "enterprise", "UTC", "EUR", true, true),
            ("kaffa-coffee", "professional", "America/New_York", "USD", false, true),
            ("northwind-outdoor", "enterprise", "Europe/Berlin", "EUR", false, true),
        ]
    );

    let again = rtv.run(&["demo"]).await;
    again.check(0, "Nothing was changed.", "");
    assert!(again.output.contains("owner@northwind-outdoor.example") && again.output.contains("demo-rtv-2026"));
    assert_eq!(rtv.run(small).await.json(), shown);

    let removed = rtv.run(&["demo", "--remove", "--json"]).await.json();
    check_keys(&removed, &["tenants"]);
    check_keys(&removed["tenants"][0], &["slug", "removed"]);
    check_keys(&removed["tenants"][0]["removed"], &["accounts", "campaigns", "posts", "days"]);
    rtv.run(&["demo", "--remove"]).await.check(0, "There is no sample data. Nothing was changed.", "");
}

#[tokio::test]
async fn the_demo_is_refused_where_it_would_do_harm() {
    let app = TestApp::new().await;
    let production = Program::of(&app).with("RTV_ENV", "production").with("RTV_BASE_URL", "https://rtv.example");
    production.run(&["demo"]).await.check(3, "", "not loaded with RTV_ENV=production");
    app.tenant("house").await;
    let rtv = Program::of(&app);
    rtv.run(&["demo"]).await.check(3, "", "the tenant “house” is not the demo’s, so nothing was changed");
    let list = rtv.run(&["admin", "tenants", "list", "--json"]).await.json();
    assert_eq!(list.as_array().unwrap().len(), 1, "all of it is refused");
    for wrong in [&["demo", "--posts", "0"][..], &["demo", "--posts", "many"], &["demo", "--posts", "5", "--remove"]] {
        rtv.run(wrong).await.check(2, "", "");
    }
    production.run(&["demo", "--remove"]).await.check(0, "There is no sample data.", "");
}

/// A file of the research data beside the checkout; `None`, and a loud word, where it is not there.
fn live_sellers() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/facebook_live_sellers_th.csv");
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {} is not there, so nothing was proved about it. Put the research data beside the checkout.",
        path.display()
    );
    None
}

/// How many rows of the tenant there are in the tables that an import writes.
async fn imported_rows(app: &TestApp, tenant: &Tenant) -> i64 {
    let mut tx = app.marked("tenant", Some(tenant.id.uuid()), None).await;
    sqlx::query_scalar(
        "select (select count(*) from post) + (select count(*) from account) + (select count(*) from import) + (select count(*) from kpi_daily) + (select count(*) from import_change)",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_real_file_is_imported_once_and_taken_back() {
    let Some(file) = live_sellers() else { return };
    let app = TestApp::new().await;
    let tenant = app.tenant("sellers").await;
    let rtv = Program::of(&app);
    let import =
        ["migrate", "import", file.to_str().unwrap(), "--tenant", "sellers", "--zone", "Asia/Bangkok", "--json"];
    let dry = rtv.run(&[&import[..], &["--dry-run"]].concat()).await.json();
    assert_eq!((dry["state"].as_str(), &dry["id"]), (Some("dry_run"), &Value::Null));
    assert_eq!(imported_rows(&app, &tenant).await, 0);
    let done = rtv.run(&import).await.json();
    check_keys(
        &done,
        &[
            "id",
            "state",
            "file_name",
            "counts",
            "accounts",
            "new_accounts",
            "mapping",
            "notes",
            "contradictions",
            "refusals",
            "blocked",
            "failure",
            "created_at",
            "finished_at",
        ],
    );
    let counts =
        serde_json::json!({ "read": 7_050, "new": 6_997, "changed": 0, "unchanged": 0, "duplicate": 53, "refused": 0 });
    assert_eq!((&done["counts"], done["accounts"].as_i64(), done["state"].as_str()), (&counts, Some(9), Some("done")));
    assert_eq!(dry["counts"], counts, "the dry run has told so");
    let rows = imported_rows(&app, &tenant).await;
    let again = rtv.run(&import).await.json();
    assert_eq!((again["counts"]["new"].as_i64(), again["counts"]["unchanged"].as_i64()), (Some(0), Some(6_997)));
    for one in [&again, &done] {
        let back = rtv.run(&["migrate", "rollback", one["id"].as_str().unwrap(), "--json"]).await.json();
        check_keys(&back, &["id", "state", "removed", "restored"]);
        let removed = if one == &done { 6_997 } else { 0 };
        assert_eq!((back["removed"].as_i64(), back["restored"].as_i64()), (Some(removed), Some(0)));
    }
    assert!(rows > 6_997 && imported_rows(&app, &tenant).await <= 2, "only the imports themselves are remembered");
    let twice = rtv.run(&["migrate", "rollback", done["id"].as_str().unwrap()]).await;
    assert_eq!(twice.status, Some(1), "{twice:?}");
}

#[tokio::test]
async fn a_killed_import_leaves_nothing() {
    let Some(file) = live_sellers() else { return };
    let app = TestApp::new().await;
    let tenant = app.tenant("sellers").await;
    let rtv = Program::of(&app);
    let import =
        ["migrate", "import", file.to_str().unwrap(), "--tenant", "sellers", "--zone", "Asia/Bangkok", "--json"];
    let mut child = rtv.command(&import).spawn().unwrap();
    wait_for(&app, "its first rows", async || writes_to_post(&app).await).await;
    child.start_kill().unwrap();
    let status = child.wait().await.unwrap();
    assert_eq!(status.code(), None, "it was killed in the middle of its work, not after it");
    wait_for(&app, "the end of its transaction", async || !writes_to_post(&app).await).await;
    assert_eq!(imported_rows(&app, &tenant).await, 0);
    assert_eq!(rtv.run(&import).await.json()["counts"]["new"], 6_997, "and it can be imported afterwards");
}

/// Whether a transaction has written to the posts and is still open.
async fn writes_to_post(app: &TestApp) -> bool {
    sqlx::query_scalar(
        "select exists (select 1 from pg_locks join pg_class on pg_class.oid = pg_locks.relation join pg_database on pg_database.oid = pg_locks.database where relname = 'post' and mode = 'RowExclusiveLock' and datname = current_database())",
    )
    .fetch_one(&app.rows)
    .await
    .unwrap()
}

async fn wait_for(_: &TestApp, what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_mins(1), "waited a minute for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A serving program, and the address that it was given.
async fn start_serving(rtv: &Program, more: &[&str]) -> (Child, String) {
    let mut child =
        rtv.command(&[&["serve", "--addr", "127.0.0.1:0", "--log-format", "json"], more].concat()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut told = Vec::new();
    let address = loop {
        let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended without serving: {told:?}"));
        if let Ok(event) = serde_json::from_str::<Value>(&line)
            && let Some(address) = event["address"].as_str()
        {
            break address.to_owned();
        }
        told.push(line);
    };
    // The rest is read, or the program would stand still on a full pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}

/// Asks politely: the shell's own kill, because no crate of ours sends signals.
pub(crate) async fn terminate(child: &Child) {
    let kill = format!("kill -TERM {}", child.id().unwrap());
    assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
}

pub(crate) async fn ended_within(child: &mut Child, seconds: u64) -> ExitStatus {
    tokio::time::timeout(Duration::from_secs(seconds), child.wait())
        .await
        .unwrap_or_else(|_| panic!("it did not end within {seconds} s"))
        .unwrap()
}

#[tokio::test]
async fn a_stop_lets_the_request_finish_that_is_under_way() {
    let app = TestApp::new().await;
    let rtv = Program::of(&app);
    let (mut child, address) = start_serving(&rtv, &[]).await;
    let mut probe = TcpStream::connect(&address).await.unwrap();
    probe.write_all(b"GET /health/ready HTTP/1.1\r\nHost: rtv\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    probe.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("x-request-id: "), "{text}");

    let body = "email=&password=";
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: rtv\r\nSec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&body.as_bytes()[..5]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    terminate(&child).await;
    wait_for(&app, "the listener to close", async || TcpStream::connect(&address).await.is_err()).await;
    assert!(child.try_wait().unwrap().is_none(), "it waits for the request");
    slow.write_all(&body.as_bytes()[5..]).await.unwrap();
    let mut text = String::new();
    slow.read_to_string(&mut text).await.unwrap();
    assert!(
        text.starts_with("HTTP/1.1 303")
            && text.contains("location: /sign-in\r\n")
            && text.contains("set-cookie: rtv="),
        "{text}"
    );
    assert_eq!(ended_within(&mut child, 5).await.code(), Some(0));
}

#[tokio::test]
async fn a_stop_without_requests_is_quick_for_server_and_worker() {
    let app = TestApp::new().await;
    let rtv = Program::of(&app);
    let (mut server, address) = start_serving(&rtv, &["--no-worker"]).await;
    // An idle connection that is kept alive holds nobody up.
    let _idle = TcpStream::connect(&address).await.unwrap();
    let mut worker = rtv.command(&["work"]).spawn().unwrap();
    let mut first = BufReader::new(worker.stderr.take().unwrap()).lines();
    assert!(first.next_line().await.unwrap().unwrap().contains("RTV works"));
    for child in [&mut server, &mut worker] {
        terminate(child).await;
        assert_eq!(ended_within(child, 5).await.code(), Some(0));
    }
}
