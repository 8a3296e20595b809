//! The server around a database of its own, and browsers that ask it. People and sessions are written as plain rows
//! where signing in is not what a test is about, because one password takes a tenth of a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use rtv_core::report::{Edit, FileFormat, NewBlock, Rhythm, Way};
use rtv_core::{ImportId, Permission, ReportId, ReportMailId, Role, RunId, ScheduleId, Slug};
use rtv_domain::api_key::{self, NewKey};
use rtv_domain::import::Options;
use rtv_domain::password::Passwords;
use rtv_domain::report;
use rtv_domain::report::schedule::{self, Plan};
use rtv_domain::tenant::NewTenant;
use rtv_domain::user::{self, Belongs};
use rtv_domain::{
    Actor, Clock, Context, Database, PoolSettings, RequestInfo, Tenant, access, import, mail, session, tenant,
};
use rtv_server::config::{Environment, LogFormat, Settings};
use rtv_server::middleware::session_store::hash;
use rtv_server::state::AppState;
use rtv_testkit::TestDb;
use secrecy::ExposeSecret as _;
use sqlx::{PgPool, Postgres, Transaction};
use tempfile::TempDir;
use tower::ServiceExt as _;
use tower_sessions::session::Id;
use url::Url;
use uuid::Uuid;

/// Long, and not of the kind that a guess begins with.
pub(crate) const PASSWORD: &str = "granite kettle nine pelicans";
/// Header of a file that the native mapping reads.
pub(crate) const COLUMNS: &str = "platform,account_id,post_id,published_at,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment";
/// A file with a hash in its address, and what it holds.
pub(crate) const STYLE: (&str, &str) = ("/css/main.HASH.css", "body { margin: 0; }");

/// The present instant of every test.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

