//! The pages and forms of the kill switches: halting with what is chosen alone, the banner on every page of those affected and of
//! nobody else, the question that open pages ask by themselves, and resuming with a second person.

use chrono::{DateTime, Utc};
use rtv_core::Role;
use rtv_domain::Tenant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::queries::Queries;
use crate::test_app::{Answer, Browser, TestApp};

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
    admin: Uuid,
    viewer: Uuid,
    stranger: Uuid,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
        let [owner, admin, viewer] = [
            app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await,
            app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await,
            app.somebody("viewer@acme.example", Some((&acme, Role::Viewer))).await,
        ];
        let stranger = app.somebody("owner@other.example", Some((&other, Role::Owner))).await;
        Self { app, acme, owner, admin, viewer, stranger }
    }

    /// A browser of somebody who has just given their password.
    async fn browser(&self, person: Uuid) -> Browser<'_> {
        let browser = self.app.signed_in(person).await;
        self.app.prove(person).await;
        browser
    }

    /// Halts all of the tenant; the address of the receipt.
    async fn halt(&self) -> String {
        let mut owner = self.browser(self.owner).await;
        let answer = owner.post("/t/acme/switches/halt", &[("scope", "all"), ("reason", "wrong-account")]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let location = answer.location().to_owned();
        assert!(location.starts_with("/t/acme/switches/halts/halt_"), "{location}");
        location
    }

    async fn switch(&self) -> String {
        let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
        let id: Uuid = sqlx::query_scalar("select id from kill_switch where is_engaged and tenant_id = $1")
            .bind(self.acme.id.uuid())
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        format!("ks_{}", id.simple())
    }
}

fn banner(answer: &Answer) -> Option<String> {
    let text = answer.text();
    // The class is the last of its attributes.
    let class = text.find("class=\"c-banner\"")?;
    let at = text[..class].rfind("<div")?;
    Some(text[at..].split("</div>").next().unwrap_or_default().to_owned())
}

async fn ask(browser: &mut Browser<'_>, page: &str, seen: &str) -> Value {
    let answer = browser.call("/fn/halts", &json!({ "page": page, "seen": seen })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(&answer.text()).unwrap()
}

#[tokio::test]
async fn halting_types_nothing_and_shows_on_every_page_of_those_affected() {
    let world = World::new().await;
    let mut viewer = world.browser(world.viewer).await;
    assert_eq!(banner(&viewer.get("/t/acme/dashboard").await), None);
    let receipt = world.halt().await;
    for page in ["/t/acme/dashboard", "/t/acme/posts", "/me"] {
        let answer = viewer.get(page).await;
        let words = banner(&answer).unwrap_or_else(|| panic!("{page} has no banner"));
        assert!(words.contains("role=\"region\"") && words.contains("Wrong account"), "{page}: {words}");
        assert!(!words.contains("c-banner__link"), "a viewer may not open the switches: {words}");
    }
    let mut owner = world.browser(world.owner).await;
    let page = owner.get(&receipt).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("From press to standstill") && banner(&page).unwrap().contains("c-banner__link"));
    let overview = owner.get("/t/acme/switches").await;
    assert!(overview.text().contains("data-switch=\"ks_"), "{}", overview.text());
    let file = owner.get(&format!("{receipt}/receipt.json")).await;
    let json: Value = serde_json::from_str(&file.text()).unwrap();
    assert_eq!(json["halt"], receipt.rsplit('/').next().unwrap());
    assert_eq!(
        (&json["scope"]["tenant"], &json["scope"]["platform"]),
        (&world.acme.id.to_string().into(), &serde_json::Value::Null)
    );
    // Nobody else is affected, and nobody else learns of it.
    let mut stranger = world.browser(world.stranger).await;
    assert_eq!(banner(&stranger.get("/t/other/dashboard").await), None);
    assert_eq!(stranger.get(&receipt.replace("/t/acme/", "/t/other/")).await.status, 404);
}

#[tokio::test]
async fn an_open_page_is_told_once_and_then_that_nothing_has_changed() {
    let world = World::new().await;
    let mut viewer = world.browser(world.viewer).await;
    assert_eq!(ask(&mut viewer, "/t/acme/dashboard", "").await, Value::Null);
    world.halt().await;
    let told = ask(&mut viewer, "/t/acme/dashboard", "").await;
    let html = told["html"].as_str().unwrap();
    assert!(html.contains("halt") && html.contains("data-say="), "{html}");
    let version = html.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(ask(&mut viewer, "/t/acme/dashboard", version).await, Value::Null);
    assert_eq!(ask(&mut viewer, "/t/other/dashboard", "").await, Value::Null, "nobody's business");
    let mut stranger = world.browser(world.stranger).await;
    assert_eq!(ask(&mut stranger, "/t/acme/dashboard", "").await, Value::Null);
    assert_eq!(ask(&mut world.app.browser(), "/t/acme/dashboard", "").await, Value::Null);
}

