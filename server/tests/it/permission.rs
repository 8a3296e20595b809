//! Who may do what: every page, server function and route × every kind of actor × {own, other's, nonexistent}, compared
//! with `permission.table`. What is served and not in the table fails, and so does a row that nothing serves.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, header};
use rtv_core::{ImportId, Permission, ReportMailId, Role, ScheduleId, Scope};
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::kill_switch::{self, Side, Why};
use rtv_domain::{Tenant, access, competitor, mail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_app::{Answer, Browser, TestApp, form};

const TABLE: &str = include_str!("permission.table");

/// Columns of the table.
const ACTORS: [&str; 7] = ["anonymous", "viewer", "editor", "admin", "owner", "custom", "staff"];

/// What the custom role holds: parts of what an admin has, and nothing that every built-in role has.
const CUSTOM: &[Permission] = &[Permission::AuditRead, Permission::UsersInvite, Permission::ImportsManage];

/// What a question is about, seen from the actor: something of their tenant or of themself, of somebody else, or of
/// nobody. `-` where an address names nothing.
const TARGETS: [&str; 3] = ["own", "foreign", "nonexistent"];

struct World {
    app: TestApp,
    people: BTreeMap<&'static str, Uuid>,
    foreigner: Uuid,
    /// An import of each tenant, that is done.
    imports: BTreeMap<&'static str, ImportId>,
    /// Of each tenant, what the pages of the team are about: a member who is nobody else here, a team and a role.
    teams: BTreeMap<&'static str, TeamIds>,
    /// A mail that was caught.
    mail: String,
}

/// Ids in addresses of the team's pages.
struct TeamIds {
    user: String,
    team: String,
    role: String,
}

impl TeamIds {
    /// Of a tenant, with a member, a team with that member, and a custom role that nobody has.
    async fn made_in(app: &TestApp, tenant: &Tenant) -> Self {
        let user = app.somebody(&format!("member@{}.example", tenant.slug), Some((tenant, Role::Viewer))).await;
        let (team, role) = (Uuid::now_v7(), Uuid::now_v7());
        let mut tx = app.marked("tenant", Some(tenant.id.uuid()), None).await;
        for (statement, second) in [
            ("insert into team (tenant_id, id, name, changed_by) values ($1, $2, 'Crew', 'a')", team),
            (
                "insert into custom_role (tenant_id, id, name, permissions, changed_by)
                 values ($1, $2, 'Helper', '{content:read}', 'a')",
                role,
            ),
        ] {
            sqlx::query(statement).bind(tenant.id.uuid()).bind(second).execute(&mut *tx).await.unwrap();
        }
        sqlx::query("insert into team_member (tenant_id, team_id, user_id) values ($1, $2, $3)")
            .bind(tenant.id.uuid())
            .bind(team)
            .bind(user)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Self::of(user, team, role)
    }

    fn of(user: Uuid, team: Uuid, role: Uuid) -> Self {
        Self {
            user: format!("usr_{}", user.simple()),
            team: format!("team_{}", team.simple()),
            role: format!("role_{}", role.simple()),
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{user}", &self.user).replace("{team}", &self.team).replace("{role}", &self.role)
    }
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
        let post = |name: &str| vec![format!("x,{name},p1,2026-11-20T10:00:00Z,50,100,4,3,2,1")];
        let imports = BTreeMap::from([
            ("acme", app.posts(&acme, &post("acme-page")).await),
            ("other", app.posts(&other, &post("other-page")).await),
        ]);
        let mut people = BTreeMap::new();
        for (name, role) in
            [("viewer", Role::Viewer), ("editor", Role::Editor), ("admin", Role::Admin), ("owner", Role::Owner)]
        {
            people.insert(name, app.somebody(&format!("{name}@acme.example"), Some((&acme, role))).await);
        }
        people.insert("custom", app.somebody_with("custom@acme.example", &acme, CUSTOM).await);
        people.insert("staff", app.somebody("staff@rtv.example", None).await);
        let foreigner = app.somebody("owner@other.example", Some((&other, Role::Owner))).await;
        let teams = BTreeMap::from([
            ("acme", TeamIds::made_in(&app, &acme).await),
            ("other", TeamIds::made_in(&app, &other).await),
        ]);
        let ctx = access::enter_as_operator(&app.operator(), &acme.slug, "test").await.unwrap();
        let new = NewInvitation { email: "guest@acme.example".into(), role: "viewer".into() };
        invitation::invite(&ctx, &app.state.outbox, &new).await.unwrap();
        let mail = mail::list(&app.operator()).await.unwrap()[0].id.to_string();
        Self { app, people, foreigner, imports, teams, mail }
    }

    /// Puts ids of members, teams and roles in where an address or an argument asks for one.
    fn fill(&self, target: &str, text: &str) -> String {
        let nobodys = || TeamIds::of(Uuid::from_u128(42), Uuid::from_u128(43), Uuid::from_u128(44));
        match self.teams.get(Self::tenant(target)) {
            Some(ids) => ids.fill(text),
            None => nobodys().fill(text),
        }
    }

    /// A browser of the actor with a session that nothing else uses.
    async fn browser(&self, actor: &str) -> Browser<'_> {
        match self.people.get(actor) {
            Some(person) => self.app.signed_in(*person).await,
            None => self.app.browser(),
        }
    }

    /// Slug of the tenant that a target means. The people with roles belong to `acme`; staff belong to none.
    fn tenant(target: &str) -> &'static str {
        match target {
            "own" => "acme",
            "foreign" => "other",
            _ => "nowhere",
        }
    }

    /// Id of a session that a target means.
    async fn session(&self, actor: &str, target: &str) -> Uuid {
        match (target, self.people.get(actor)) {
            ("own", Some(person)) => self.app.session(*person).await.1,
            ("own" | "foreign", _) => self.app.session(self.foreigner).await.1,
            _ => Uuid::now_v7(),
        }
    }

    /// Id of what is to be reached in the tenant that a target of the question means.
    async fn goal(&self, target: &str) -> String {
        let id = if target == "nonexistent" {
            Uuid::now_v7()
        } else {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            let id = sqlx::query_scalar(
                "insert into target (tenant_id, id, kpi, amount) values ($1, $2, 'reach', 5)
                 on conflict on constraint target_scope_unique do update set amount = 5 returning id",
            )
            .bind(tenant)
            .bind(Uuid::now_v7())
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            tx.commit().await.unwrap();
            id
        };
        format!("tgt_{}", id.simple())
    }

    /// Id of an event in the audit log of the tenant that a target of the question means.
    async fn event(&self, target: &str) -> String {
        let id = if target == "nonexistent" {
            Uuid::now_v7()
        } else {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            sqlx::query_scalar("select id from audit_event order by id limit 1").fetch_one(&mut *tx).await.unwrap()
        };
        format!("evt_{}", id.simple())
    }

    /// Id of an open invitation of the tenant that a target means, of which no mail was sent lately.
    async fn invitation(&self, target: &str) -> String {
        let id = Uuid::now_v7();
        if target != "nonexistent" {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            sqlx::query(
                "insert into invitation (tenant_id, id, email, role, token_hash, inviter_name, sent_at, expires_at)
                 values ($1, $2, $3, 'viewer', $4, 'Somebody', '2026-11-20T09:00:00Z', '2026-11-27T09:00:00Z')",
            )
            .bind(tenant)
            .bind(id)
            .bind(format!("{}@guest.example", id.simple()))
            .bind(&id.as_bytes()[..])
            .execute(&mut *tx)
            .await
            .unwrap();
            tx.commit().await.unwrap();
        }
        format!("inv_{}", id.simple())
    }

    /// Id of a key for programs of the tenant that a target means.
    async fn api_key(&self, target: &str) -> String {
        let id = Uuid::now_v7();
        if target != "nonexistent" {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            sqlx::query(
                "insert into api_key (tenant_id, id, name, prefix, secret_hash, permissions, author_label, expires_at)
                 values ($1, $2, 'Nightly', 'rtv_00000000', sha256(uuid_send($2)), '{content:read}', 'a', '2026-12-21T09:00:00Z')",
            )
            .bind(tenant)
            .bind(id)
            .execute(&mut *tx)
            .await
            .unwrap();
            tx.commit().await.unwrap();
        }
        format!("key_{}", id.simple())
    }

    /// Id of a content of the tenant that a target means, in a draft that goes to its account.
    async fn content(&self, target: &str) -> String {
        format!("con_{}", self.post_to_be(target).await.0.simple())
    }

    /// Id of a delivery of the tenant that a target means, which missed its time.
    async fn delivery(&self, target: &str) -> String {
        format!("dlv_{}", self.post_to_be(target).await.1.simple())
    }

    /// Content and delivery.
    async fn post_to_be(&self, target: &str) -> (Uuid, Uuid) {
        let (content, delivery) = (Uuid::now_v7(), Uuid::now_v7());
        if target != "nonexistent" {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            for statement in [
                "insert into content (tenant_id, id, body, created_by, changed_by) values ($1, $2, 'Hello', 'a', 'a')",
                "insert into delivery (tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at)
                 select $1, $3, $2, id, platform, 'missed', '2026-11-20T09:00:00Z', '2026-11-20T09:00:00Z' from account",
            ] {
                let query = sqlx::query(statement).bind(tenant).bind(content);
                let query = if statement.contains("$3") { query.bind(delivery) } else { query };
                query.execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        (content, delivery)
    }

    /// Ids of a report of the tenant that a target means, with a chart, and of a run of it that is done.
    async fn report(&self, target: &str) -> (String, String) {
        let ids = if target == "nonexistent" {
            (Uuid::from_u128(48).into(), Uuid::from_u128(48).into())
        } else {
            self.app.report(Self::tenant(target)).await
        };
        (ids.0.to_string(), ids.1.to_string())
    }

    /// Id of the competitor of the tenant that a target means.
    async fn competitor(&self, target: &str) -> String {
        if target == "nonexistent" {
            return format!("cpt_{}", Uuid::from_u128(50).simple());
        }
        let slug = Self::tenant(target).parse().unwrap();
        let ctx = access::enter_as_operator(&self.app.operator(), &slug, "test").await.unwrap();
        match competitor::list(&ctx).await.unwrap().first() {
            Some(kept) => kept.id.to_string(),
            None => competitor::add(&ctx, "Other").await.unwrap().to_string(),
        }
    }

    /// Id of the account of the tenant that a target means.
    async fn account(&self, target: &str) -> String {
        let id = if target == "nonexistent" {
            Uuid::now_v7()
        } else {
            let tenant = tenant_id(self, Self::tenant(target)).await;
            let mut tx = self.app.marked("tenant", Some(tenant), None).await;
            sqlx::query_scalar("select id from account").fetch_one(&mut *tx).await.unwrap()
        };
        format!("acc_{}", id.simple())
    }

    /// Id of the kill switch of a whole tenant that a target means, and of the halt by which staff have engaged it.
    async fn halt(&self, target: &str) -> (String, String) {
        if target == "nonexistent" {
            let nobodys = Uuid::from_u128(46).simple();
            return (format!("ks_{nobodys}"), format!("halt_{nobodys}"));
        }
        let tenant = tenant_id(self, Self::tenant(target)).await;
        let scope = Scope::Part { tenant: Some(tenant.into()), platform: None, action: None };
        let operator = self.app.operator();
        let engaged = kill_switch::engage(Side::Operator(&operator), &scope, &Why::default()).await.unwrap();
        (engaged.switch.to_string(), engaged.halt.to_string())
    }

    /// Id of an import that a target means.
    fn import(&self, target: &str) -> String {
        self.imports
            .get(Self::tenant(target))
            .copied()
            .unwrap_or_else(|| ImportId::from(Uuid::from_u128(42)))
            .to_string()
    }

    async fn ask(&self, entry: &Entry, target: &str, actor: &str) -> Answer {
        let mut path =
            entry.pattern.replace("{tenant}", Self::tenant(target)).replace("{import}", &self.import(target));
        if path.contains("{session}") {
            path = path.replace("{session}", &self.session(actor, target).await.to_string());
        }
        if path.contains("{target}") {
            path = path.replace("{target}", &self.goal(target).await);
        }
        if path.contains("{event}") {
            path = path.replace("{event}", &self.event(target).await);
        }
        path = self.fill(target, &path);
        if path.contains("{invitation}") {
            path = path.replace("{invitation}", &self.invitation(target).await);
        }
        if path.contains("{key}") {
            path = path.replace("{key}", &self.api_key(target).await);
        }
        if path.contains("{content}") {
            path = path.replace("{content}", &self.content(target).await);
        }
        if path.contains("{delivery}") {
            path = path.replace("{delivery}", &self.delivery(target).await);
        }
        if path.contains("{report}") {
            let (report, run) = self.report(target).await;
            path = path.replace("{report}", &report).replace("{run}", &run);
            // The second part is a chart; the first file is that of its table.
            path = path.replace("{block}", "2").replace("{part}", "2");
            if path.contains("{schedule}") || path.contains("{letter}") {
                let nobodys = (Uuid::from_u128(49).into(), Uuid::from_u128(49).into());
                let (schedule, letter): (ScheduleId, ReportMailId) = match target {
                    "nonexistent" => nobodys,
                    _ => {
                        let (report, run) = (report.parse().unwrap(), run.parse().unwrap());
                        self.app.schedule(Self::tenant(target), report, run).await
                    }
                };
                path = path.replace("{schedule}", &schedule.to_string()).replace("{letter}", &letter.to_string());
            }
        }
        if path.contains("{competitor}") {
            path = path.replace("{competitor}", &self.competitor(target).await);
        }
        if path.contains("{account}") {
            path = path.replace("{account}", &self.account(target).await);
        }
        if path.contains("{mail}") {
            let foreign = format!("mail_{}", Uuid::now_v7().simple());
            path = path.replace("{mail}", if target == "own" { &self.mail } else { &foreign });
        }
        if path.contains("{switch}") || path.contains("{halt}") {
            let (switch, halt) = self.halt(target).await;
            path = path.replace("{switch}", &switch).replace("{halt}", &halt);
        }
        path = path.replace("{name}", "csv");
        // Nobody here has asked for a release.
        path = path.replace("{release}", &format!("rel_{}", Uuid::from_u128(47).simple()));
        // Nobody here visits anything.
        path = path.replace("{visit}", &format!("vis_{}", Uuid::from_u128(45).simple()));
        // A link belongs to whoever holds it, so there is no foreign one; here are those that open nothing.
        path = path.replace("{token}", &"0".repeat(64));
        assert!(
            !path.contains('{'),
            "{}: this test does not know what to put into the address; teach it here",
            entry.name()
        );
        let mut browser = self.browser(actor).await;
        match (&entry.kind, entry.method.as_str()) {
            (Kind::Function(arguments), _) => {
                let arguments = arguments(Self::tenant(target), &self.import(target)).to_string();
                let mut arguments: Value = serde_json::from_str(&self.fill(target, &arguments)).unwrap();
                if arguments["event"].is_string() {
                    arguments["event"] = self.event(target).await.into();
                }
                if arguments["content"].is_string() {
                    arguments["content"] = self.content(target).await.into();
                }
                if arguments["delivery"].is_string() {
                    arguments["delivery"] = self.delivery(target).await.into();
                }
                if arguments["path"].is_array() {
                    arguments["path"] = json!([self.report(target).await.0]);
                }
                if arguments["competitor"].is_string() {
                    arguments["competitor"] = self.competitor(target).await.into();
                }
                if arguments["account"].is_string() {
                    arguments["account"] = self.account(target).await.into();
                }
                browser.call(&path, &arguments).await
            }
            (Kind::Address, "GET") => browser.get(&path).await,
            (Kind::Address, "POST") => browser.post(&path, &[]).await,
            (Kind::Address, other) => {
                panic!("{}: this test does not know how to ask with {other}; teach it here", entry.name())
            }
        }
    }
}

enum Kind {
    Address,
    /// The arguments of a server function by tenant and import, where it names them.
    Function(fn(&str, &str) -> Value),
}

struct Entry {
    method: String,
    pattern: String,
    kind: Kind,
}

impl Entry {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }

    fn targets(&self) -> &'static [&'static str] {
        let names_something = match self.kind {
            Kind::Address => self.pattern.contains('{'),
            Kind::Function(arguments) => arguments("one", "import") != arguments("two", "import"),
        };
        if names_something { &TARGETS } else { &["-"] }
    }
}

