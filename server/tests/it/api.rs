//! The API as programs meet it: keys, problems, lists, acts that are done once, limits, and what each resource answers. That
//! every answer is as the description says is checked by `Asker` itself.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, StatusCode, header};
use rtv_core::{Permission, Role};
use rtv_domain::Tenant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_app::{Answer, Asker, TestApp};

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        app.on_plan(&acme, "enterprise").await;
        let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
        Self { app, acme, owner }
    }

    async fn program(&self) -> Asker<'_> {
        self.app.key(self.owner, &self.acme, Permission::ALL).await
    }
}

#[track_caller]
fn check(answer: &Answer, status: u16, kind: &str, field: Option<&str>) {
    let problem = answer.json();
    assert_eq!(answer.status, status, "{problem}");
    assert_eq!(problem["type"], format!("/docs/api#problem-{kind}"), "{problem}");
    assert_eq!(problem["errors"][0]["field"].as_str(), field, "{problem}");
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
}

#[tokio::test]
async fn without_a_key_that_holds_nothing_is_told() {
    let world = World::new().await;
    let program = world.program().await;
    assert_eq!(program.get("/api/v1/tenants/acme").await.status, 200);
    let secret = program.authorization.clone().unwrap();
    let mut wrong = secret.clone();
    wrong.replace_range(wrong.len() - 1.., if secret.ends_with('0') { "1" } else { "0" });
    for authorization in [None, Some("Bearer rtv_0"), Some("Basic eDp5"), Some(&secret[7..]), Some(&wrong)] {
        let nobody = Asker { authorization: authorization.map(str::to_owned), ..world.app.nobody() };
        for (method, path) in [("GET", "/api/v1/users"), ("POST", "/api/v1/teams"), ("POST", "/api/v1/imports")] {
            let answer = nobody.ask(method, path, Some(&json!({}))).await;
            check(&answer, 401, "no-key", None);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"rtv\"");
        }
    }
    // What makes a browser its owner's counts for nothing.
    let browser = world.app.signed_in(world.owner).await;
    for request in [
        Request::get("/api/v1/users").header("sec-fetch-site", "same-origin").body(Body::empty()).unwrap(),
        Request::delete("/api/v1/users/usr_1")
            .header(header::ORIGIN, "http://rtv.example")
            .body(Body::empty())
            .unwrap(),
    ] {
        check(&world.app.nobody().send(browser.dress(request)).await, 401, "no-key", None);
    }
    // And a program says nothing about where its request comes from.
    let made = program.ask("POST", "/api/v1/teams", Some(&json!({ "name": "Crew" }))).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

#[tokio::test]
async fn a_revoked_key_is_refused_with_the_next_request() {
    let world = World::new().await;
    let program = world.program().await;
    let mut browser = world.app.signed_in(world.owner).await;
    let page = browser.get("/t/acme/api-keys").await;
    let row = page.text().split("data-row=\"key_").nth(1).unwrap()[..32].to_owned();
    assert_eq!(program.get("/api/v1/users").await.status, 200);
    let done = browser.post(&format!("/t/acme/api-keys/key_{row}/revoke"), &[]).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "/t/acme/api-keys"));
    check(&program.get("/api/v1/users").await, 401, "no-key", None);
}