pub(crate) struct TestApp {
    pub(crate) db: TestDb,
    pub(crate) state: AppState,
    pub(crate) router: Router,
    /// The serving role, past the domain.
    pub(crate) rows: PgPool,
    cookie_name: &'static str,
    pub(crate) origin: String,
    _site: TempDir,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, 4).await
    }

    /// A server with other settings and another size of the pool.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings), connections: u32) -> Self {
        let db = TestDb::new().await;
        let site = site();
        let mut settings = settings(&site);
        change(&mut settings);
        let pool = PoolSettings { connections, patience: Duration::from_secs(20), ready: 0 };
        let database = Database::open(&db.app_url(), pool).await.unwrap();
        let base = settings.base_url();
        let state = rtv_server::serve::state(settings, database).unwrap();
        Self {
            router: rtv_server::router::build(&state),
            rows: db.app_pool().await,
            cookie_name: if base.scheme() == "https" { "__Host-rtv" } else { "rtv" },
            origin: base.origin().ascii_serialization(),
            db,
            state,
            _site: site,
        }
    }

    /// What the program's operator does at the command line.
    pub(crate) fn operator(&self) -> Context {
        self.state.context(Actor::Operator(Arc::from("root@ops-1")), RequestInfo::default())
    }

    /// A report of a tenant, with a chart as its second part, and a run of it that is done and has the CSV of the chart's table.
    pub(crate) async fn report(&self, tenant: &str) -> (ReportId, RunId) {
        let ctx = access::enter_as_operator(&self.operator(), &tenant.parse().unwrap(), "test").await.unwrap();
        let blank = report::Template::Blank.definition();
        let definition = blank.edited(&Edit::AddBlock { section: 1, kind: NewBlock::Chart }).unwrap().definition;
        let id = report::create(&ctx, &definition, "Started").await.unwrap();
        let run = report::begin(&ctx, id, None).await.unwrap();
        let worker = self.state.context(Actor::System("test"), RequestInfo::default());
        let ticket = report::Ticket { tenant: ctx.tenant().id, run };
        let taken = report::take_up(&worker, ticket).await.unwrap().unwrap();
        let asked = report::Asked {
            parameters: &taken.parameters,
            version: None,
            shown: report::Shown::AsDefined,
            address: "",
        };
        let filled = report::fill(&taken.ctx, &definition, &asked).await.unwrap();
        let file = report::NewFile {
            format: FileFormat::Csv,
            part: 1,
            title: String::new(),
            file_name: "r.csv".into(),
            bytes: 1,
            sha256: [0; 32],
        };
        report::finish(&taken.ctx, &self.state.outbox, &taken.run, &filled, &[file], None, &[]).await.unwrap();
        (id, run)
    }

    /// A schedule of a report, and a mail of its run that failed.
    pub(crate) async fn schedule(&self, tenant: &str, report: ReportId, run: RunId) -> (ScheduleId, ReportMailId) {
        let ctx = access::enter_as_operator(&self.operator(), &tenant.parse().unwrap(), "test").await.unwrap();
        let pairs = [("frequency", "weekly"), ("weekday", "mon"), ("time", "08:00"), ("zone", "Europe/Berlin")];
        let dispatch = report::Dispatch {
            way: Way::Link,
            formats: vec![FileFormat::Csv],
            recipients: vec!["client@client.example".parse().unwrap()],
            skips_empty: false,
            is_test: false,
        };
        let plan = Plan { rhythm: Rhythm::parse(pairs).unwrap(), range: None, dispatch };
        let schedule = schedule::create(&ctx, report, &plan).await.unwrap();
        let mail = Uuid::now_v7();
        let mut tx = self.marked("tenant", Some(ctx.tenant().id.uuid()), None).await;
        sqlx::query("update report_run set schedule_id = $2, dispatch = $3 where id = $1")
            .bind(run.uuid())
            .bind(schedule.uuid())
            .bind(serde_json::json!(plan.dispatch))
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query(
            "insert into report_mail (tenant_id, id, run_id, recipient, state, created_at, changed_at)
             values ($1, $2, $3, 'client@client.example', 'failed', '2026-11-20', '2026-11-20')",
        )
        .bind(ctx.tenant().id.uuid())
        .bind(mail)
        .bind(run.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        (schedule, mail.into())
    }

    pub(crate) async fn tenant(&self, slug: &str) -> Tenant {
        // Without limits: what a plan allows is the subject of tests of their own.
        let plan = Some("enterprise".into());
        let new = NewTenant { slug: slug.into(), name: format!("The {slug}"), plan, ..NewTenant::default() };
        tenant::create(&self.operator(), new).await.unwrap()
    }

    /// A person with the password of all people here.
    pub(crate) async fn person(&self, email: &str, belongs: Belongs) {
        let passwords = Passwords::prepare().unwrap();
        user::create(&self.operator(), &passwords, email, None, &PASSWORD.to_owned().into(), belongs).await.unwrap();
    }

    /// A member with a role of the tenant's own that holds these.
    pub(crate) async fn somebody_with(&self, email: &str, tenant: &Tenant, permissions: &[Permission]) -> Uuid {
        let user = self.somebody(email, Some((tenant, Role::Viewer))).await;
        let role = Uuid::now_v7();
        let keys: Vec<&str> = permissions.iter().map(|permission| permission.key()).collect();
        let mut tx = self.marked("tenant", Some(tenant.id.uuid()), None).await;
        sqlx::query(
            "insert into custom_role (tenant_id, id, name, permissions, changed_by) values ($1, $2, $2::uuid::text, $3, 'a')",
        )
        .bind(tenant.id.uuid())
        .bind(role)
        .bind(&keys)
        .execute(&mut *tx)
        .await
        .unwrap();
        sqlx::query("update membership set role = 'custom', role_id = $2 where user_id = $1")
            .bind(user)
            .bind(role)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        user
    }

    /// A person who never types a password; `place` is a tenant and a role, or staff.
    pub(crate) async fn somebody(&self, email: &str, place: Option<(&Tenant, Role)>) -> Uuid {
        let id = Uuid::now_v7();
        let tenant = place.map(|(tenant, _)| tenant.id.uuid());
        let mut tx = self.marked("staff", tenant, None).await;
        sqlx::query("insert into app_user (id, email, name) values ($1, $2, 'Somebody')")
            .bind(id)
            .bind(email)
            .execute(&mut *tx)
            .await
            .unwrap();
        match place {
            Some((tenant, role)) => {
                sqlx::query("insert into membership (tenant_id, user_id, role) values ($1, $2, $3)")
                    .bind(tenant.id.uuid())
                    .bind(id)
                    .bind(role.key())
                    .execute(&mut *tx)
                    .await
                    .unwrap();
            }
            None => {
                sqlx::query("insert into staff_member (user_id) values ($1)").bind(id).execute(&mut *tx).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
        id
    }

    /// Makes a person a member of one more tenant.
    pub(crate) async fn join(&self, user: Uuid, tenant: &Tenant, role: Role) {
        let mut tx = self.marked("tenant", Some(tenant.id.uuid()), None).await;
        sqlx::query("insert into membership (tenant_id, user_id, role) values ($1, $2, $3)")
            .bind(tenant.id.uuid())
            .bind(user)
            .bind(role.key())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// Takes posts in, as the operator does.
    pub(crate) async fn posts(&self, tenant: &Tenant, rows: &[String]) -> ImportId {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.csv");
        let columns = COLUMNS.split(',').count();
        let mut text = format!("{COLUMNS}\n");
        for row in rows {
            let missing = columns - row.split(',').count();
            text.push_str(&format!("{row}{}\n", ",".repeat(missing)));
        }
        std::fs::write(&path, text).unwrap();
        let slug: Slug = tenant.slug.clone();
        let ctx = access::enter_as_operator(&self.operator(), &slug, "test").await.unwrap();
        import::run(&ctx, &path, Options::default(), |_| {}).await.unwrap().id.unwrap()
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { app: self, token: None, peer: "203.0.113.9:4711".parse().unwrap() }
    }

    /// A browser with a session of the person, as a sign-in would have left it.
    pub(crate) async fn signed_in(&self, user: Uuid) -> Browser<'_> {
        let (token, _) = self.session(user).await;
        Browser { token: Some(token.to_string()), ..self.browser() }
    }

    /// A session of the person: its token, and its id in lists and addresses.
    pub(crate) async fn session(&self, user: Uuid) -> (Id, Uuid) {
        let token = Id::default();
        let ctx = self.state.context(Actor::Anonymous, RequestInfo::default());
        let end = ctx.now() + session::ABSOLUTE;
        assert!(session::create(&ctx, hash(token), serde_json::json!({}), end).await.unwrap());
        let mut tx = self.marked("session", None, None).await;
        let digest: [u8; 32] = sha2_of(&token.0.to_be_bytes());
        sqlx::query("select set_config('rtv.session', $1, true)")
            .bind(hex::encode(digest))
            .execute(&mut *tx)
            .await
            .unwrap();
        let id = sqlx::query_scalar(
            "update session set user_id = $2, expires_at = $3 where id_hash = $1 returning public_id",
        )
        .bind(&digest[..])
        .bind(user)
        .bind(end)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        (token, id)
    }

    /// A transaction of the serving role with the markers that the domain would set.
    pub(crate) async fn marked(
        &self,
        actor: &str,
        tenant: Option<Uuid>,
        user: Option<Uuid>,
    ) -> Transaction<'static, Postgres> {
        let mut tx = self.rows.begin().await.unwrap();
        sqlx::query("select set_config('rtv.actor', $1, true), set_config('rtv.tenant_id', $2, true), set_config('rtv.user_id', $3, true)")
            .bind(actor)
            .bind(tenant.map(|id| id.to_string()).unwrap_or_default())
            .bind(user.map(|id| id.to_string()).unwrap_or_default())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx
    }

    /// Makes every session of the person one that was proved this moment.
    pub(crate) async fn prove(&self, user: Uuid) {
        let mut tx = self.marked("person", None, Some(user)).await;
        sqlx::query("update session set proved_at = $1").bind(self.state.clock.now()).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The path of our own in the newest mail to an address, as staff find it.
    pub(crate) async fn link_to(&self, email: &str) -> String {
        let operator = self.operator();
        let all = mail::list(&operator).await.unwrap();
        let newest = all.into_iter().find(|mail| mail.to == email).expect("a mail was written");
        let (_, text) = mail::read(&operator, &self.state.vault, newest.id).await.unwrap();
        let text = text.expect("the mail is caught");
        let (_, rest) = text.split_once(&self.origin).expect("the mail has a link");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Sessions of all people and of nobody, as the sweep sees them.
    pub(crate) async fn session_count(&self) -> i64 {
        let mut tx = self.marked("worker", None, None).await;
        sqlx::query_scalar("select count(*) from session").fetch_one(&mut *tx).await.unwrap()
    }
}

fn sha2_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// Settings of a program that nobody configured.
pub(crate) fn settings(site: &TempDir) -> Settings {
    Settings {
        database_url: None,
        app_database_url: None,
        home: site.path().join("home"),
        addr: "127.0.0.1:3000".parse().unwrap(),
        base_url: Some(Url::parse("http://rtv.example").unwrap()),
        trusted_proxies: Vec::new(),
        environment: Environment::Development,
        log: "off".into(),
        log_format: LogFormat::Text,
        clock: Some(Clock::Fixed(now())),
        metrics_addr: None,
        site: Some(site.path().to_owned()),
        reports: None,
        report_fonts: Vec::new(),
        uploads: None,
        upload_bytes: 1_000_000,
        upload_quota_bytes: 5_000_000,
        audit_key_file: None,
        secret_key_file: None,
        smtp_url: None,
        smtp_ca_file: None,
        mail_from: None,
        switch_ramp: Some(0),
        sandbox_url: Url::parse("http://127.0.0.1:9").unwrap(),
        sandbox_lag: None,
        sandbox_rate: None,
        send_at_once: 4,
        send_deadline: Duration::from_secs(10),
        #[cfg(debug_assertions)]
        fault: None,
    }
}

/// A folder with the least that the browser's build leaves behind.
pub(crate) fn site() -> TempDir {
    let site = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &[u8]| {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write(
        "assets.json",
        br#"{
            "js": "/pkg/HASH/rtv.js", "wasm": "/pkg/HASH/rtv_bg.wasm", "css": "/css/main.HASH.css",
            "chart_js": "/static/HASH/js/chart.js", "echarts": "/static/HASH/vendor/echarts/echarts.min.js",
            "favicon": "/static/HASH/icons/icon.svg"
        }"#,
    );
    write("css/main.HASH.css", STYLE.1.as_bytes());
    // The server does not look inside: what counts is that this very file is sent.
    write("css/main.HASH.css.br", b"brotli");
    write("css/main.HASH.css.gz", b"gzip");
    write("pkg/HASH/rtv.js", b"export default 1;");
    write("static/HASH/icons/icon.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    site
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The address that the answer leads to.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    /// The one nonce of the answer's policy.
    pub(crate) fn nonce(&self) -> Option<&str> {
        let policy = self.header("content-security-policy");
        policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).map(|(nonce, _)| nonce)
    }

    /// The body without what differs between two answers to the same question.
    pub(crate) fn plain(&self) -> String {
        let mut text = self.text().replace(self.header("x-request-id"), "REQUEST");
        if let Some(nonce) = self.nonce() {
            text = text.replace(nonce, "NONCE");
        }
        text
    }

    /// Names and values of the headers without what differs between two answers to the same question.
    pub(crate) fn plain_headers(&self) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let mut value = value.to_str().unwrap().to_owned();
                if let Some(nonce) = self.nonce() {
                    value = value.replace(nonce, "NONCE");
                }
                if name == "x-request-id" || name == "date" {
                    value = "REQUEST".into();
                }
                (name.to_string(), value)
            })
            .collect();
        headers.sort();
        headers
    }
}