/// Everything that is served: pages, server functions, routes, and what answers all other addresses.
fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for page in rtv_server::router::pages() {
        for method in page.methods() {
            entries.push(Entry {
                method: format!("{method:?}").to_uppercase(),
                pattern: page.path().to_owned(),
                kind: Kind::Address,
            });
        }
    }
    for (path, method) in server_fn::axum::server_fn_paths() {
        entries.push(Entry {
            method: method.to_string(),
            pattern: path.to_owned(),
            kind: Kind::Function(arguments(path)),
        });
    }
    for (method, pattern, _) in rtv_server::router::routes().into_iter().chain(rtv_server::router::open_routes()) {
        entries.push(Entry { method: method.to_owned(), pattern: pattern.to_owned(), kind: Kind::Address });
    }
    for pattern in ["/anything/else", "/css/main.HASH.css", "/pkg/HASH/rtv.js", "/static/HASH/icons/icon.svg"] {
        entries.push(Entry { method: "GET".into(), pattern: pattern.into(), kind: Kind::Address });
    }
    entries.sort_by_key(|entry| (entry.pattern.clone(), entry.method.clone()));
    entries
}

/// What a server function is called with.
fn arguments(path: &str) -> fn(&str, &str) -> Value {
    match path {
        "/fn/settings" => |tenant, _| json!({ "tenant": tenant, "part": "security" }),
        "/fn/sign-in" => |_, _| json!({ "next": "/" }),
        "/fn/help-keyboard" | "/fn/home" | "/fn/sessions" | "/fn/profile" | "/fn/reset" => |_, _| json!({}),
        "/fn/staff" => |_, _| json!({ "path": "/staff/tenants", "query": [] }),
        "/fn/confirm" | "/fn/second-factor" => |_, _| json!({ "next": "/me" }),
        "/fn/invite" | "/fn/reset-link" | "/fn/handout" => |_, _| json!({ "token": "0".repeat(64) }),
        "/fn/api-keys"
        | "/fn/search"
        | "/fn/import-mappings"
        | "/fn/invitations"
        | "/fn/team-teams"
        | "/fn/team-roles" => |tenant, _| json!({ "tenant": tenant }),
        "/fn/account" => |tenant, _| json!({ "tenant": tenant, "account": "acc", "query": [] }),
        "/fn/competitors" => |tenant, _| json!({ "tenant": tenant, "competitor": "cpt", "query": [] }),
        "/fn/content" => |tenant, _| json!({ "tenant": tenant, "content": "con", "query": [] }),
        "/fn/report" => |tenant, _| json!({ "tenant": tenant, "path": ["rep"], "query": [] }),
        "/fn/delivery" => |tenant, _| json!({ "tenant": tenant, "delivery": "dlv", "query": [] }),
        "/fn/switches" => |tenant, _| json!({ "tenant": tenant, "below": "", "query": [] }),
        "/fn/halt-preview" => |tenant, _| json!({ "tenant": tenant, "scope": "all" }),
        "/fn/halts" => |_, _| json!({ "page": "/t/acme/dashboard", "seen": "" }),
        "/fn/audit-event" => |tenant, _| json!({ "tenant": tenant, "event": "evt" }),
        "/fn/team-member" | "/fn/team-member-removal" => |tenant, _| json!({ "tenant": tenant, "user": "{user}" }),
        "/fn/team-member-change" => {
            |tenant, _| json!({ "tenant": tenant, "user": "{user}", "query": [["role", "viewer"], ["version", "1"]] })
        }
        "/fn/team-team" => |tenant, _| json!({ "tenant": tenant, "team": "{team}", "query": [] }),
        "/fn/team-deletion" => |tenant, _| json!({ "tenant": tenant, "team": "{team}" }),
        "/fn/team-role" => |tenant, _| json!({ "tenant": tenant, "role": "{role}" }),
        "/fn/audit" | "/fn/dashboard" | "/fn/posts" | "/fn/targets" | "/fn/imports" | "/fn/team-members"
        | "/fn/team-access" => |tenant, _| json!({ "tenant": tenant, "query": [] }),
        "/fn/import" => |tenant, import| json!({ "tenant": tenant, "import": import, "query": [] }),
        "/fn/import-progress" | "/fn/import-roll-back" => {
            |tenant, import| json!({ "tenant": tenant, "import": import })
        }
        other => {
            panic!("{other} is not in the permission test; add its arguments here and its rows to permission.table")
        }
    }
}

