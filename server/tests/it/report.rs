//! Reports by their pages and by the API: what a form keeps, whole tables page by page, lists of any length, files as they are wanted.

use http::header;
use rtv_core::report::{Block, Content, Definition, Dimension, Edit, Measure, NewBlock, Query, Section, Source};
use rtv_core::{Permission, ReportId, Role, RunId};
use rtv_domain::access;
use rtv_domain::context::{Actor, RequestInfo};
use rtv_domain::report::{self, Asked, Shown, Template};
use rtv_domain::{Tenant, TenantContext};
use uuid::Uuid;

use crate::test_app::{Asker, Browser, TestApp, form};

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
    ctx: TenantContext,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        app.on_plan(&acme, "enterprise").await;
        let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
        let ctx = access::enter_as_operator(&app.operator(), &acme.slug, "test").await.unwrap();
        Self { app, acme, owner, ctx }
    }

    async fn program(&self) -> Asker<'_> {
        self.app.key(self.owner, &self.acme, Permission::ALL).await
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let answer = self.app.signed_in(self.owner).await.get(path).await;
        (answer.status.as_u16(), answer.text())
    }

    /// A report with one table as its second part.
    async fn table(&self, source: Source, dimensions: &[Dimension], measures: &[Measure]) -> ReportId {
        let query = Query {
            source,
            dimensions: dimensions.to_vec(),
            measures: measures.to_vec(),
            sort: None,
            limit: None,
            is_compared: false,
        };
        let block = Block { id: 2, title: "All".into(), content: Content::Table { query, has_totals: true } };
        let definition = Definition {
            name: "Report".into(),
            parameters: "range=custom&from=2026-11-01&to=2026-11-21".into(),
            sections: vec![Section { id: 1, title: String::new(), blocks: vec![block] }],
            ..Definition::default()
        };
        report::create(&self.ctx, &definition, "Started").await.unwrap()
    }

    /// A run of a report that is done.
    async fn run(&self, id: ReportId) -> RunId {
        let run = report::begin(&self.ctx, id, None).await.unwrap();
        let worker = self.app.state.context(Actor::System("test"), RequestInfo::default());
        let ticket = report::Ticket { tenant: self.acme.id, run };
        let taken = report::take_up(&worker, ticket).await.unwrap().unwrap();
        let asked = Asked { parameters: &taken.parameters, version: Some(1), shown: Shown::AsDefined, address: "" };
        let filled = report::fill(&taken.ctx, &taken.definition, &asked).await.unwrap();
        report::finish(&taken.ctx, &self.app.state.outbox, &taken.run, &filled, &[], None, &[]).await.unwrap();
        run
    }
}