/// One person's browser: it keeps its cookie and says where its requests come from, as browsers do.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    /// What stands in the session's cookie.
    pub(crate) token: Option<String>,
    pub(crate) peer: SocketAddr,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, "text/html,*/*;q=0.8").body(Body::empty()).unwrap()).await
    }

    /// Sends a form of one of our own pages.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::ORIGIN, &self.app.origin)
            .header(header::ACCEPT, "text/html,*/*;q=0.8");
        self.send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(fields)).unwrap())
            .await
    }

    /// Calls a server function as a page in the browser does.
    pub(crate) async fn call(&mut self, path: &str, arguments: &serde_json::Value) -> Answer {
        let request = Request::post(path)
            .header("sec-fetch-site", "same-origin")
            .header(header::ORIGIN, &self.app.origin)
            .header(header::REFERER, format!("{}/t/acme/dashboard?range=7d", self.app.origin))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(arguments.to_string())).unwrap()).await
    }

    /// Sends any request with the browser's cookie, and keeps the cookie that comes back.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.app.router.clone().oneshot(self.dress(request)).await.unwrap();
        let (head, body) = response.into_parts();
        let answer =
            Answer { status: head.status, headers: head.headers, body: to_bytes(body, 16 << 20).await.unwrap() };
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert_eq!(name, self.app.cookie_name, "RTV sets one cookie");
            self.token = (!attributes.contains("Max-Age=0") && !value.is_empty()).then(|| value.to_owned());
        }
        answer
    }

    /// The request with cookie and address.
    pub(crate) fn dress(&self, mut request: Request<Body>) -> Request<Body> {
        if let Some(token) = &self.token {
            let cookie = HeaderValue::from_str(&format!("{}={token}", self.app.cookie_name)).unwrap();
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        request
    }
}