/// A cell: the status, and where the answer leads by path and names of parameters.
fn cell(answer: &Answer) -> String {
    let status = answer.status.as_u16();
    if answer.location().is_empty() {
        return status.to_string();
    }
    let (path, query) = answer.location().split_once('?').unwrap_or((answer.location(), ""));
    let path = path.replace("/t/acme/", "/t/{tenant}/").replace("/tenants/acme", "/tenants/{tenant}");
    let worded = |part: &str| match part.split_once('_') {
        Some(("imp", _)) => "{import}".to_owned(),
        Some(("usr", _)) => "{user}".to_owned(),
        Some(("team", _)) => "{team}".to_owned(),
        Some(("role", _)) => "{role}".to_owned(),
        Some(("ks", _)) => "{switch}".to_owned(),
        Some(("halt", _)) => "{halt}".to_owned(),
        Some(("rel", _)) => "{release}".to_owned(),
        Some(("cpt", _)) => "{competitor}".to_owned(),
        Some(("con", _)) => "{content}".to_owned(),
        Some(("dlv", _)) => "{delivery}".to_owned(),
        Some(("acc", _)) => "{account}".to_owned(),
        Some(("rep", _)) => "{report}".to_owned(),
        Some(("run", _)) => "{run}".to_owned(),
        Some(("sch", _)) => "{schedule}".to_owned(),
        _ => part.to_owned(),
    };
    let path: Vec<String> = path.split('/').map(worded).collect();
    let path = path.join("/");
    let names: Vec<&str> =
        query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() { format!("{status} {path}") } else { format!("{status} {path}?{}", names.join("&")) }
}