#[tokio::test]
async fn a_page_that_asks_by_itself_does_not_keep_anybody_signed_in() {
    let world = World::new().await;
    let mut viewer = world.browser(world.viewer).await;
    let owner = world.app.db.owner_pool().await;
    let used = async || -> DateTime<Utc> {
        let mut tx = world.app.marked("worker", None, None).await;
        sqlx::query_scalar("select last_used_at from session where user_id = $1")
            .bind(world.viewer)
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    let mut tx = owner.begin().await.unwrap();
    sqlx::query("alter table session no force row level security").execute(&mut *tx).await.unwrap();
    sqlx::query("update session set last_used_at = last_used_at - interval '5 minutes' where user_id = $1")
        .bind(world.viewer)
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("alter table session force row level security").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let before = used().await;
    ask(&mut viewer, "/t/acme/dashboard", "").await;
    assert_eq!(used().await, before, "a question that the page asks is no use");
    viewer.get("/t/acme/dashboard").await;
    assert!(used().await > before, "a page is");
}

#[tokio::test]
async fn what_is_refused_says_why_and_keeps_what_was_chosen() {
    let world = World::new().await;
    let mut owner = world.browser(world.owner).await;
    let answer = owner.post("/t/acme/switches/halt", &[("scope", "moon"), ("note", "because")]).await;
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/t/acme/switches/halt"));
    let page = owner.get("/t/acme/switches/halt").await;
    assert!(page.text().contains("There is a problem") && page.text().contains("because"), "{}", page.text());
    let mut viewer = world.browser(world.viewer).await;
    assert_eq!(viewer.get("/t/acme/switches/halt").await.status, 403);
    assert_eq!(viewer.post("/t/acme/switches/halt", &[("scope", "all")]).await.status, 403);
    assert_eq!(owner.post("/t/acme/switches/halt", &[("scope", "everything")]).await.status, 303);
    assert_eq!(banner(&owner.get("/t/acme/dashboard").await), None, "nothing was halted");
}

#[tokio::test]
async fn resuming_takes_the_name_a_reason_and_a_second_person() {
    let world = World::new().await;
    world.halt().await;
    let switch = world.switch().await;
    let mut owner = world.browser(world.owner).await;
    let form = format!("/t/acme/switches/{switch}/release");
    assert_eq!(owner.get(&form).await.status, 200);
    let wrong = owner.post(&form, &[("typed", "acme-"), ("reason", "It was a mistake")]).await;
    assert_eq!(wrong.location(), form);
    assert!(owner.get(&form).await.text().contains("There is a problem"));
    let asked = owner.post(&form, &[("typed", &world.acme.name), ("reason", "It was a mistake")]).await;
    let request = asked.location().to_owned();
    assert!(request.starts_with("/t/acme/switches/releases/rel_"), "{request}: {}", asked.text());
    assert!(owner.get(&request).await.text().contains("You asked for this"));
    owner.post(&format!("{request}/approve"), &[]).await;
    assert!(banner(&owner.get("/t/acme/dashboard").await).is_some(), "one person alone does not resume");
    let mut admin = world.browser(world.admin).await;
    assert!(admin.get(&request).await.text().contains("Approve and resume"));
    let done = admin.post(&format!("{request}/approve"), &[]).await;
    assert!(done.location().starts_with("/t/acme/switches/halts/halt_"), "{}", done.location());
    assert_eq!(banner(&admin.get("/t/acme/dashboard").await), None);
}

#[tokio::test]
async fn what_a_halt_would_stop_is_asked_for_apart() {
    let world = World::new().await;
    let mut owner = world.browser(world.owner).await;
    let page = owner.get("/t/acme/switches/preview?scope=platform%3Dx&reason=crisis").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Due within 24 h"), "{}", page.text());
    let drawn = owner.call("/fn/halt-preview", &json!({ "tenant": "acme", "scope": "all" })).await;
    assert!(drawn.text().contains("Due within 24 h"), "{}", drawn.text());
}

#[tokio::test]
async fn an_open_page_asks_two_queries_whoever_asks() {
    let world = World::new().await;
    let mut viewer = world.browser(world.viewer).await;
    viewer.get("/t/acme/dashboard").await;
    let queries = Queries::listen();
    let mut count = async |page: &str| {
        queries.take();
        ask(&mut viewer, page, "").await;
        queries.take()
    };
    let quiet = count("/t/acme/dashboard").await;
    world.halt().await;
    let halted = count("/t/acme/dashboard").await;
    let own = count("/me").await;
    for asked in [&quiet, &halted, &own] {
        let (markers, rest): (Vec<_>, Vec<_>) = asked.iter().partition(|one| one.contains("set_config"));
        assert_eq!((markers.len(), rest.len()), (2, 2), "one transaction that turns once, and two queries: {asked:#?}");
    }
    // Who may not know is told nothing before anything about switches is read.
    let mut stranger = world.browser(world.stranger).await;
    queries.take();
    assert_eq!(ask(&mut stranger, "/t/acme/dashboard", "").await, Value::Null);
    assert_eq!(queries.take().len(), 2);
    let mut nobody = world.app.browser();
    queries.take();
    assert_eq!(ask(&mut nobody, "/t/acme/dashboard", "").await, Value::Null);
    assert_eq!(queries.take(), Vec::<String>::new());
}

#[tokio::test]
async fn the_banner_of_a_page_and_what_it_is_told_later_are_the_same() {
    let world = World::new().await;
    world.halt().await;
    for (person, page) in [(world.viewer, "/t/acme/dashboard"), (world.owner, "/t/acme/posts"), (world.owner, "/me")] {
        let mut browser = world.browser(person).await;
        browser.get("/t/acme/dashboard").await;
        let shown = banner(&browser.get(page).await).unwrap_or_else(|| panic!("{page} has no banner"));
        let told = ask(&mut browser, page, "").await;
        let html = told["html"].as_str().unwrap();
        let part = |html: &str, name: &str| {
            html.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        for name in ["data-say", "aria-label", "data-state"] {
            assert_eq!(part(html, name), part(&shown, name), "{page}");
        }
        assert_eq!(html.contains("c-banner__link"), shown.contains("c-banner__link"), "{page}");
    }
}

#[tokio::test]
async fn the_whole_client_comes_before_a_platform_of_all_clients() {
    let world = World::new().await;
    let staff = world.app.somebody("operator@rtv.example", None).await;
    let mut operator = world.browser(staff).await;
    for scope in ["platform=x", "tenant=acme"] {
        let answer = operator.post("/staff/switches/halt", &[("scope", scope), ("reason", "crisis")]).await;
        assert!(answer.location().starts_with("/staff/switches/halts/"), "{scope}: {}", answer.text());
    }
    let mut viewer = world.browser(world.viewer).await;
    let words = banner(&viewer.get("/t/acme/dashboard").await).unwrap();
    let name = &world.acme.name;
    assert!(words.contains(&format!("All of {name} halt")) && words.contains("+1 more"), "{words}");
    assert!(words.contains(", staff"), "{words}");
    // For whoever looks at all clients the platform is the wider one.
    let words = banner(&operator.get("/staff/switches").await).unwrap();
    assert!(words.contains("X halt"), "{words}");
    let all = operator.post("/staff/switches/halt", &[("scope", "global"), ("reason", "crisis")]).await;
    assert_eq!(all.status, 303);
    let words = banner(&viewer.get("/t/acme/dashboard").await).unwrap();
    assert!(words.contains("All publishing halt") && words.contains("+2 more"), "{words}");
}

#[tokio::test]
async fn the_page_of_a_request_goes_on_telling_what_became_of_it() {
    let world = World::new().await;
    let receipt = world.halt().await;
    let switch = world.switch().await;
    let (mut owner, mut admin) = (world.browser(world.owner).await, world.browser(world.admin).await);
    let form = format!("/t/acme/switches/{switch}/release");
    let fields = [("typed", world.acme.name.as_str()), ("reason", "It was a mistake")];
    let first = owner.post(&form, &fields).await.location().to_owned();
    let second = owner.post(&form, &fields).await.location().to_owned();
    assert!(second.starts_with("/t/acme/switches/releases/rel_") && first != second);
    let page = admin.get(&first).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("asked anew") && page.text().contains(&second), "{}", page.text());
    // Somebody whose page is old presses what it still shows.
    let late = admin.post(&format!("{first}/approve"), &[]).await;
    assert_eq!(late.location(), first);
    assert!(admin.get(&first).await.text().contains("this request had ended before"));
    assert_eq!(owner.post(&format!("{second}/withdraw"), &[]).await.location(), "/t/acme/switches");
    let page = owner.get(&second).await;
    assert!(page.text().contains("took the request back") && page.text().contains(&form), "{}", page.text());
    let third = owner.post(&form, &fields).await.location().to_owned();
    let done = admin.post(&format!("{third}/approve"), &[]).await;
    assert_eq!(done.location(), receipt);
    let page = owner.get(&third).await;
    let says = "Released by owner@acme.example and admin@acme.example";
    assert!(page.text().contains(says) && page.text().contains(&receipt), "{}", page.text());
    assert!(!page.text().contains("Ask again…"), "nothing is halted any more");
    let gone = owner.get(&form).await;
    assert_eq!(gone.status, 200);
    assert!(gone.text().contains("released already") && gone.text().contains(says), "{}", gone.text());
    assert_eq!(owner.post(&form, &fields).await.location(), form);
    let late = owner.post(&format!("{third}/withdraw"), &[]).await;
    assert_eq!(late.location(), third);
    // Nobody learns more than before: who may not look, others, and of what never was.
    let mut viewer = world.browser(world.viewer).await;
    assert_eq!(viewer.get(&third).await.status, 403);
    assert_eq!(viewer.post(&format!("{third}/approve"), &[]).await.status, 403);
    let mut stranger = world.browser(world.stranger).await;
    assert_eq!(stranger.get(&third.replace("/t/acme/", "/t/other/")).await.status, 404);
    assert_eq!(stranger.post(&format!("{}/approve", third.replace("/t/acme/", "/t/other/")), &[]).await.status, 404);
    let never = format!("/t/acme/switches/releases/rel_{}", Uuid::now_v7().simple());
    assert_eq!(owner.get(&never).await.status, 404);
    assert_eq!(owner.post(&format!("{never}/approve"), &[]).await.status, 404);
}