#[tokio::test]
async fn a_new_key_is_shown_by_the_answer_that_makes_it_and_never_again() {
    let world = World::new().await;
    let mut browser = world.app.signed_in(world.owner).await;
    let fields = [("name", "Nightly"), ("permission", "analytics:read"), ("expires", "90")];
    let asked = browser.post("/t/acme/api-keys", &fields).await;
    assert_eq!(asked.location(), "/me/confirm?next=/t/acme/api-keys", "the proof is too old");
    world.app.prove(world.owner).await;
    let refused = browser.post("/t/acme/api-keys", &[("name", ""), ("new_key", "rtv_mine"), ("expires", "90")]).await;
    assert_eq!(refused.location(), "/t/acme/api-keys");
    let page = browser.get("/t/acme/api-keys").await.text();
    assert!(page.contains("There is a problem") && !page.contains("rtv_mine"), "{page}");
    let made = browser.post("/t/acme/api-keys", &fields).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (200, "no-store"));
    let text = made.text();
    let (_, rest) = text.split_once("<code>rtv_").expect("the key stands on the page");
    let secret = format!("rtv_{}", &rest[..64]);
    let program = Asker { authorization: Some(format!("Bearer {secret}")), ..world.app.nobody() };
    assert_eq!(program.get("/api/v1/kpis").await.status, 200);
    check(&program.get("/api/v1/users").await, 403, "forbidden", None);
    let later = browser.get("/t/acme/api-keys").await.text();
    assert!(later.contains("Nightly") && later.contains(&secret[..12]) && !later.contains(&secret[12..]), "{later}");
    let mut tx = world.app.marked("worker", None, None).await;
    let sessions: Vec<Value> = sqlx::query_scalar("select data from session").fetch_all(&mut *tx).await.unwrap();
    assert!(sessions.iter().all(|data| !data.to_string().contains(&secret[12..])), "no session holds it");
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let world = World::new().await;
    let program = world.program().await;
    let team = || json!({ "name": "Crew" });
    check(&program.get("/api/v1/nothing").await, 404, "not-found", None);
    check(&world.app.nobody().get("/api/v2").await, 404, "not-found", None);
    check(&program.get("/api/v1/teams/team_1").await, 404, "not-found", None);
    check(&program.get("/api/v1/teams/%FF").await, 400, "bad-request", None);
    let answer = program.ask("PUT", "/api/v1/teams", Some(&team())).await;
    check(&answer, 405, "method-not-allowed", None);
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    check(&program.get("/api/v1/teams?limit=0").await, 400, "bad-request", Some("limit"));
    check(&program.get("/api/v1/teams?after=x").await, 400, "bad-request", Some("after"));
    check(&program.get("/api/v1/kpis?range=3d").await, 400, "bad-request", Some("range"));
    check(&program.get("/api/v1/audit?result=fine").await, 400, "bad-request", Some("result"));
    let send = async |kind: &str, body: String| {
        let request = Request::post("/api/v1/teams").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        program.send(request).await
    };
    check(&send("text/plain", team().to_string()).await, 415, "unsupported-media-type", None);
    check(&send("application/json", "{".into()).await, 400, "bad-request", None);
    check(&send("application/json", "x".repeat(70_000)).await, 413, "too-large", None);
    check(&send("application/json", "{}".into()).await, 422, "invalid", Some("name"));
    check(&send("application/json", r#"{"name":"a","colour":"red"}"#.into()).await, 422, "invalid", Some("colour"));
    let long = json!({ "name": "x".repeat(81), "default_period": "3d", "platforms": ["myspace"] });
    let answer = program.ask("POST", "/api/v1/teams", Some(&long)).await;
    check(&answer, 422, "invalid", Some("name"));
    let fields: Vec<Value> =
        answer.json()["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(fields, ["name", "default_period", "platforms"], "every field at once, as the resource calls it");
    for key in ["", "with space", &"k".repeat(256)] {
        let answer = program.ask_once("POST", "/api/v1/teams", Some(&team()), Some(key)).await;
        check(&answer, 400, "bad-request", Some("Idempotency-Key"));
    }
    check(&program.ask("DELETE", "/api/v1/roles/editor?version=1", None).await, 409, "conflict", None);
    check(&program.ask("DELETE", "/api/v1/roles/role_1", None).await, 422, "invalid", Some("version"));
    let viewer = world.app.key(world.owner, &world.acme, &[Permission::AnalyticsRead]).await;
    check(&viewer.get("/api/v1/users").await, 403, "forbidden", None);
    assert_eq!(viewer.get("/api/v1/tenants/acme").await.status, 200, "every key reads its tenant");
}

#[tokio::test]
async fn what_belongs_to_others_answers_as_what_does_not_exist() {
    let world = World::new().await;
    let other = world.app.tenant("other").await;
    world.app.on_plan(&other, "enterprise").await;
    let stranger = world.app.somebody("owner@other.example", Some((&other, Role::Owner))).await;
    let theirs = world.app.key(stranger, &other, Permission::ALL).await;
    let team = theirs.ask("POST", "/api/v1/teams", Some(&json!({ "name": "Crew" }))).await.json();
    let role = json!({ "name": "Reader", "permissions": ["analytics:read"] });
    let role = theirs.ask("POST", "/api/v1/roles", Some(&role)).await.json();
    let invitation = json!({ "email": "sam@other.example", "role": "viewer" });
    let invitation = theirs.ask("POST", "/api/v1/invitations", Some(&invitation)).await.json();
    let import = world.app.posts(&other, &["x,page,p1,2026-11-20T10:00:00Z,50".into()]).await;
    let program = world.program().await;
    let plain = |answer: &Answer| (answer.plain(), answer.plain_headers());
    let of = |id: &Value| id.as_str().unwrap().to_owned();
    for (method, foreign, nobodys) in [
        ("GET", "/api/v1/tenants/other".to_owned(), "/api/v1/tenants/nobody".to_owned()),
        ("GET", format!("/api/v1/users/usr_{}", stranger.simple()), "/api/v1/users/usr_%".into()),
        (
            "DELETE",
            format!("/api/v1/users/usr_{}?version=1", stranger.simple()),
            "/api/v1/users/usr_%?version=1".into(),
        ),
        ("GET", format!("/api/v1/teams/{}", of(&team["id"])), "/api/v1/teams/team_%".into()),
        ("GET", format!("/api/v1/teams/{}/members", of(&team["id"])), "/api/v1/teams/team_%/members".into()),
        ("DELETE", format!("/api/v1/teams/{}?version=1", of(&team["id"])), "/api/v1/teams/team_%?version=1".into()),
        ("GET", format!("/api/v1/roles/{}", of(&role["id"])), "/api/v1/roles/role_%".into()),
        ("DELETE", format!("/api/v1/roles/{}?version=1", of(&role["id"])), "/api/v1/roles/role_%?version=1".into()),
        ("DELETE", format!("/api/v1/invitations/{}", of(&invitation["id"])), "/api/v1/invitations/inv_%".into()),
        (
            "POST",
            format!("/api/v1/invitations/{}/resend", of(&invitation["id"])),
            "/api/v1/invitations/inv_%/resend".into(),
        ),
        ("GET", format!("/api/v1/imports/{import}"), "/api/v1/imports/imp_%".into()),
        ("POST", format!("/api/v1/imports/{import}/rollback"), "/api/v1/imports/imp_%/rollback".into()),
    ] {
        let nobodys = nobodys.replace('%', &Uuid::from_u128(42).simple().to_string());
        let (foreign, nobodys) = (program.ask(method, &foreign, None).await, program.ask(method, &nobodys, None).await);
        assert_eq!(foreign.status, 404, "{method} {}", foreign.text());
        assert_eq!(plain(&foreign), plain(&nobodys));
    }
    assert_eq!(theirs.get(&format!("/api/v1/imports/{import}")).await.json()["state"], "done", "untouched");
    // A key of a member of both reads the one that it belongs to.
    world.app.join(world.owner, &other, Role::Owner).await;
    assert_eq!(program.get("/api/v1/tenants/other").await.status, 404);
}

/// All items of a list by pages of that size.
async fn walk(program: &Asker<'_>, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut after) = (Vec::new(), None::<String>);
    for _ in 0..500 {
        let separator = if path.contains('?') { '&' } else { '?' };
        let after_pair = after.map(|after| format!("&after={after}")).unwrap_or_default();
        let page = program.get(&format!("{path}{separator}limit={limit}{after_pair}")).await;
        assert_eq!(page.status, 200, "{path}: {}", page.text());
        let page = page.json();
        let found = page["items"].as_array().unwrap();
        assert!(found.len() <= limit, "{path}");
        items.extend(found.iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => return items,
        }
    }
    panic!("{path} has no end");
}

#[tokio::test]
async fn walking_a_list_meets_everything_once_whatever_the_size_of_its_pages() {
    let world = World::new().await;
    let program = world.program().await;
    for number in 0..4 {
        world.app.somebody(&format!("p{number}@acme.example"), Some((&world.acme, Role::Viewer))).await;
        let team = json!({ "name": format!("Crew {number}") });
        assert_eq!(program.ask("POST", "/api/v1/teams", Some(&team)).await.status, 201);
        let role = json!({ "name": format!("Role {number}"), "permissions": ["analytics:read"] });
        assert_eq!(program.ask("POST", "/api/v1/roles", Some(&role)).await.status, 201);
        let invitation = json!({ "email": format!("i{number}@acme.example"), "role": "viewer" });
        assert_eq!(program.ask("POST", "/api/v1/invitations", Some(&invitation)).await.status, 201);
    }
    // Of one instant, of a month without a day, and of several days.
    for file in 0..3 {
        let rows: Vec<String> = (0..4)
            .map(|row| {
                let at = ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", "2026-10", "2026-11-18T08:00:00.5Z"][row];
                format!("x,page,p{file}-{row},{at},50")
            })
            .collect();
        world.app.posts(&world.acme, &rows).await;
    }
    let crew = program.get("/api/v1/teams?limit=1").await.json()["items"][0].clone();
    let mut version = crew["version"].as_i64().unwrap();
    for user in walk(&program, "/api/v1/users", 200).await {
        let place = json!({ "version": version });
        let path = format!("/api/v1/teams/{}/members/{}", crew["id"].as_str().unwrap(), user["id"].as_str().unwrap());
        let set = program.ask("PUT", &path, Some(&place)).await;
        version = set.json()["team_version"].as_i64().unwrap_or_else(|| panic!("{}", set.text()));
    }
    let members = format!("/api/v1/teams/{}/members", crew["id"].as_str().unwrap());
    for (path, id, expect) in [
        ("/api/v1/users", "id", 5),
        ("/api/v1/teams", "id", 4),
        (members.as_str(), "user", 5),
        ("/api/v1/roles", "id", 8),
        ("/api/v1/invitations", "id", 4),
        ("/api/v1/posts", "id", 9),
        ("/api/v1/posts?range=custom&from=2026-10-01&to=2026-11-21&metric=published", "id", 12),
        ("/api/v1/imports", "id", 3),
    ] {
        let whole = walk(&program, path, 200).await;
        assert_eq!(whole.len(), expect, "{path}");
        let ids: BTreeSet<&str> = whole.iter().map(|item| item[id].as_str().unwrap()).collect();
        assert_eq!(ids.len(), expect, "{path}");
        for limit in [1, 2, 3, expect] {
            assert_eq!(walk(&program, path, limit).await, whole, "{path} by {limit}");
        }
    }
    let actions = |items: Vec<Value>| {
        items
            .into_iter()
            .filter(|item| item["action"] == "team.create")
            .map(|item| item["id"].clone())
            .collect::<Vec<_>>()
    };
    let whole = actions(walk(&program, "/api/v1/audit", 200).await);
    assert_eq!(whole.len(), 4);
    // Looking adds to the log, at its beginning: a walk goes on behind it.
    assert_eq!(actions(walk(&program, "/api/v1/audit", 7).await), whole);
    assert_eq!(actions(walk(&program, "/api/v1/audit?action=team.create", 1).await), whole);
    let mine = walk(&program, "/api/v1/audit?action=team.create&limit=1", 50).await;
    assert!(mine.iter().all(|event| event["actor"]["kind"] == "api_key"), "{mine:?}");
    // A place of one list is none of another.
    let place = program.get("/api/v1/users?limit=1").await.json()["next"].as_str().unwrap().to_owned();
    check(&program.get(&format!("/api/v1/teams?after={place}")).await, 400, "bad-request", Some("after"));
}

#[tokio::test]
async fn a_team_is_made_changed_filled_and_removed() {
    let world = World::new().await;
    let program = world.program().await;
    world.app.posts(&world.acme, &["x,north,p1,2026-11-20T10:00:00Z,50".into()]).await;
    let account = program.get("/api/v1/posts").await.json()["items"][0]["account"]["id"].clone();
    let sam = world.app.somebody("sam@acme.example", Some((&world.acme, Role::Viewer))).await;
    let sam = format!("usr_{}", sam.simple());
    let new = json!({ "name": "Crew", "description": "North", "default_period": "90d", "platforms": ["x"] });
    let made = program.ask("POST", "/api/v1/teams", Some(&new)).await.json();
    let team = format!("/api/v1/teams/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["version"], &made["members"]), (&json!(1), &json!(0)));
    let patch = async |body: Value| program.ask("PATCH", &team, Some(&body)).await;
    let changed = patch(json!({ "name": "Northern crew", "version": 1 })).await.json();
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["default_period"], &changed["platforms"]),
        (&json!("Northern crew"), &json!("North"), &json!("90d"), &json!(["x"])),
        "what is left out stays"
    );
    let cleared = patch(json!({ "default_period": "", "platforms": [], "version": 2 })).await.json();
    assert_eq!((&cleared["default_period"], &cleared["platforms"]), (&Value::Null, &json!([])));
    assert_eq!(cleared["zone"], Value::Null);
    check(&patch(json!({ "zone": "Mars/Base", "version": 3 })).await, 422, "invalid", Some("zone"));
    let stale = patch(json!({ "name": "Mine", "version": 2 })).await;
    check(&stale, 409, "conflict", None);
    assert!(stale.json()["detail"].as_str().unwrap().contains("Program (rtv_"), "who changed it: {}", stale.text());

    let place = format!("{team}/members/{sam}");
    let set = program.ask("PUT", &place, Some(&json!({ "role": "editor", "version": 3 }))).await.json();
    assert_eq!((&set["role"]["id"], &set["team_version"]), (&json!("editor"), &json!(4)));
    let wrong = program.ask("PUT", &place, Some(&json!({ "permissions": ["users:manage"], "version": 4 }))).await;
    check(&wrong, 422, "invalid", Some("permissions"));
    let nobody = format!("{team}/members/usr_{}", Uuid::from_u128(42).simple());
    check(&program.ask("PUT", &nobody, Some(&json!({ "version": 4 }))).await, 404, "not-found", None);
    let resources = json!({ "accounts": [account], "version": 4 });
    let resources = program.ask("PUT", &format!("{team}/resources"), Some(&resources)).await.json();
    assert_eq!((&resources["accounts"], &resources["version"]), (&json!([account]), &json!(5)));
    // Figures and posts of a team are those of what it is responsible for.
    world.app.posts(&world.acme, &["x,south,p2,2026-11-20T11:00:00Z,70".into()]).await;
    let posts = async |query: &str| program.get(&format!("/api/v1/posts{query}")).await;
    let of_team = format!("?team={}", made["id"].as_str().unwrap());
    assert_eq!(posts("").await.json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(posts(&of_team).await.json()["items"][0]["external_id"], "p1");
    assert_eq!(posts(&of_team).await.json()["items"].as_array().unwrap().len(), 1);
    let published = |answer: Value| {
        let kpis = answer["kpis"].as_array().unwrap().clone();
        kpis.into_iter().find(|kpi| kpi["key"] == "published").unwrap()["value"].clone()
    };
    assert_eq!(published(program.get("/api/v1/kpis").await.json()), 2);
    assert_eq!(published(program.get(&format!("/api/v1/kpis{of_team}")).await.json()), 1);
    let foreign = format!("?team=team_{}", Uuid::from_u128(42).simple());
    check(&posts(&foreign).await, 400, "bad-request", Some("team"));
    let unknown = json!({ "campaigns": ["cmp_1"], "version": 5 });
    check(&program.ask("PUT", &format!("{team}/resources"), Some(&unknown)).await, 422, "invalid", Some("accounts"));
    let members = program.get(&format!("{team}/members")).await.json();
    assert_eq!(members["items"][0]["news"], json!([]));
    let told = program.ask("PUT", &place, Some(&json!({ "role": "editor", "news": ["imports"], "version": 5 }))).await;
    assert_eq!(told.json()["news"], json!(["imports"]));
    let kept = program.ask("PUT", &place, Some(&json!({ "role": "viewer", "version": 6 }))).await.json();
    assert_eq!(kept["news"], json!(["imports"]), "what is left out stays");
    let wrong = json!({ "role": "viewer", "news": ["weather"], "version": 7 });
    check(&program.ask("PUT", &place, Some(&wrong)).await, 422, "invalid", Some("news"));
    let zone = patch(json!({ "zone": "Asia/Tokyo", "version": 7 })).await.json();
    assert_eq!((&zone["zone"], &zone["name"]), (&json!("Asia/Tokyo"), &json!("Northern crew")));
    let user = program.get(&format!("/api/v1/users/{sam}")).await.json();
    assert_eq!(user["teams"][0]["name"], "Northern crew");
    assert_eq!(program.ask("DELETE", &format!("{place}?version=8"), None).await.status, 204);
    check(&program.ask("DELETE", &format!("{place}?version=9"), None).await, 404, "not-found", None);
    check(&program.ask("DELETE", &team, None).await, 422, "invalid", Some("version"));
    assert_eq!(program.ask("DELETE", &format!("{team}?version=9"), None).await.status, 204);
    check(&program.get(&team).await, 404, "not-found", None);
}

#[tokio::test]
async fn members_roles_and_invitations_are_kept() {
    let world = World::new().await;
    let program = world.program().await;
    let new = json!({ "name": "Analyst", "permissions": ["analytics:read"] });
    let role = program.ask("POST", "/api/v1/roles", Some(&new)).await.json();
    let id = role["id"].as_str().unwrap();
    let path = format!("/api/v1/roles/{id}");
    let more = json!({ "permissions": ["analytics:read", "audit:read"], "version": 1 });
    let changed = program.ask("PATCH", &path, Some(&more)).await.json();
    assert_eq!(
        (&changed["name"], &changed["permissions"], &changed["version"]),
        (&json!("Analyst"), &more["permissions"], &json!(2))
    );
    let unknown = json!({ "permissions": ["moon:land"], "version": 2 });
    check(&program.ask("PATCH", &path, Some(&unknown)).await, 422, "invalid", Some("permissions"));

    let sam = world.app.somebody("sam@acme.example", Some((&world.acme, Role::Viewer))).await;
    let user = format!("/api/v1/users/usr_{}", sam.simple());
    let given = program.ask("PATCH", &user, Some(&json!({ "role": id, "version": 1 }))).await.json();
    assert_eq!((&given["role"]["name"], &given["version"]), (&json!("Analyst"), &json!(2)));
    let extra =
        program.ask("PATCH", &user, Some(&json!({ "permissions": ["reports:read"], "version": 2 }))).await.json();
    assert_eq!((&extra["role"]["id"], &extra["permissions"]), (&json!(id), &json!(["reports:read"])));
    check(
        &program.ask("PATCH", &user, Some(&json!({ "role": "king", "version": 3 }))).await,
        422,
        "invalid",
        Some("role"),
    );
    check(
        &program.ask("PATCH", &user, Some(&json!({ "role": "owner", "version": 3 }))).await,
        422,
        "invalid",
        Some("role"),
    );
    let owner = format!("/api/v1/users/usr_{}", world.owner.simple());
    check(
        &program.ask("PATCH", &owner, Some(&json!({ "role": "viewer", "version": 1 }))).await,
        422,
        "invalid",
        Some("role"),
    );
    check(&program.ask("DELETE", &format!("{path}?version=2"), None).await, 409, "conflict", None);
    // An invitation gives it too, as long as the key's author holds all of it.
    let press = json!({ "email": "press@acme.example", "role": id });
    let offered = program.ask("POST", "/api/v1/invitations", Some(&press)).await.json();
    assert_eq!((&offered["role"], &offered["role_name"]), (&json!(id), &json!("Analyst")));
    assert_eq!(program.get("/api/v1/invitations").await.json()["items"][0], offered);
    let foreign = json!({ "email": "x@acme.example", "role": format!("role_{}", Uuid::from_u128(42).simple()) });
    check(&program.ask("POST", "/api/v1/invitations", Some(&foreign)).await, 422, "invalid", Some("role"));
    assert_eq!(program.ask("DELETE", &format!("{user}?version=3"), None).await.status, 204);
    check(&program.ask("DELETE", &format!("{path}?version=2"), None).await, 409, "conflict", None);
    let offered = format!("/api/v1/invitations/{}", offered["id"].as_str().unwrap());
    assert_eq!(program.ask("DELETE", &offered, None).await.status, 204);
    assert_eq!(program.ask("DELETE", &format!("{path}?version=2"), None).await.status, 204);

    let new = json!({ "email": "new@acme.example", "role": "viewer" });
    let made = program.ask("POST", "/api/v1/invitations", Some(&new)).await.json();
    assert!(made["invited_by"].as_str().unwrap().starts_with("Program (rtv_"), "{made}");
    assert!(world.app.link_to("new@acme.example").await.starts_with("/invite/"));
    check(&program.ask("POST", "/api/v1/invitations", Some(&new)).await, 422, "invalid", Some("email"));
    let owner = json!({ "email": "boss@acme.example", "role": "owner" });
    check(&program.ask("POST", "/api/v1/invitations", Some(&owner)).await, 422, "invalid", Some("role"));
    let path = format!("/api/v1/invitations/{}", made["id"].as_str().unwrap());
    let soon = program.ask("POST", &format!("{path}/resend"), None).await;
    check(&soon, 429, "too-many-requests", None);
    assert!(soon.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(program.ask("DELETE", &path, None).await.status, 204);
    check(&program.ask("DELETE", &path, None).await, 404, "not-found", None);
}

#[tokio::test]
async fn the_figures_are_those_of_the_dashboard() {
    let world = World::new().await;
    let program = world.program().await;
    let columns = "x,page,p1,2026-11-20T10:00:00Z,50,100,4,3,2,1,2,12.50,5,";
    world
        .app
        .posts(&world.acme, &[columns.trim_end_matches(',').into(), "x,page,p2,2026-10-20T10:00:00Z,40,80".into()])
        .await;
    let found = program.get("/api/v1/kpis?range=28d&compare=previous").await.json();
    assert_eq!(found["period"], json!({ "from": "2026-10-25", "to": "2026-11-21" }));
    assert_eq!(found["previous"], json!({ "from": "2026-09-27", "to": "2026-10-24" }));
    let kpi = |key: &str| found["kpis"].as_array().unwrap().iter().find(|kpi| kpi["key"] == key).unwrap().clone();
    let impressions = kpi("impressions");
    assert_eq!(
        (&impressions["value"], &impressions["previous"], &impressions["change"], &impressions["unit"]),
        (&json!(100), &json!(80), &json!(0.25), &json!("count"))
    );
    assert_eq!(kpi("revenue")["value"], json!({ "amount": "12.5", "currency": "USD" }));
    assert_eq!(kpi("engagement_rate")["value"], json!(0.1));
    let missing = kpi("sentiment");
    assert!(missing["value"].is_null() && missing["missing_reason"].is_string(), "{missing}");
    let mut browser = world.app.signed_in(world.owner).await;
    let page = browser.get("/t/acme/dashboard?range=28d&compare=previous").await.text();
    for (key, value) in [("impressions", "100"), ("reach", "50"), ("engagement_rate", "0.1"), ("revenue", "12.5")] {
        assert!(page.contains(&format!("data-kpi=\"{key}\" data-value=\"{value}\"")), "{key}");
    }
    let posts = program.get("/api/v1/posts").await.json();
    assert_eq!(posts["items"][0]["figures"]["revenue"], json!({ "amount": "12.5", "currency": "USD" }));
    assert_eq!(posts["items"].as_array().unwrap().len(), 1, "the period of the dashboard");
    let alone = program.get("/api/v1/kpis?compare=none").await.json();
    assert!(alone["previous"].is_null() && alone["kpis"][0]["previous"].is_null(), "{alone}");
}

#[tokio::test]
async fn the_same_request_is_done_once_however_often_and_however_many_at_a_time() {
    let world = World::new().await;
    let program = world.program().await;
    let team = json!({ "name": "Crew" });
    let requests = (0..12).map(|_| program.ask_once("POST", "/api/v1/teams", Some(&team), Some("key-1")));
    let answers = futures::future::join_all(requests).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty() && made.iter().all(|answer| answer.body == made[0].body), "one team, one answer");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        check(answer, 409, "conflict", None);
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(program.get("/api/v1/teams").await.json()["items"].as_array().unwrap().len(), 1);
    let again = program.ask_once("POST", "/api/v1/teams", Some(&team), Some("key-1")).await;
    assert_eq!(
        (again.status.as_u16(), &again.body, again.header("idempotency-replayed")),
        (201, &made[0].body, "true")
    );
    let other = program.ask_once("POST", "/api/v1/teams", Some(&json!({ "name": "Other" })), Some("key-1")).await;
    check(&other, 422, "idempotency-key-reused", None);
    let elsewhere = program.ask_once("POST", "/api/v1/roles", Some(&team), Some("key-1")).await;
    check(&elsewhere, 422, "invalid", Some("permissions"));

    // A refusal is an answer too; nothing was done, and nothing is.
    let refused = program.ask_once("POST", "/api/v1/teams", Some(&team), Some("key-2")).await;
    check(&refused, 422, "invalid", Some("name"));
    let again = program.ask_once("POST", "/api/v1/teams", Some(&team), Some("key-2")).await;
    assert_eq!((again.status, &again.body), (refused.status, &refused.body));
    let id = made[0].json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/teams/{id}?version=1");
    for _ in 0..2 {
        assert_eq!(program.ask_once("DELETE", &path, None, Some("key-3")).await.status, 204);
    }
    assert_eq!(program.ask("DELETE", &path, None).await.status, 404, "without a key it is asked anew");
    // What was refused for want of a permission stands in the log, also within an act.
    let weak = world.app.key(world.owner, &world.acme, &[Permission::AnalyticsRead]).await;
    check(&weak.ask_once("POST", "/api/v1/teams", Some(&team), Some("key-4")).await, 403, "forbidden", None);
    let denied = program.get("/api/v1/audit?result=denied").await.json();
    assert_eq!(denied["items"][0]["action"], "permission.refused", "{denied}");
    // An invitation's mail is part of the act.
    let invitation = json!({ "email": "once@acme.example", "role": "viewer" });
    for _ in 0..3 {
        assert_eq!(program.ask_once("POST", "/api/v1/invitations", Some(&invitation), Some("key-5")).await.status, 201);
    }
    let mails = rtv_domain::mail::list(&world.app.operator()).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.to == "once@acme.example").count(), 1);
}