/// The body of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> Body {
    Body::from(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

/// A request without any word about where it comes from.
pub(crate) fn bare(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// A program that asks the API. Every answer is compared with the description: a status, a header or a body that is not in it
/// fails the test that met it.
#[derive(Clone)]
pub(crate) struct Asker<'a> {
    pub(crate) app: &'a TestApp,
    /// What stands in the header `Authorization`, if it is sent.
    pub(crate) authorization: Option<String>,
}

impl TestApp {
    /// Gives a tenant another plan, such as one whose programs may ask as often as a test needs.
    pub(crate) async fn on_plan(&self, tenant: &Tenant, plan: &str) {
        let mut tx = self.marked("tenant", Some(tenant.id.uuid()), None).await;
        sqlx::query("update tenant set plan = $1").bind(plan).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A key of a member, as they would make it on the page.
    pub(crate) async fn key(&self, author: Uuid, tenant: &Tenant, permissions: &[Permission]) -> Asker<'_> {
        let mut tx = self.marked("tenant", Some(tenant.id.uuid()), None).await;
        let email: String = sqlx::query_scalar("select email from app_user where id = $1")
            .bind(author)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        drop(tx);
        let person = session::Person {
            id: author.into(),
            name: "Somebody".into(),
            email: email.parse().unwrap(),
            is_staff: false,
            session: Uuid::now_v7(),
            last_tenant: None,
            preference: rtv_core::Preference::default(),
            has_second_factor: false,
            proved_at: Some(self.state.clock.now()),
            longest_idle: chrono::TimeDelta::zero(),
        };
        let context = self.state.context(Actor::Person(Arc::new(person)), RequestInfo::default());
        let ctx = access::enter(&context, tenant.slug.as_str()).await.unwrap();
        let new = NewKey {
            name: "Program".into(),
            permissions: permissions.iter().map(|one| one.key().to_owned()).collect(),
            expires: "30".into(),
            expires_on: String::new(),
        };
        let made = api_key::create(&ctx, &new).await.unwrap();
        Asker { app: self, authorization: Some(format!("Bearer {}", made.secret.expose_secret())) }
    }

    /// A program without a key.
    pub(crate) const fn nobody(&self) -> Asker<'_> {
        Asker { app: self, authorization: None }
    }
}

