//! Where nothing may change, nothing does, whatever is posted, and everything is answered that was answered before. The
//! routes come from the server's own list, so a new one is tried without anybody adding it here. That the forms of this
//! test would change something is shown by posting the same where everything may change.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, header};
use rtv_core::{ImportId, ReportId, ReportMailId, Role, RunId, ScheduleId};
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::life_cycle::{self, Step};
use rtv_domain::{Tenant, access, maintenance};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::test_app::{Answer, Browser, TestApp};

/// What takes away and gives nothing goes on where nothing else changes.
const STOPS: [&str; 6] = [
    "/t/{tenant}/reports/{report}/runs/{run}/cancel",
    "/t/{tenant}/switches/halt",
    "/t/{tenant}/api-keys/{key}/revoke",
    "/t/{tenant}/team/invitations/{invitation}/revoke",
    "/t/{tenant}/team/members/{user}/remove",
    "/t/{tenant}/team/teams/{team}/members/{user}/remove",
];

/// Those of them for which this test has somebody or something, each before what would take it with it.
const REMOVALS: [&str; 4] = [
    "/t/{tenant}/switches/halt",
    "/t/{tenant}/team/teams/{team}/members/{user}/remove",
    "/t/{tenant}/team/invitations/{invitation}/revoke",
    "/t/{tenant}/team/members/{user}/remove",
];