#[tokio::test]
async fn more_requests_than_the_plan_allows_are_told_to_wait() {
    let app = TestApp::new().await;
    let free = app.tenant("free").await;
    app.on_plan(&free, "free").await;
    let owner = app.somebody("owner@free.example", Some((&free, Role::Owner))).await;
    let program = app.key(owner, &free, &[Permission::AnalyticsRead]).await;
    for _ in 0..60 {
        assert_eq!(program.get("/api/v1/tenants/free").await.status, 200);
    }
    let answer = program.get("/api/v1/tenants/free").await;
    check(&answer, 429, "too-many-requests", None);
    assert_eq!(answer.header("retry-after"), "60");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("is allowed 60 (plan Free)"), "{detail}");
    assert_eq!(app.nobody().get("/api/v1/openapi.json").await.status, 200, "the description is for everybody");
}

/// The parts of an upload.
fn multipart(file: Option<&str>, options: Option<&str>) -> (String, String) {
    let mut body = String::new();
    if let Some(options) = options {
        body.push_str(&format!("--cut\r\ncontent-disposition: form-data; name=\"options\"\r\n\r\n{options}\r\n"));
    }
    if let Some(file) = file {
        body.push_str(&format!(
            "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"posts.csv\"\r\ncontent-type: text/csv\r\n\r\n{file}\r\n"
        ));
    }
    body.push_str("--cut--\r\n");
    ("multipart/form-data; boundary=cut".into(), body)
}

