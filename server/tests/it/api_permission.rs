//! Who may do what with a key: every operation of the API × no key, a browser's cookie, a key that holds everything, keys that
//! hold one of what leads there, one that holds everything but that, and one of another tenant. An operation that nobody has
//! listed here fails.

use axum::body::Body;
use http::{Request, header};
use rtv_core::permission::{SEES_REPORTS, SEES_TEAM};
use rtv_core::{Permission, Role};
use rtv_domain::Tenant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::test_app::{Answer, Asker, TestApp};

/// What leads to an operation, each by itself; nothing: every key may.
type Listed = (&'static str, &'static str, &'static [Permission]);

const LIST: [Listed; 44] = [
    ("get", "/api/v1/audit", &[Permission::AuditRead]),
    ("get", "/api/v1/deliveries", &[Permission::ContentRead]),
    ("get", "/api/v1/deliveries/{id}", &[Permission::ContentRead]),
    ("post", "/api/v1/deliveries/{id}/decide", &[Permission::DeliveriesDecide]),
    ("get", "/api/v1/deliveries/{id}/why", &[Permission::ContentRead]),
    ("get", "/api/v1/imports", &[Permission::ImportsManage]),
    ("post", "/api/v1/imports", &[Permission::ImportsManage]),
    ("get", "/api/v1/imports/{id}", &[Permission::ImportsManage]),
    ("post", "/api/v1/imports/{id}/rollback", &[Permission::ImportsManage]),
    ("get", "/api/v1/invitations", &[Permission::UsersInvite]),
    ("post", "/api/v1/invitations", &[Permission::UsersInvite]),
    ("delete", "/api/v1/invitations/{id}", &[Permission::UsersInvite]),
    ("post", "/api/v1/invitations/{id}/resend", &[Permission::UsersInvite]),
    ("get", "/api/v1/kpis", &[Permission::AnalyticsRead]),
    ("get", "/api/v1/posts", &[Permission::AnalyticsRead]),
    ("get", "/api/v1/reports", SEES_REPORTS),
    ("post", "/api/v1/reports", &[Permission::ReportsManage]),
    ("get", "/api/v1/reports/{id}", SEES_REPORTS),
    ("get", "/api/v1/reports/{id}/runs", SEES_REPORTS),
    ("post", "/api/v1/reports/{id}/runs", &[Permission::ReportsManage]),
    ("get", "/api/v1/roles", SEES_TEAM),
    ("post", "/api/v1/roles", &[Permission::RolesManage]),
    ("delete", "/api/v1/roles/{id}", &[Permission::RolesManage]),
    ("get", "/api/v1/roles/{id}", SEES_TEAM),
    ("patch", "/api/v1/roles/{id}", &[Permission::RolesManage]),
    ("get", "/api/v1/runs/{id}", SEES_REPORTS),
    ("get", "/api/v1/runs/{id}/files/{format}", SEES_REPORTS),
    ("get", "/api/v1/switches", &[Permission::SwitchesRead]),
    ("post", "/api/v1/switches", &[Permission::SwitchesEngage]),
    ("get", "/api/v1/switches/preview", &[Permission::SwitchesRead]),
    ("get", "/api/v1/switches/{id}/receipt", &[Permission::SwitchesRead]),
    ("post", "/api/v1/switches/{id}/release", &[Permission::SwitchesRelease]),
    ("get", "/api/v1/teams", SEES_TEAM),
    ("post", "/api/v1/teams", &[Permission::TeamsManage]),
    ("delete", "/api/v1/teams/{id}", &[Permission::TeamsManage]),
    ("get", "/api/v1/teams/{id}", SEES_TEAM),
    ("patch", "/api/v1/teams/{id}", &[Permission::TeamsManage]),
    ("get", "/api/v1/teams/{id}/members", SEES_TEAM),
    ("delete", "/api/v1/teams/{id}/members/{user}", &[Permission::TeamsManage]),
    ("put", "/api/v1/teams/{id}/members/{user}", &[Permission::TeamsManage]),
    ("put", "/api/v1/teams/{id}/resources", &[Permission::TeamsManage]),
    ("get", "/api/v1/tenants/{slug}", &[]),
    ("get", "/api/v1/users", SEES_TEAM),
    ("get", "/api/v1/users/{id}", SEES_TEAM),
];

/// The rest of them, which decide over people.
const DECIDING: [Listed; 2] = [
    ("delete", "/api/v1/users/{id}", &[Permission::UsersManage]),
    ("patch", "/api/v1/users/{id}", &[Permission::UsersManage]),
];

/// What an operation needs beside what leads there.
fn also((method, pattern, _): &Listed) -> &'static [Permission] {
    match (*method, *pattern) {
        // A report of figures that its author may not see would show them, and so does a file of it.
        ("post", "/api/v1/reports/{id}/runs") | ("get", "/api/v1/runs/{id}/files/{format}") => {
            &[Permission::AnalyticsRead]
        }
        _ => &[],
    }
}

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
}