#[tokio::test]
async fn a_form_keeps_all_dimensions_and_the_order_of_the_measures() {
    let world = World::new().await;
    let dimensions = [Dimension::Platform, Dimension::Account, Dimension::Campaign, Dimension::Day];
    // Not in the order of the source.
    let measures = [Measure::Published, Measure::Engagements, Measure::Impressions];
    let id = world.table(Source::Kpis, &dimensions, &measures).await;
    let path = format!("/t/acme/reports/{id}");
    let (_, page) = world.page(&format!("{path}?part=2")).await;
    for place in 1..=5 {
        assert!(page.contains(&format!("name=\"dimension-{place}\"")), "there is no menu {place}");
    }
    assert!(page.contains("Made by root@ops-1"), "who made it is not told");
    let mut fields = vec![("version", "1"), ("kind", "table"), ("title", "All"), ("source", "kpis"), ("totals", "1")];
    fields.extend(
        ["dimension-1", "dimension-2", "dimension-3", "dimension-4"]
            .into_iter()
            .zip(["platform", "account", "campaign", "day"]),
    );
    // Boxes come in the order of the source; one is new and one is gone.
    fields.extend(["impressions", "engagement_rate", "published"].map(|measure| ("measure", measure)));
    let answer = world.app.signed_in(world.owner).await.post(&format!("{path}/parts/2"), &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let stored = report::one(&world.ctx, id).await.unwrap();
    assert_eq!(stored.version, 2);
    let query = stored.definition.block(2).unwrap().content.query().unwrap().clone();
    assert_eq!(query.dimensions, dimensions);
    assert_eq!(query.measures, [Measure::Published, Measure::Impressions, Measure::EngagementRate]);
}

#[tokio::test]
async fn a_whole_table_is_read_page_by_page_and_that_of_a_run_stays_as_it_was() {
    let world = World::new().await;
    let row = |number: u32| format!("x,page,p{number},2026-11-10T10:00:00Z,{number}");
    world.app.posts(&world.acme, &(1..=1_005).map(row).collect::<Vec<_>>()).await;
    let dimensions = [Dimension::PublishedAt, Dimension::PostId];
    let id = world.table(Source::Posts, &dimensions, &[Measure::Impressions, Measure::Reach]).await;
    let run = world.run(id).await;
    let now = format!("/t/acme/reports/{id}/tables/2");
    let then = format!("/t/acme/reports/{id}/runs/{run}/tables/2");
    for path in [&now, &then] {
        let (status, first) = world.page(path).await;
        assert_eq!(status, 200);
        assert!(first.contains("1 to 1,000 of 1,005, page 1 of 2"), "{path}");
        let (_, second) = world.page(&format!("{path}?page=2")).await;
        assert!(second.contains("1,001 to 1,005 of 1,005, page 2 of 2"), "{path}");
        let rows = |page: &str| page.matches("data-key=\"post_id\"").count();
        // The totals stand below each page.
        assert_eq!((rows(&first), rows(&second)), (1_001, 6), "{path}");
        assert_eq!(world.page(&format!("{path}?page=3")).await.0, 404);
    }
    let (_, page) = world.page(&format!("/t/acme/reports/{id}/runs/{run}")).await;
    assert!(page.contains(&format!("href=\"{then}\"")), "the run does not lead to its own table");
    world.app.posts(&world.acme, &[row(1_006)]).await;
    let deleted = report::one(&world.ctx, id).await.unwrap().definition.edited(&Edit::Delete { part: 2 }).unwrap();
    report::save(&world.ctx, id, "1", &deleted.definition, &deleted.summary).await.unwrap();
    assert_eq!(world.page(&now).await.0, 404, "the newest version has no such table");
    let (_, of_version) = world.page(&format!("{now}?version=1")).await;
    assert!(of_version.contains("1 to 1,000 of 1,006"), "an older version with the data of now");
    assert!(world.page(&then).await.1.contains("1 to 1,000 of 1,005"), "the run has what it had");
}

#[tokio::test]
async fn lists_of_reports_and_runs_go_on_to_their_ends() {
    let world = World::new().await;
    let program = world.program().await;
    let (id, first) = world.app.report("acme").await;
    let (schedule, _) = world.app.schedule("acme", id, first).await;
    for _ in 0..52 {
        report::begin(&world.ctx, id, None).await.unwrap();
    }
    for _ in 0..204 {
        report::create(&world.ctx, &Template::Blank.definition(), "Started").await.unwrap();
    }
    for (path, count) in [("/api/v1/reports".to_owned(), 205), (format!("/api/v1/reports/{id}/runs"), 53)] {
        let (mut met, mut after) = (Vec::new(), String::new());
        loop {
            let page = program.get(&format!("{path}?limit=40{after}")).await.json();
            met.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert_eq!(met.len(), count, "{path}");
        met.sort();
        met.dedup();
        assert_eq!(met.len(), count, "{path}");
    }
    assert!(world.page("/t/acme/reports").await.1.contains("1 to 200 of 205"));
    let (_, last) = world.page("/t/acme/reports?page=2").await;
    assert!(last.contains("201 to 205 of 205") && last.contains(&id.to_string()), "the oldest is on the last page");
    assert_eq!(world.page("/t/acme/reports?page=3").await.0, 404);
    assert!(world.page(&format!("/t/acme/reports/{id}")).await.1.contains("The newest 50 of 53."));
    // Its one run is older than fifty others of the report.
    let (_, page) = world.page(&format!("/t/acme/reports/{id}/schedules/{schedule}")).await;
    assert!(page.contains(&first.to_string()), "{page}");
}

#[tokio::test]
async fn a_csv_comes_raw_and_without_a_mark_where_that_is_asked() {
    let world = World::new().await;
    let program = world.program().await;
    let (_, run) = world.app.report("acme").await;
    let file = format!("/api/v1/runs/{run}/files/csv");
    let text = async |query: &str| {
        let answer = program.get(&format!("{file}{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        answer.text()
    };
    let usual = text("").await;
    let plain = usual.strip_prefix('\u{feff}').expect("a mark at the beginning");
    assert_eq!(text("?bom=0").await, plain);
    let raw = text("?raw=1").await;
    // Where texts have guards, the last label stands in quotes to say so.
    let header = |text: &str| text.lines().next().unwrap().to_owned();
    assert!(header(&usual).ends_with('"') && !header(&raw).contains('"'), "{usual:?} {raw:?}");
    assert_eq!(text("?raw=1&bom=0").await, raw.strip_prefix('\u{feff}').unwrap());
}

#[tokio::test]
async fn a_run_tells_programs_how_it_was_made_and_what_it_measures() {
    let world = World::new().await;
    let program = world.program().await;
    let blank = Template::Blank.definition();
    let definition = blank.edited(&Edit::AddBlock { section: 1, kind: NewBlock::Table }).unwrap().definition;
    let id = report::create(&world.ctx, &definition, "Started").await.unwrap();
    let run = world.run(id).await;
    let told = program.get(&format!("/api/v1/runs/{run}")).await.json();
    assert!(told["started_at"].is_string() && told["duration_ms"].is_i64(), "{told}");
    assert!(told["schedule"].is_null() && told["occurrence"].is_null() && told["is_late"] == false, "{told}");
    let measures: Vec<_> =
        told["measures"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(measures, ["impressions", "engagements", "engagement_rate"]);
    assert_eq!(told["measures"][2]["definition"], Measure::EngagementRate.definition());
    let (schedule, _) = world.app.schedule("acme", id, run).await;
    let listed = program.get(&format!("/api/v1/reports/{id}/runs")).await.json();
    assert_eq!(listed["items"][0]["schedule"], schedule.to_string());
    assert_eq!(listed["items"][0]["measures"], told["measures"]);
}

#[tokio::test]
async fn a_script_that_sends_an_edit_is_told_where_it_leads_and_only_its_own_page_reads_the_message() {
    let world = World::new().await;
    let id = world.table(Source::Kpis, &[Dimension::Platform], &[Measure::Engagements]).await;
    let path = format!("/t/acme/reports/{id}");
    let mut browser = world.app.signed_in(world.owner).await;
    let origin = world.app.origin.clone();
    let request = |address: &str, kind: &str| {
        http::Request::post(address)
            .header("sec-fetch-site", "same-origin")
            .header(header::ORIGIN, &origin)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind)
    };
    let fields = [("version", "1"), ("name", ""), ("description", "For Monday")];
    let edit = request(&path, "application/x-www-form-urlencoded").body(form(&fields)).unwrap();
    let answer = browser.send(edit).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (200, ""), "{}", answer.text());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answer.text()).unwrap(), serde_json::json!({ "to": path }));
    let reads = async |browser: &mut Browser<'_>, page: String| {
        let call = serde_json::json!({ "tenant": "acme", "path": [id.to_string()], "query": [] });
        let asked = request("/fn/report", "application/json").header(header::REFERER, format!("{origin}{page}"));
        browser.send(asked.body(call.to_string().into()).unwrap()).await.text()
    };
    let elsewhere = reads(&mut browser, format!("{path}/runs/run_1")).await;
    assert!(!elsewhere.contains("For Monday"), "another page has taken what was typed");
    let page = reads(&mut browser, format!("{path}?part=2")).await;
    assert!(page.contains("For Monday") && page.contains("There is a problem"), "{page}");
    let again = reads(&mut browser, format!("{path}?part=2")).await;
    assert!(!again.contains("For Monday"), "a message is read once");

    // A message for the next page waits for that page, whatever calls come before.
    let saved = browser.post(&path, &[("version", "1"), ("name", "Weekly"), ("description", "For Tuesday")]).await;
    assert_eq!(saved.status, 303);
    assert!(!reads(&mut browser, path.clone()).await.contains("Changed name, purpose or parameters."));
    assert!(browser.get(&path).await.text().contains("Changed name, purpose or parameters."));
}