/// What may grow and change: who was here, and who tried what.
const TRACES: [&str; 5] = ["audit_event", "audit_unsealed", "session", "sign_in_limit", "member_visit"];

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
    staff: Uuid,
    import: ImportId,
    member: Uuid,
    team: Uuid,
    role: Uuid,
    target: Uuid,
    content: Uuid,
    delivery: Uuid,
    account: Uuid,
    report: (ReportId, RunId),
    schedule: (ScheduleId, ReportMailId),
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let import = app.posts(&acme, &["x,acme-page,p1,2026-11-20T10:00:00Z,50,100,4,3,2,1".into()]).await;
        let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
        app.somebody("second@acme.example", Some((&acme, Role::Owner))).await;
        let member = app.somebody("member@acme.example", Some((&acme, Role::Viewer))).await;
        let staff = app.somebody("staff@rtv.example", None).await;
        let [team, role, target, content, delivery] = [(); 5].map(|()| Uuid::now_v7());
        let mut tx = app.marked("tenant", Some(acme.id.uuid()), None).await;
        for (statement, id) in [
            ("insert into team (tenant_id, id, name, changed_by) values ($1, $2, 'Crew', 'a')", team),
            (
                "insert into custom_role (tenant_id, id, name, permissions, changed_by)
                 values ($1, $2, 'Helper', '{content:read}', 'a')",
                role,
            ),
            ("insert into target (tenant_id, id, kpi, amount) values ($1, $2, 'impressions', 5)", target),
            ("insert into team_member (tenant_id, team_id, user_id) values ($1, (select id from team), $2)", member),
        ] {
            sqlx::query(statement).bind(acme.id.uuid()).bind(id).execute(&mut *tx).await.unwrap();
        }
        sqlx::query(
            "insert into content (tenant_id, id, body, created_by, changed_by) values ($1, $2, 'Hello', 'a', 'a')",
        )
        .bind(acme.id.uuid())
        .bind(content)
        .execute(&mut *tx)
        .await
        .unwrap();
        let account = sqlx::query_scalar("select id from account").fetch_one(&mut *tx).await.unwrap();
        sqlx::query(
            "insert into delivery (tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at)
             values ($1, $2, $3, $4, 'x', 'in_review', '2026-11-29T09:00:00Z', '2026-11-29T09:00:00Z')",
        )
        .bind(acme.id.uuid())
        .bind(delivery)
        .bind(content)
        .bind(account)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let ctx = access::enter_as_operator(&app.operator(), &acme.slug, "test").await.unwrap();
        let new = NewInvitation { email: "guest@acme.example".into(), role: "viewer".into() };
        invitation::invite(&ctx, &app.state.outbox, &new).await.unwrap();
        let report = app.report("acme").await;
        let schedule = app.schedule("acme", report.0, report.1).await;
        Self {
            app,
            acme,
            owner,
            staff,
            import,
            member,
            team,
            role,
            target,
            content,
            delivery,
            account,
            report,
            schedule,
        }
    }

    async fn browser(&self, person: Uuid) -> Browser<'_> {
        let browser = self.app.signed_in(person).await;
        self.app.prove(person).await;
        browser
    }

    async fn invitation(&self) -> Uuid {
        let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
        sqlx::query_scalar("select id from invitation order by id desc limit 1").fetch_one(&mut *tx).await.unwrap()
    }

    /// An address of a pattern, with what there is.
    async fn address(&self, pattern: &str) -> String {
        let id = |prefix: &str, id: Uuid| format!("{prefix}_{}", id.simple());
        let mut path = pattern.replace("{tenant}", "acme").replace(":tenant", "acme");
        for (name, value) in [
            ("{user}", id("usr", self.member)),
            ("{team}", id("team", self.team)),
            ("{role}", id("role", self.role)),
            ("{target}", id("tgt", self.target)),
            ("{import}", self.import.to_string()),
            ("{content}", id("con", self.content)),
            ("{delivery}", id("dlv", self.delivery)),
            ("{account}", id("acc", self.account)),
            ("{report}", self.report.0.to_string()),
            ("{run}", self.report.1.to_string()),
            ("{schedule}", self.schedule.0.to_string()),
            ("{letter}", self.schedule.1.to_string()),
            ("{block}", "2".into()),
            ("{part}", "2".into()),
            ("{name}", "csv".into()),
            ("{invitation}", id("inv", self.invitation().await)),
            ("{switch}", id("ks", Uuid::from_u128(7))),
            ("{halt}", id("halt", Uuid::from_u128(7))),
            ("{release}", id("rel", Uuid::from_u128(7))),
            ("{visit}", id("vis", Uuid::from_u128(7))),
            ("{session}", Uuid::from_u128(7).to_string()),
            ("{token}", "0".repeat(64)),
        ] {
            path = path.replace(name, &value);
        }
        path
    }

    /// Posts a form that would change something.
    async fn post(&self, browser: &mut Browser<'_>, pattern: &str) -> Answer {
        let path = self.address(pattern).await;
        if pattern == "/t/{tenant}/imports" {
            let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n\r\na,b\n1,2\n\r\n--b--\r\n";
            let request = Request::post(path)
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
            return browser.send(request.body(Body::from(body)).unwrap()).await;
        }
        let fields: &[(&str, &str)] = match pattern {
            "/t/{tenant}/team/invitations" => &[("email", "new@acme.example"), ("role", "viewer")],
            "/t/{tenant}/team/members/{user}" => &[("role", "editor"), ("version", "1")],
            "/t/{tenant}/team/teams" => &[("name", "Another")],
            "/t/{tenant}/team/roles" => &[("name", "Another"), ("permission", "content:read")],
            "/t/{tenant}/team/teams/{team}/members" => {
                &[("user", "owner@acme.example"), ("role", "viewer"), ("version", "1")]
            }
            "/t/{tenant}/team/roles/{role}" => {
                &[("name", "Helpers"), ("permission", "content:create"), ("version", "1")]
            }
            "/t/{tenant}/reports" => &[("template", "weekly")],
            "/t/{tenant}/reports/{report}/schedules/{schedule}/act" => &[("act", "copy")],
            "/t/{tenant}/settings/report-domains" => &[("report_domains", "client.example"), ("version", "1")],
            "/t/{tenant}/reports/{report}/parts" => &[("add", "section"), ("version", "1")],
            "/t/{tenant}/switches/halt" => &[("scope", "all"), ("reason", "drill")],
            "/staff/switches/halt" => &[("scope", "global"), ("reason", "drill")],
            "/t/{tenant}/targets" => &[("kpi", "reach"), ("aim", "all"), ("amount", "5")],
            "/t/{tenant}/content/{content}/return" => &[("note", "Shorter"), ("version", "1")],
            "/t/{tenant}/deliveries/{delivery}/decide" => &[("choice", "drop"), ("version", "1")],
            "/t/{tenant}/settings/sandbox" => &[("is_sandbox", "on"), ("version", "1")],
            "/t/{tenant}/audit/retention" => &[("days", "400"), ("version", "1")],
            "/t/{tenant}/team/second-factor" => &[("required", "on")],
            "/me/name" => &[("name", "Another Name")],
            path if path == app::preference::ACTION => &[("theme", "dark")],
            "/staff/tenants" => &[("slug", "fresh"), ("name", "Fresh")],
            "/staff/tenants/{tenant}/status" => &[("step", "suspend"), ("reason", "why"), ("version", "1")],
            "/staff/tenants/{tenant}/plan" => &[("plan", "starter"), ("version", "1")],
            "/staff/tenants/{tenant}/limits" => &[("limit", "users"), ("value", "20"), ("version", "1")],
            _ => &[("name", "Another"), ("version", "1"), ("reason", "why")],
        };
        browser.post(&path, fields).await
    }

    /// Every row of every table but the traces, as one text for each table.
    async fn rows(&self, owner: &PgPool) -> BTreeMap<String, Vec<String>> {
        let mut tx = owner.begin().await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
        )
        .fetch_all(&mut *tx)
        .await
        .unwrap();
        let mut rows = BTreeMap::new();
        for table in tables.into_iter().filter(|table| !TRACES.contains(&table.as_str())) {
            // The owner is held by row security too; this is undone with the transaction.
            let open = format!("alter table {table} no force row level security");
            sqlx::query(AssertSqlSafe(open)).execute(&mut *tx).await.unwrap();
            let all = format!("select to_jsonb(one)::text from {table} as one order by 1");
            rows.insert(table, sqlx::query_scalar(AssertSqlSafe(all)).fetch_all(&mut *tx).await.unwrap());
        }
        tx.rollback().await.unwrap();
        rows
    }

    /// Posts to all of the routes and says in which tables something changed.
    async fn changed_in(&self, routes: &[&'static str], person: Uuid) -> Vec<String> {
        let owner = self.app.db.owner_pool().await;
        let before = self.rows(&owner).await;
        for route in routes {
            let answer = self.post(&mut self.browser(person).await, route).await;
            assert!(answer.status.as_u16() < 500, "{route}: {}", answer.text());
        }
        let after = self.rows(&owner).await;
        before.keys().filter(|table| before[*table] != after[*table]).cloned().collect()
    }

    /// Posts to each of the routes and says which of them changed something.
    async fn changed_by(&self, routes: &[&'static str], person: Uuid) -> Vec<&'static str> {
        let owner = self.app.db.owner_pool().await;
        let mut changed = Vec::new();
        for route in routes {
            let mut browser = self.browser(person).await;
            let before = self.rows(&owner).await;
            let answer = self.post(&mut browser, route).await;
            assert!(answer.status.as_u16() < 500, "{route}: {}", answer.text());
            if self.rows(&owner).await != before {
                changed.push(*route);
            }
        }
        changed
    }
}

fn posts(under: &str) -> Vec<&'static str> {
    rtv_server::router::routes()
        .into_iter()
        .filter(|(method, pattern, _)| *method == "POST" && pattern.starts_with(under))
        .map(|(_, pattern, _)| pattern)
        .collect()
}

#[tokio::test]
async fn nothing_that_is_posted_changes_a_suspended_tenant_and_everything_is_still_answered() {
    let world = World::new().await;
    let (stops, routes): (Vec<_>, Vec<_>) = posts("/t/{tenant}/").into_iter().partition(|route| STOPS.contains(route));
    assert!(routes.len() >= 24, "the list was not read: {routes:?}");
    assert_eq!(stops.len(), STOPS.len());
    let pages: Vec<String> = rtv_server::router::pages()
        .iter()
        .map(|page| page.path().to_owned())
        .chain(
            rtv_server::router::routes()
                .into_iter()
                .filter(|(method, ..)| *method == "GET")
                .map(|(_, pattern, _)| pattern.to_owned()),
        )
        .filter(|pattern| pattern.starts_with("/t/{tenant}/"))
        .collect();
    assert!(pages.len() >= 20, "{pages:?}");
    let mut before = Vec::new();
    let mut browser = world.browser(world.owner).await;
    for page in &pages {
        before.push(browser.get(&world.address(page).await).await.status);
    }
    for step in [Step::Suspend, Step::Cancel] {
        let reason = "Bill 17 is open";
        life_cycle::take(&world.app.operator(), &world.acme.slug, step, Some(reason), None).await.unwrap();
        assert_eq!(world.changed_in(&routes, world.owner).await, Vec::<String>::new());
        for (page, before) in pages.iter().zip(&before) {
            let answer = browser.get(&world.address(page).await).await;
            assert_eq!(answer.status, *before, "{page}");
            let is_page = answer.header("content-type").starts_with("text/html") && answer.status == 200;
            assert!(!is_page || answer.text().contains(reason), "{page} does not say why nothing changes");
        }
    }
    // A refusal leads back to the page, which says why.
    let refused = world.post(&mut browser, "/t/{tenant}/targets").await;
    assert_eq!((refused.status.as_u16(), refused.location()), (303, "/t/acme/targets"));
    assert!(browser.get("/t/acme/targets").await.text().contains("role=\"alert\""));
    life_cycle::take(&world.app.operator(), &world.acme.slug, Step::Resume, None, None).await.unwrap();
    let changed = world.changed_by(&routes, world.owner).await;
    assert!(changed.len() >= 10, "the forms of this test change too little to prove anything: {changed:?}");
}

#[tokio::test]
async fn nothing_that_is_posted_changes_anything_during_maintenance_but_what_must_go_on() {
    let world = World::new().await;
    let routes = posts("/");
    maintenance::switch_on(&world.app.operator(), "New disks", None).await.unwrap();
    let own: Vec<_> = routes.iter().copied().filter(|route| !route.starts_with("/staff/")).collect();
    let others: Vec<_> = own.iter().copied().filter(|route| !STOPS.contains(route)).collect();
    assert_eq!(world.changed_in(&others, world.owner).await, Vec::<String>::new());
    let staff: Vec<_> = routes.iter().copied().filter(|route| route.starts_with("/staff/")).collect();
    assert_eq!(
        world.changed_by(&staff, world.staff).await,
        [
            // Looking is no change, and a visit is how staff look.
            "/staff/tenants/{tenant}/visit",
            // Stopping somebody, and letting them in again.
            "/staff/users/{user}/disable",
            "/staff/users/{user}/enable",
            "/staff/users/{user}/reset-password",
            "/staff/switches/halt",
            "/staff/maintenance",
            "/staff/maintenance/off",
        ]
    );
    let changed = world.changed_by(&own, world.owner).await;
    assert!(changed.contains(&"/me/name") && changed.len() >= 14, "after it, forms change again: {changed:?}");
}

#[tokio::test]
async fn what_takes_away_and_gives_nothing_goes_on_where_nothing_else_changes() {
    for is_maintenance in [false, true] {
        let world = World::new().await;
        let operator = world.app.operator();
        if is_maintenance {
            maintenance::switch_on(&operator, "New disks", None).await.unwrap();
        } else {
            life_cycle::take(&operator, &world.acme.slug, Step::Suspend, Some("Bill 17"), None).await.unwrap();
        }
        assert_eq!(world.changed_by(&REMOVALS, world.owner).await, REMOVALS);
    }
}

#[tokio::test]
async fn a_program_that_asks_for_a_page_is_told_what_holds_it() {
    let world = World::new().await;
    life_cycle::take(&world.app.operator(), &world.acme.slug, Step::Suspend, Some("Bill 17"), None).await.unwrap();
    let mut owner = world.browser(world.owner).await;
    let page = owner.call("/fn/targets", &json!({ "tenant": "acme", "query": [] })).await;
    let content: Value = serde_json::from_str(&page.text()).unwrap();
    let notice = content["frame"]["notice"].as_str().unwrap();
    assert!(notice.contains("This organisation is suspended: Bill 17."), "{notice}");
}