impl World {
    async fn insert(&self, statement: &'static str, ids: &[Uuid]) {
        let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
        let mut query = sqlx::query(statement).bind(self.acme.id.uuid());
        for id in ids {
            query = query.bind(*id);
        }
        query.execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The address of something new of acme.
    async fn address(&self, method: &str, pattern: &str) -> String {
        let id = Uuid::now_v7();
        let user = self.app.somebody(&format!("{}@acme.example", id.simple()), Some((&self.acme, Role::Viewer))).await;
        let named = match pattern.split('/').nth(3).unwrap() {
            "users" => format!("usr_{}", user.simple()),
            "teams" => {
                self.insert(
                    "insert into team (tenant_id, id, name, changed_by) values ($1, $2, $2::uuid::text, 'a')",
                    &[id],
                )
                .await;
                self.insert("insert into team_member (tenant_id, team_id, user_id) values ($1, $2, $3)", &[id, user])
                    .await;
                format!("team_{}", id.simple())
            }
            "roles" => {
                self.insert(
                    "insert into custom_role (tenant_id, id, name, permissions, changed_by)
                     values ($1, $2, $2::uuid::text, '{content:read}', 'a')",
                    &[id],
                )
                .await;
                format!("role_{}", id.simple())
            }
            "invitations" => {
                self.insert(
                    "insert into invitation (tenant_id, id, email, role, token_hash, inviter_name, sent_at, expires_at)
                     values ($1, $2, $2::uuid::text || '@guest.example', 'viewer', uuid_send($2), 'Somebody',
                       '2026-11-20T09:00:00Z', '2026-11-27T09:00:00Z')",
                    &[id],
                )
                .await;
                format!("inv_{}", id.simple())
            }
            "imports" => {
                self.app.posts(&self.acme, &[format!("x,page,{id},2026-11-20T10:00:00Z,50")]).await.to_string()
            }
            "deliveries" if pattern.contains("{id}") => {
                for statement in [
                    "insert into account (tenant_id, id, platform, external_id, name) values ($1, $2, 'sandbox', $2::uuid::text, 'a')",
                    "insert into content (tenant_id, id, body, created_by, changed_by) values ($1, $2, 'Hello', 'a', 'a')",
                    "insert into delivery (tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at)
                     values ($1, $2, $2, $2, 'sandbox', 'missed', '2026-11-20T09:00:00Z', '2026-11-20T09:00:00Z')",
                ] {
                    self.insert(statement, &[id]).await;
                }
                format!("dlv_{}", id.simple())
            }
            "reports" if pattern.contains("{id}") => self.app.report("acme").await.0.to_string(),
            "runs" => self.app.report("acme").await.1.to_string(),
            "switches" if pattern.contains("{id}") => {
                let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
                let id: Uuid = sqlx::query_scalar(
                    "update kill_switch
                     set is_engaged = true, epoch = epoch + 1, halt_id = $2, engaged_at = now(), clicked_at = now(),
                       actor_kind = 'user', actor_label = 'a', reason = 'other', review_at = now()
                     where tenant_id = $1 and scope = 'part:x:publish'
                     returning id",
                )
                .bind(self.acme.id.uuid())
                .bind(id)
                .fetch_one(&mut *tx)
                .await
                .unwrap();
                tx.commit().await.unwrap();
                format!("ks_{}", id.simple())
            }
            _ => String::new(),
        };
        let path = pattern
            .replace("{slug}", "acme")
            .replace("{id}", &named)
            .replace("{user}", &format!("usr_{}", user.simple()))
            .replace("{format}", "csv");
        let takes_version = method == "delete" && !pattern.contains("invitations");
        if takes_version { format!("{path}?version=1") } else { path }
    }

    /// A request that is in order but for who asks.
    fn request(method: &str, pattern: &str, path: &str) -> Request<Body> {
        let name = Uuid::now_v7().simple().to_string();
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
        if (method, pattern) == ("post", "/api/v1/imports") {
            let body = "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                platform,account_id,post_id,published_at,reach\nx,page,p1,2026-11-20T10:00:00Z,5\r\n--cut--\r\n";
            return request
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=cut")
                .body(body.into())
                .unwrap();
        }
        let body: Option<Value> = match (method, pattern) {
            ("post", "/api/v1/invitations") => {
                Some(json!({ "email": format!("{name}@new.example"), "role": "viewer" }))
            }
            ("post", "/api/v1/deliveries/{id}/decide") => Some(json!({ "choice": "drop", "version": 1 })),
            ("post", "/api/v1/reports") => Some(json!({ "template": "blank" })),
            ("post", "/api/v1/reports/{id}/runs") => Some(json!({})),
            ("post", "/api/v1/roles") => Some(json!({ "name": name, "permissions": ["content:read"] })),
            ("post", "/api/v1/switches") => Some(json!({ "scope": { "platform": "x", "action": "publish" } })),
            ("post", "/api/v1/switches/{id}/release") => {
                Some(json!({ "name": "The acme / X / Publish", "reason": "r" }))
            }
            ("post", "/api/v1/teams") => Some(json!({ "name": name })),
            ("patch" | "put", _) => Some(json!({ "version": 1 })),
            _ => None,
        };
        match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into()).unwrap()
            }
            None => request.body(Body::empty()).unwrap(),
        }
    }

    async fn ask(&self, (method, pattern, _): &Listed, program: &Asker<'_>) -> Answer {
        let path = self.address(method, pattern).await;
        program.send(Self::request(method, pattern, &path)).await
    }
}