type Row = ((String, String), Vec<String>);

fn parse(table: &str) -> Vec<Row> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned);
            let key = (cells.next().unwrap(), cells.next().unwrap_or_default());
            (key, cells.collect())
        })
        .collect()
}

fn write(row: &Row) -> String {
    let ((entry, target), cells) = row;
    let mut line = format!("{entry:<36}  {target:<11}");
    for cell in cells {
        line.push_str(&format!("  {cell:<26}"));
    }
    line.trim_end().to_owned()
}

/// Every difference between what is served and what the table says, in words.
fn differences(served: &[Row], table: &[Row]) -> Vec<String> {
    let mut found = Vec::new();
    for row in served {
        match table.iter().find(|listed| listed.0 == row.0) {
            None => found.push(format!("served, but not in the table:\n  {}", write(row))),
            Some(listed) if listed.1 != row.1 => {
                found.push(format!("answers\n  {}\nand the table says\n  {}", write(row), write(listed)));
            }
            Some(_) => {}
        }
    }
    for listed in table {
        if !served.iter().any(|row| row.0 == listed.0) {
            found.push(format!("in the table, but nothing serves it:\n  {}", write(listed)));
        }
    }
    let names: Vec<&(String, String)> = table.iter().map(|row| &row.0).collect();
    for pair in names.windows(2) {
        let place = |(entry, target): &(String, String)| {
            let (method, pattern) = entry.split_once(' ').unwrap_or_default();
            (pattern.to_owned(), method.to_owned(), TARGETS.iter().position(|one| one == target))
        };
        if place(pair[0]) >= place(pair[1]) {
            found.push(format!("the table is not sorted, or names twice: {} {}", pair[1].0, pair[1].1));
        }
    }
    found
}

