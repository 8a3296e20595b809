//! The page of a run: what it says has changed since, and what it says to whom its figures are not for.

use rtv_core::report::{Block, Content, Definition, Dimension, FileFormat, Measure, Query, Section, Source};
use rtv_core::{Permission, ReportId, Role, RunId};

use rtv_domain::{Actor, RequestInfo, Tenant, TenantContext, access, report};
use uuid::Uuid;

use crate::test_app::TestApp;

struct World {
    app: TestApp,
    acme: Tenant,
    ctx: TenantContext,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        app.posts(&acme, &["x,a,p1,2026-11-02T10:00:00Z,10".into(), "x,b,p2,2026-11-03T10:00:00Z,7".into()]).await;
        let ctx = access::enter_as_operator(&app.operator(), &acme.slug, "test").await.unwrap();
        Self { app, acme, ctx }
    }

    /// A run of a table of accounts without its totals, with a CSV.
    async fn run(&self) -> (ReportId, RunId) {
        let query = Query {
            source: Source::Platforms,
            dimensions: vec![Dimension::Account],
            measures: vec![Measure::Published],
            sort: None,
            limit: None,
            is_compared: false,
        };
        let content = Content::Table { query, has_totals: false };
        let block = Block { id: 2, title: "By account".into(), content };
        let definition = Definition {
            name: "November".into(),
            parameters: "range=custom&from=2026-11-01&to=2026-11-10".into(),
            sections: vec![Section { id: 1, title: String::new(), blocks: vec![block] }],
            ..Definition::default()
        };
        let id = report::create(&self.ctx, &definition, "Started").await.unwrap();
        let run = report::begin(&self.ctx, id, None).await.unwrap();
        let worker = self.app.state.context(Actor::System("test"), RequestInfo::default());
        let ticket = report::Ticket { tenant: self.acme.id, run };
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
        report::finish(&taken.ctx, &self.app.state.outbox, &taken.run, &filled, &[file], None, &[]).await.unwrap();
        (id, run)
    }
}

#[tokio::test]
async fn the_page_of_a_run_names_the_rows_that_have_changed_although_their_number_and_sum_have_not() {
    let world = World::new().await;
    let (report, run) = world.run().await;
    let editor = world.app.somebody("editor@acme.example", Some((&world.acme, Role::Editor))).await;
    let mut browser = world.app.signed_in(editor).await;
    let page = format!("/t/acme/reports/{report}/runs/{run}");
    let before = browser.get(&page).await.text();
    assert!(before.contains("Nothing has changed since") && !before.contains("data-changed"), "{before}");
    world.app.posts(&world.acme, &["x,a,p3,2026-11-04T10:00:00Z,1".into()]).await;
    let after = browser.get(&page).await.text();
    assert!(!after.contains("Nothing has changed since"), "{after}");
    for words in ["By account: 1 row has other figures.", "By account, a: Content published 1 then, 2 now."] {
        assert!(after.contains(words), "“{words}” is missing: {after}");
    }
}

#[tokio::test]
async fn a_run_of_all_figures_shows_none_to_whoever_sees_those_of_a_team_alone() {
    let world = World::new().await;
    let (report, run) = world.run().await;
    let reader = world.app.somebody_with("reader@acme.example", &world.acme, &[Permission::ReportsRead]).await;
    let team = Uuid::now_v7();
    let mut tx = world.app.marked("tenant", Some(world.acme.id.uuid()), None).await;
    for (statement, id) in [
        ("insert into team (tenant_id, id, name, changed_by) values ($1, $2, 'North', 'a')", team),
        (
            "insert into team_account (tenant_id, team_id, account_id) select $1, $2, id from account where external_id = 'a'",
            team,
        ),
    ] {
        sqlx::query(statement).bind(world.acme.id.uuid()).bind(id).execute(&mut *tx).await.unwrap();
    }
    sqlx::query("insert into team_member (tenant_id, team_id, user_id, role) values ($1, $2, $3, 'viewer')")
        .bind(world.acme.id.uuid())
        .bind(team)
        .bind(reader)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut browser = world.app.signed_in(reader).await;
    let page = format!("/t/acme/reports/{report}/runs/{run}");
    let answer = browser.get(&page).await;
    let html = answer.text();
    assert_eq!(answer.status.as_u16(), 200);
    assert!(html.contains("It holds figures that you may not see"), "{html}");
    assert!(!html.contains("By account") && !html.contains("/files/csv") && !html.contains("data-changed"), "{html}");
    for path in [format!("{page}/files/csv"), format!("{page}/charts/2")] {
        assert_eq!(browser.get(&path).await.status.as_u16(), 403, "{path}");
    }
}