async fn upload(program: &Asker<'_>, file: Option<&str>, options: Option<&str>, key: Option<&str>) -> Answer {
    let (kind, body) = multipart(file, options);
    let mut request = Request::post("/api/v1/imports").header(header::CONTENT_TYPE, kind);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    program.send(request.body(Body::from(body)).unwrap()).await
}

async fn wait_for(program: &Asker<'_>, id: &str, state: &str) -> Value {
    let started = Instant::now();
    loop {
        let now = program.get(&format!("/api/v1/imports/{id}")).await.json();
        if now["state"] == state {
            return now;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "{state} was waited for: {now}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const FILE: &str = "platform,account_id,post_id,published_at,reach,impressions\n\
    x,page,p1,2026-11-20T10:00:00Z,50,100\nx,page,p2,2026-11-20T11:00:00Z,60,120\nx,page,p3,never,1,1\n";

#[tokio::test]
async fn a_file_is_imported_once_and_taken_back() {
    let world = World::new().await;
    let program = world.program().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn(rtv_server::jobs::work(world.app.state.clone(), async {
        let _ = stopped.await;
    }));
    let id_of =
        |answer: &Answer| answer.json()["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();

    let dry = upload(&program, Some(FILE), Some(r#"{"dry_run":true}"#), None).await;
    assert_eq!(dry.status, 202, "{}", dry.text());
    let checked = wait_for(&program, &id_of(&dry), "checked").await;
    let counts = json!({ "read": 3, "new": 2, "changed": 0, "unchanged": 0, "duplicate": 0, "refused": 1 });
    assert_eq!((&checked["counts"], &checked["refusals"][0]["row"]), (&counts, &json!(3)), "{checked}");
    assert_eq!(program.get("/api/v1/posts").await.json()["items"], json!([]), "a dry run writes nothing");

    let made = upload(&program, Some(FILE), None, Some("nightly-1")).await;
    assert_eq!(made.status, 202, "{}", made.text());
    let id = id_of(&made);
    let again = upload(&program, Some(FILE), None, Some("nightly-1")).await;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (made.status, &made.body, "true"));
    let other = FILE.replace("p2", "p9");
    check(&upload(&program, Some(&other), None, Some("nightly-1")).await, 422, "idempotency-key-reused", None);
    let done = wait_for(&program, &id, "done").await;
    assert_eq!((&done["counts"], &done["accounts"], &done["new_accounts"]), (&counts, &json!(1), &json!(1)), "{done}");
    assert_eq!(program.get("/api/v1/posts").await.json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(program.get("/api/v1/imports").await.json()["items"].as_array().unwrap().len(), 2, "no third upload");

    let back = program.ask_once("POST", &format!("/api/v1/imports/{id}/rollback"), None, Some("back-1")).await;
    assert_eq!((back.status.as_u16(), &back.json()["state"]), (202, &json!("rolling_back")));
    wait_for(&program, &id, "rolled_back").await;
    let again = program.ask_once("POST", &format!("/api/v1/imports/{id}/rollback"), None, Some("back-1")).await;
    assert_eq!((again.status, &again.body), (back.status, &back.body));
    check(&program.ask("POST", &format!("/api/v1/imports/{id}/rollback"), None).await, 409, "conflict", None);

    // A reason against it stops it after the check.
    let twice = format!("{FILE}x,page,p1,2026-11-20T10:00:00Z,51,100\n");
    let blocked = upload(&program, Some(&twice), Some(r#"{"duplicates":"refuse"}"#), None).await;
    let blocked = wait_for(&program, &id_of(&blocked), "checked").await;
    assert!(blocked["blocked"].as_str().unwrap().contains("more than once"), "{blocked}");
    let _ = stop.send(());
    worker.await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_refused_leaves_nothing_behind() {
    let world = World::new().await;
    let program = world.program().await;
    check(&upload(&program, None, None, None).await, 422, "invalid", Some("file"));
    check(&upload(&program, Some(FILE), Some("{"), None).await, 400, "bad-request", None);
    check(&upload(&program, Some(FILE), Some(r#"{"zone":"Mars"}"#), None).await, 422, "invalid", Some("zone"));
    check(
        &upload(&program, Some(FILE), Some(r#"{"mapping":"nobody’s"}"#), None).await,
        422,
        "invalid",
        Some("mapping"),
    );
    check(&upload(&program, Some("\u{0}\u{1}\u{2}"), None, None).await, 422, "invalid", Some("file"));
    let large = format!("{FILE}{}", "x".repeat(1_100_000));
    check(&upload(&program, Some(&large), None, None).await, 413, "too-large", Some("file"));
    let plain =
        Request::post("/api/v1/imports").header(header::CONTENT_TYPE, "text/csv").body(Body::from(FILE)).unwrap();
    check(&program.send(plain).await, 415, "unsupported-media-type", None);
    let imports = program.get("/api/v1/imports").await.json();
    let kept: Vec<&Value> =
        imports["items"].as_array().unwrap().iter().filter(|import| import["state"] != "cancelled").collect();
    assert!(kept.is_empty(), "{kept:?}");
    let used: i64 = {
        let mut tx = world.app.marked("tenant", Some(world.acme.id.uuid()), None).await;
        sqlx::query_scalar("select coalesce(sum(file_reserved_bytes), 0)::bigint from import")
            .fetch_one(&mut *tx)
            .await
            .unwrap()
    };
    assert_eq!(used, 0, "no file takes room");
}

#[tokio::test]
async fn a_suspended_tenant_is_read_and_not_changed() {
    let world = World::new().await;
    let program = world.program().await;
    let mut tx = world.app.marked("tenant", Some(world.acme.id.uuid()), None).await;
    sqlx::query("update tenant set status = 'suspended'").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(program.get("/api/v1/kpis").await.status, StatusCode::OK);
    check(&program.ask("POST", "/api/v1/teams", Some(&json!({ "name": "Crew" }))).await, 423, "read-only", None);
    check(&upload(&program, Some(FILE), None, None).await, 423, "read-only", None);
}

#[tokio::test]
async fn the_description_is_whole_and_the_page_for_people_needs_no_script() {
    let world = World::new().await;
    let nobody = world.app.nobody();
    let document = nobody.get("/api/v1/openapi.json").await.json();
    assert_eq!(&document, rtv_server::http::api::description());
    let text = document.to_string();
    for (_, rest) in text.match_indices("\"$ref\":\"#").map(|(at, _)| text.split_at(at + 9)) {
        let path = rest.split('"').next().unwrap();
        assert!(document.pointer(path).is_some(), "{path} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let about = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{about}");
            for status in ["401", "403", "429", "503"] {
                assert!(operation["responses"][status].is_object(), "{about} {status}");
            }
            let takes_key = operation["parameters"].to_string().contains("IdempotencyKey");
            assert_eq!(takes_key, method != "get", "{about}");
            assert_eq!(
                path.contains('{'),
                operation["responses"]["404"].is_object() && (path.contains('{')),
                "{about}"
            );
        }
    }
    assert_eq!(ids.len(), 46);
    let page = world.app.browser().get("/docs/api").await;
    let html = page.text();
    assert_eq!(page.status, 200);
    assert!(!html.contains("<script") && !html.contains(" style="), "{html}");
    assert!(ids.iter().all(|id| html.contains(&format!("id=\"operation-{id}\""))), "an operation is missing");
    assert!(html.contains("id=\"problem-idempotency-key-reused\""));
}