#[tokio::test]
async fn everything_that_is_served_answers_each_actor_as_the_table_says() {
    let world = World::new().await;
    let mut served = Vec::new();
    for entry in entries() {
        for target in entry.targets() {
            let mut cells = Vec::new();
            for actor in ACTORS {
                cells.push(cell(&world.ask(&entry, target, actor).await));
            }
            served.push(((entry.name(), (*target).to_owned()), cells));
        }
    }
    let found = differences(&served, &parse(TABLE));
    assert!(
        found.is_empty(),
        "{}\n\nAs it is served now:\n{}\n",
        found.join("\n"),
        served.iter().map(write).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn a_difference_from_the_table_is_found_whichever_side_it_is_on() {
    let row = |entry: &str, target: &str, cells: &[&str]| -> Row {
        ((entry.into(), target.into()), cells.iter().map(|cell| (*cell).to_owned()).collect())
    };
    let table =
        parse("# heading\n\nGET /a  -  200  303 /sign-in?next\nPOST /b  own  200  404\nPOST /b  foreign  404  404\n");
    let served = [
        row("GET /a", "-", &["200", "303 /sign-in?next"]),
        row("POST /b", "own", &["200", "404"]),
        row("POST /b", "foreign", &["404", "404"]),
    ];
    assert_eq!(differences(&served, &table), Vec::<String>::new());
    let check = |served: &[Row], table: &[Row], expect: &str| {
        let found = differences(served, table);
        assert!(found.len() == 1 && found[0].contains(expect), "{found:?}");
    };
    check(&served, &table[..2], "not in the table:\n  POST /b");
    check(&served[1..], &table, "nothing serves it:\n  GET /a");
    check(&[served[0].clone(), row("POST /b", "own", &["200", "200"]), served[2].clone()], &table, "the table says");
    check(&[row("GET /a", "-", &["200", "303 /"]), served[1].clone(), served[2].clone()], &table, "the table says");
    check(&served, &[table[1].clone(), table[0].clone(), table[2].clone()], "not sorted");
}

/// Compares two answers to the byte, headers included.
#[track_caller]
fn check_equal(foreign: &Answer, nonexistent: &Answer, about: &str) {
    assert_eq!(foreign.status, nonexistent.status, "{about}");
    assert_eq!(foreign.plain_headers(), nonexistent.plain_headers(), "{about}");
    assert_eq!(foreign.plain(), nonexistent.plain(), "{about}");
    assert_eq!(foreign.body.len(), nonexistent.body.len(), "{about}");
}

#[tokio::test]
async fn what_belongs_to_others_answers_to_the_byte_as_what_does_not_exist() {
    let world = World::new().await;
    let mut compared = 0;
    for entry in entries().iter().filter(|entry| entry.targets().len() > 1) {
        // Anonymous browsers are led to sign in with the address they asked for, which is compared by the table. To staff
        // the console shows every tenant and every user.
        let is_console = ["/staff/tenants/", "/staff/users/", "/staff/switches/"]
            .iter()
            .any(|place| entry.pattern.starts_with(place));
        for actor in ACTORS[1..].iter().filter(|actor| !is_console || **actor != "staff") {
            let foreign = world.ask(entry, "foreign", actor).await;
            let nonexistent = world.ask(entry, "nonexistent", actor).await;
            assert_eq!(foreign.status, 404, "{} as {actor}", entry.name());
            check_equal(&foreign, &nonexistent, &format!("{} as {actor}", entry.name()));
            compared += 1;
        }
    }
    assert_eq!(
        compared,
        (52 + 30 + 14 + 80) * 6 + (3 + 9 + 8) * 5,
        "52 pages, 30 server functions, fourteen files and 80 forms, for six actors each, and what the console shows staff"
    );
}

#[tokio::test]
async fn a_tenant_is_not_to_be_guessed_by_any_spelling() {
    let world = World::new().await;
    let mut viewer = world.browser("viewer").await;
    let nowhere = viewer.get("/t/nowhere/dashboard").await;
    for path in [
        "/t/other/dashboard",
        "/t/OTHER/dashboard",
        "/t/other%00/dashboard",
        "/t/%6Fther/dashboard",
        "/t/-/dashboard",
        "/t/a..b/posts",
    ] {
        check_equal(&viewer.get(path).await, &nowhere, path);
    }
    // People see the very page of an address that nobody serves; only what the browser's program continues with differs.
    let seen = |answer: &Answer| answer.plain().split("</html>").next().map(str::to_owned);
    let anything = viewer.get("/anything/else").await;
    assert_eq!((anything.status, seen(&anything)), (nowhere.status, seen(&nowhere)));
}

#[tokio::test]
async fn an_account_or_a_post_of_others_filters_as_one_that_does_not_exist() {
    let world = World::new().await;
    let foreign: Uuid = {
        let other = tenant_id(&world, "other").await;
        let mut tx = world.app.marked("tenant", Some(other), None).await;
        sqlx::query_scalar("select id from account").fetch_one(&mut *tx).await.unwrap()
    };
    let nobodys = Uuid::now_v7();
    let mut viewer = world.browser("viewer").await;
    for page in ["dashboard", "posts", "charts/trend.svg", "charts/trend.json"] {
        let mut answers = Vec::new();
        for id in [foreign, nobodys] {
            let mut answer = viewer.get(&format!("/t/acme/{page}?account=acc_{}", id.simple())).await;
            // The refusal repeats what was asked for.
            answer.body = answer.text().replace(&id.simple().to_string(), "ASKED").into();
            answers.push(answer);
        }
        assert_eq!(answers[0].status, 422, "{page}");
        check_equal(&answers[0], &answers[1], page);
    }
    for function in ["/fn/dashboard", "/fn/posts"] {
        let mut answers = Vec::new();
        for id in [foreign, nobodys] {
            let asked = format!("acc_{}", id.simple());
            let mut answer = viewer.call(function, &json!({ "tenant": "acme", "query": [["account", asked]] })).await;
            answer.body = answer.text().replace(&id.simple().to_string(), "ASKED").into();
            answers.push(answer);
        }
        // A page in the browser takes the refusal out of the answer; with an error's status it would not be read.
        assert_eq!(answers[0].status, 200, "{function}");
        assert!(answers[0].text().contains("there is no account"), "{}", answers[0].text());
        check_equal(&answers[0], &answers[1], function);
    }
}

async fn tenant_id(world: &World, slug: &str) -> Uuid {
    let all: Vec<Tenant> =
        rtv_domain::tenant::list(&world.app.operator()).await.unwrap().into_iter().map(|one| one.tenant).collect();
    all.iter().find(|tenant| tenant.slug.as_str() == slug).unwrap().id.uuid()
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let world = World::new().await;
    let mut theirs = world.app.signed_in(world.foreigner).await;
    let mut tx = world.app.marked("worker", None, None).await;
    let ids: Vec<Uuid> = sqlx::query_scalar("select public_id from session").fetch_all(&mut *tx).await.unwrap();
    drop(tx);
    for actor in ACTORS {
        for id in &ids {
            world.browser(actor).await.post(&format!("/me/sessions/{id}/end"), &[]).await;
        }
        world.browser(actor).await.post("/me/sessions/end-others", &[]).await;
    }
    assert_eq!(theirs.get("/me/sessions").await.status, 200, "the session lives on");
}

/// A method that no route of an address has answers without doing anything.
#[tokio::test]
async fn a_form_is_not_submitted_by_following_a_link() {
    let world = World::new().await;
    let mut owner = world.browser("owner").await;
    let other_session = world.app.session(world.people["owner"]).await.1;
    let before = world.app.session_count().await;
    for path in [
        "/sign-out".to_owned(),
        "/me/sessions/end-others".into(),
        format!("/me/sessions/{other_session}/end"),
        "/t/acme/sample-data/remove".into(),
    ] {
        let answer = owner.get(&path).await;
        assert!(matches!(answer.status.as_u16(), 404 | 405), "{path}: {}", answer.status);
        let head = Request::head(&path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap();
        assert!(matches!(owner.send(head).await.status.as_u16(), 404 | 405), "{path}");
    }
    let filled = "/sign-in?email=owner%40acme.example&password=granite+kettle+nine+pelicans";
    assert_eq!(world.app.browser().get(filled).await.status, 200, "the form, and nothing else");
    let call = Request::get("/fn/sessions").header(header::ACCEPT, "application/json").body(form(&[])).unwrap();
    assert!(
        matches!(owner.send(call).await.status.as_u16(), 404 | 405),
        "a server function answers forms of ours alone"
    );
    assert_eq!(world.app.session_count().await, before, "no session has ended or begun");
    assert_eq!(owner.get("/me/sessions").await.status, 200);
}

#[tokio::test]
async fn the_gallery_is_the_staffs_and_like_nothing_to_others() {
    let world = World::new().await;
    let seen = |answer: &Answer| answer.plain().split("</html>").next().map(str::to_owned);
    for actor in &ACTORS[..5] {
        let mut browser = world.browser(actor).await;
        let nothing = browser.get("/staff/nothing").await;
        let gallery = browser.get("/staff/gallery").await;
        assert_eq!((gallery.status, seen(&gallery)), (nothing.status, seen(&nothing)), "{actor}");
    }
    let mut staff = world.browser("staff").await;
    for sheet in app::gallery::Sheet::ALL {
        let path = format!("/staff/gallery?show={}&density=compact&theme=dark", sheet.key());
        let answer = staff.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{path}");
        let text = answer.text();
        assert!(text.contains("data-density=\"compact\"") && text.contains("data-theme=\"dark\""), "{path}: {text}");
        assert!(!text.contains("<script") && !text.contains(" style="), "{path}: {text}");
        assert_eq!(text.matches("<h1").count(), 1, "{path}");
    }
    let parts = staff.get("/staff/gallery").await.text();
    assert!(parts.contains("data-frame=\"staff\"") && parts.contains("staff@rtv.example"));
    assert!(staff.get("/staff/gallery/chart.svg?size=narrow").await.text().contains("<svg"));
}