impl Asker<'_> {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> Answer {
        self.ask_once(method, path, body, None).await
    }

    /// The same with an `Idempotency-Key`.
    pub(crate) async fn ask_once(
        &self,
        method: &str,
        path: &str,
        body: Option<&serde_json::Value>,
        key: Option<&str>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 9], 4711))));
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let (head, body) = self.app.router.clone().oneshot(request).await.unwrap().into_parts();
        let answer =
            Answer { status: head.status, headers: head.headers, body: to_bytes(body, 16 << 20).await.unwrap() };
        check_described(&method, &path, &answer);
        answer
    }
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// What the description says of the address, if it is one of its own.
fn check_described(method: &Method, path: &str, answer: &Answer) {
    let description = rtv_server::http::api::description();
    let about = || format!("{method} {path}: {} {}", answer.status, answer.text());
    if answer.status.is_client_error() || answer.status.is_server_error() {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", about());
        let problem = answer.json();
        assert_eq!(problem["status"], answer.status.as_u16(), "{}", about());
        // An answer that is given again bears the id of the first.
        assert!(!problem["request_id"].as_str().unwrap().is_empty(), "{}", about());
    }
    assert_eq!(answer.header("x-request-id").len(), 32, "{}", about());
    assert_eq!(answer.header("set-cookie"), "", "{}", about());
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{}", about());
    let is_of = |pattern: &str| {
        let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(part, given)| part == given || part.starts_with('{'))
    };
    let paths = description["paths"].as_object().unwrap();
    let found = paths.iter().find(|(pattern, _)| is_of(pattern));
    let Some((_, item)) = found else { return };
    let operation = &item[method.as_str().to_lowercase()];
    if operation.is_null() {
        return;
    }
    let described = &operation["responses"][answer.status.as_str()];
    assert!(!described.is_null(), "an answer that is not described: {}", about());
    let resolved = match described["$ref"].as_str() {
        Some(path) => description.pointer(&path[1..]).unwrap(),
        None => described,
    };
    for (name, header) in resolved["headers"].as_object().into_iter().flatten() {
        let required = header["$ref"]
            .as_str()
            .map_or(&header["required"], |path| &description.pointer(&path[1..]).unwrap()["required"]);
        assert!(required != true || !answer.header(name).is_empty(), "{name} is missing: {}", about());
    }
    match resolved["content"].as_object() {
        None => assert!(answer.body.is_empty(), "{}", about()),
        Some(content) => {
            assert!(content.contains_key(answer.header("content-type")), "{}", about());
            let schema = content.values().next().unwrap();
            if answer.header("content-type").ends_with("json") {
                check_fits(description, &schema["schema"], &answer.json(), &about());
            }
        }
    }
}