/// Keys of the owner by what they hold: a tenant has at most a hundred.
#[derive(Default)]
struct Keys<'a>(Vec<(Vec<Permission>, Asker<'a>)>);

impl<'a> Keys<'a> {
    async fn holding(&mut self, world: &'a World, held: &[Permission]) -> &Asker<'a> {
        let place = match self.0.iter().position(|(one, _)| one == held) {
            Some(place) => place,
            None => {
                self.0.push((held.to_vec(), world.app.key(world.owner, &world.acme, held).await));
                self.0.len() - 1
            }
        };
        &self.0[place].1
    }
}

#[tokio::test]
async fn every_operation_is_open_to_the_keys_that_hold_what_leads_there_and_to_no_other() {
    let app = TestApp::new().await;
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    app.on_plan(&acme, "enterprise").await;
    app.on_plan(&other, "enterprise").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let stranger = app.somebody("owner@other.example", Some((&other, Role::Owner))).await;
    let world = World { app, acme, owner };
    let app = &world.app;
    let all = app.key(world.owner, &world.acme, Permission::ALL).await;
    let foreign = app.key(stranger, &other, Permission::ALL).await;
    let browser = app.signed_in(world.owner).await;

    let listed: Vec<&Listed> = LIST.iter().chain(&DECIDING).collect();
    let paths = rtv_server::http::api::description()["paths"].as_object().unwrap();
    for (path, item) in paths {
        for method in item.as_object().unwrap().keys() {
            assert!(
                listed.iter().any(|(one, pattern, _)| one == method && pattern == path),
                "{method} {path} is not listed in this test"
            );
        }
    }
    let served: usize = paths.values().map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(served, listed.len(), "something is listed that nothing serves");

    let mut keys = Keys::default();
    for entry in listed {
        let (method, pattern, leading) = entry;
        let about = |who: &str, answer: &Answer| format!("{method} {pattern} by {who}: {}", answer.text());
        let answer = world.ask(entry, &app.nobody()).await;
        assert_eq!(answer.status, 401, "{}", about("nobody", &answer));
        let path = world.address(method, pattern).await;
        let answer = app.nobody().send(browser.dress(World::request(method, pattern, &path))).await;
        assert_eq!(answer.status, 401, "{}", about("a cookie", &answer));
        let answer = world.ask(entry, &all).await;
        assert!(answer.status.is_success(), "{}", about("a key that holds everything", &answer));
        if pattern.contains('{') {
            let answer = world.ask(entry, &foreign).await;
            assert_eq!(answer.status, 404, "{}", about("a key of another tenant", &answer));
        }
        for permission in *leading {
            let held = [&[*permission], also(entry)].concat();
            let answer = world.ask(entry, keys.holding(&world, &held).await).await;
            let is_open = answer.status.is_success() || matches!(answer.status.as_u16(), 409 | 422);
            assert!(is_open, "{}", about(permission.key(), &answer));
        }
        let rest: Vec<Permission> = Permission::ALL.iter().copied().filter(|one| !leading.contains(one)).collect();
        let answer = world.ask(entry, keys.holding(&world, &rest).await).await;
        let expect = if leading.is_empty() { 200 } else { 403 };
        assert_eq!(answer.status, expect, "{}", about("a key that lacks it", &answer));
    }
}