/// Whether a value is what a schema says: required and known fields, and types.
fn check_fits(description: &serde_json::Value, schema: &serde_json::Value, value: &serde_json::Value, about: &str) {
    assert!(fits(description, schema, value), "{value} is not {schema}: {about}");
}

fn fits(description: &serde_json::Value, schema: &serde_json::Value, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    if let Some(path) = schema["$ref"].as_str() {
        return fits(description, description.pointer(&path[1..]).unwrap(), value);
    }
    if let Some(one) = schema["oneOf"].as_array() {
        return one.iter().filter(|option| fits(description, option, value)).count() == 1;
    }
    if let Some(some) = schema["anyOf"].as_array() {
        return some.iter().any(|option| fits(description, option, value));
    }
    let is_of = |kind: &str| match kind {
        "null" => value.is_null(),
        "string" => {
            let words = schema["enum"].as_array();
            value.is_string() && words.is_none_or(|words| words.contains(value))
        }
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => {
            value.as_array().is_some_and(|items| items.iter().all(|item| fits(description, &schema["items"], item)))
        }
        "object" => value.as_object().is_some_and(|fields| {
            let properties = &schema["properties"];
            let required = schema["required"].as_array().into_iter().flatten();
            required.filter_map(Value::as_str).all(|name| fields.contains_key(name))
                // One without named fields is described elsewhere.
                && (properties.is_null()
                    || fields
                    .iter()
                    .all(|(name, field)| !properties[name].is_null() && fits(description, &properties[name], field)))
        }),
        other => panic!("a type that this test does not know: {other}"),
    };
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is_of),
        Value::String(kind) => is_of(kind),
        _ => panic!("a schema without a type: {schema}"),
    }
}
