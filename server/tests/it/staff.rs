//! The operator's console: who sees it, what staff do there, and that each act asks for a proof, says why where it must, and
//! is found in the log of the tenant that it is about.

use rtv_core::{Role, TenantStatus};
use rtv_domain::{Tenant, staff, tenant};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command::Program;
use crate::test_app::{Answer, Browser, TestApp};

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
    staff: Uuid,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
        let staff = app.somebody("staff@rtv.example", None).await;
        Self { app, acme, owner, staff }
    }

    /// Staff who have just proved who they are.
    async fn staff(&self) -> Browser<'_> {
        let browser = self.app.signed_in(self.staff).await;
        self.app.prove(self.staff).await;
        browser
    }

    async fn owner(&self) -> Browser<'_> {
        self.app.signed_in(self.owner).await
    }

    /// The tenant's log: action and label of who acted.
    async fn log(&self) -> Vec<(String, String, String)> {
        let mut tx = self.app.marked("tenant", Some(self.acme.id.uuid()), None).await;
        sqlx::query_as("select action, actor_kind, actor_label from audit_event order by id")
            .fetch_all(&mut *tx)
            .await
            .unwrap()
    }
}

#[track_caller]
fn check(answer: &Answer, words: &[&str]) {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    for words in words {
        assert!(answer.text().contains(words), "“{words}” is missing: {}", answer.text());
    }
}

#[tokio::test]
async fn to_everybody_but_staff_the_console_does_not_exist() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    assert_eq!(staff.get("/staff").await.location(), "/staff/tenants");
    let user = format!("/staff/users/usr_{}", world.owner.simple());
    let pages = [
        "/staff/tenants",
        "/staff/tenants/acme",
        "/staff/tenants/acme/visit",
        "/staff/users",
        &user,
        "/staff/maintenance",
        "/staff/mail",
    ];
    for page in pages {
        check(&staff.get(page).await, &["Staff console", "data-frame=\"staff\"", ">Staff<"]);
    }
    let seen = |answer: &Answer| answer.plain().split("</html>").next().map(str::to_owned);
    for mut browser in [world.app.browser(), world.owner().await] {
        let nothing = browser.get("/staff/nothing").await;
        for page in pages {
            let answer = browser.get(page).await;
            assert_eq!((answer.status.as_u16(), seen(&answer)), (404, seen(&nothing)), "{page}");
        }
        for form in ["/staff/tenants", "/staff/tenants/acme/status", "/staff/maintenance", &format!("{user}/disable")] {
            assert_eq!(browser.post(form, &[("reason", ""), ("step", "moon")]).await.status, 404, "{form}");
        }
        assert_eq!(browser.call("/fn/staff", &json!({ "path": "/staff/tenants", "query": [] })).await.status, 404);
    }
    for nothing in ["/staff/tenants/nowhere", "/staff/tenants/-", "/staff/users/usr_1", "/staff/nothing"] {
        assert_eq!(staff.get(nothing).await.status, 404, "{nothing}");
    }
}

#[tokio::test]
async fn a_tenant_is_created_found_suspended_and_resumed() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let form =
        [("slug", "Fresh"), ("name", "Fresh Bakery"), ("zone", "Berlin"), ("currency", "EUR"), ("plan", "starter")];
    let refused = staff.post("/staff/tenants", &form).await;
    assert_eq!(refused.location(), "/staff/tenants");
    check(&staff.get("/staff/tenants").await, &["IANA time zone", "value=\"Fresh Bakery\"", "value=\"Fresh\""]);
    let form = [
        ("slug", "fresh"),
        ("name", "Fresh Bakery"),
        ("zone", "Europe/Berlin"),
        ("currency", "EUR"),
        ("plan", "starter"),
    ];
    let made = staff.post("/staff/tenants", &form).await;
    assert_eq!(made.location(), "/staff/tenants/fresh");
    check(
        &staff.get("/staff/tenants/fresh").await,
        &["Fresh Bakery is created", "Nobody belongs to it", "Europe/Berlin"],
    );

    check(&staff.get("/staff/tenants?q=bake").await, &["data-row=\"fresh\"", "1 of 2 tenants"]);
    let found = staff.get("/staff/tenants?q=bake&status=suspended").await;
    check(&found, &["No tenant is like that"]);
    assert!(!staff.get("/staff/tenants?plan=starter").await.text().contains("data-row=\"acme\""));
    assert!(!staff.get("/staff/tenants?q=%25").await.text().contains("data-row"), "a sign of a pattern is a sign");
    assert_eq!(staff.get("/staff/tenants?plan=golden").await.status, 422);

    let version = staff::tenant(&world.app.operator(), "acme").await.unwrap().version.to_string();
    let step = |step, reason| [("step", step), ("reason", reason), ("version", version.as_str())];
    staff.post("/staff/tenants/acme/status", &step("suspend", "")).await;
    check(&staff.get("/staff/tenants/acme").await, &["in 1 to 500 characters without line breaks"]);
    staff.post("/staff/tenants/acme/status", &step("suspend", "Bill 17 is open")).await;
    check(&staff.get("/staff/tenants/acme").await, &["The acme is suspended.", "Bill 17 is open", "Suspended since"]);
    let mut owner = world.owner().await;
    check(&owner.get("/t/acme/dashboard").await, &["This organisation is suspended: Bill 17 is open."]);
    // The page that it was decided on is old by now.
    staff.post("/staff/tenants/acme/status", &step("resume", "paid")).await;
    check(&staff.get("/staff/tenants/acme").await, &["since you opened this page"]);
    let version = staff::tenant(&world.app.operator(), "acme").await.unwrap().version.to_string();
    staff.post("/staff/tenants/acme/status", &[("step", "resume"), ("reason", "paid"), ("version", &version)]).await;
    assert!(!owner.get("/t/acme/dashboard").await.text().contains("suspended"));
    let log = world.log().await;
    for action in ["tenant.suspend", "tenant.resume"] {
        let event = log.iter().find(|(one, ..)| one == action).unwrap();
        assert_eq!((event.1.as_str(), event.2.as_str()), ("staff", "staff@rtv.example"), "{action}");
    }
}

#[tokio::test]
async fn staff_allow_a_tenant_something_else_than_its_plan() {
    let world = World::new().await;
    let mut staff = world.app.signed_in(world.staff).await;
    world.app.prove(world.staff).await;
    let (page, form) = ("/staff/tenants/acme", "/staff/tenants/acme/limits");
    let refused = [("limit", "users"), ("value", "-3"), ("version", "1")];
    assert_eq!(staff.post(form, &refused).await.location(), page);
    check(&staff.get(page).await, &["whole number from 1 to", "value=\"-3\""]);
    staff.post(form, &[("limit", "users"), ("value", "1"), ("version", "1")]).await;
    check(&staff.get(page).await, &["Users: 1.", "data-row=\"users\" data-used=\"1\" data-most=\"1\""]);
    staff.post(form, &[("limit", "users"), ("value", ""), ("version", "1")]).await;
    check(&staff.get(page).await, &["since you opened this page"]);
    staff.post(form, &[("limit", "users"), ("value", ""), ("version", "2")]).await;
    check(&staff.get(page).await, &["Users: as the plan says."]);
}

#[tokio::test]
async fn what_staff_change_asks_for_a_fresh_proof_and_what_they_read_does_not() {
    let world = World::new().await;
    let mut stale = world.app.signed_in(world.staff).await;
    let user = format!("/staff/users/usr_{}", world.owner.simple());
    check(&stale.get(&user).await, &["owner@acme.example", "The acme"]);
    for (form, fields) in [
        ("/staff/tenants", vec![("slug", "fresh"), ("name", "Fresh")]),
        ("/staff/tenants/acme/status", vec![("step", "suspend"), ("reason", "why"), ("version", "1")]),
        ("/staff/tenants/acme/plan", vec![("plan", "starter"), ("version", "1")]),
        ("/staff/tenants/acme/limits", vec![("limit", "users"), ("value", "20"), ("version", "1")]),
        ("/staff/tenants/acme/visit", vec![("reason", "why")]),
        ("/staff/maintenance", vec![("reason", "why")]),
        (&format!("{user}/disable"), vec![]),
        (&format!("{user}/reset-password"), vec![]),
        (&format!("{user}/end-sessions"), vec![]),
    ] {
        let asked = stale.post(form, &fields).await;
        assert!(asked.location().starts_with("/me/confirm?next=/staff/"), "{form}: {}", asked.location());
    }
    let all = tenant::list(&world.app.operator()).await.unwrap();
    assert_eq!(all.iter().map(|one| one.tenant.status).collect::<Vec<_>>(), [TenantStatus::Active]);
    assert_eq!(world.owner().await.get("/t/acme/dashboard").await.status, 200);
}

#[tokio::test]
async fn a_user_is_found_signed_out_disabled_and_gets_a_link() {
    let world = World::new().await;
    world.app.somebody("second@acme.example", Some((&world.acme, Role::Owner))).await;
    let mut staff = world.staff().await;
    check(&staff.get("/staff/users?q=OWNER%40").await, &["data-row=\"owner@acme.example\"", "1 user"]);
    let page = format!("/staff/users/usr_{}", world.owner.simple());
    let mut owner = world.owner().await;
    check(&staff.get(&page).await, &["data-row=\"acme\"", "Owner"]);
    staff.post(&format!("{page}/end-sessions"), &[]).await;
    check(&staff.get(&page).await, &["Sessions that ended: 1."]);
    assert_eq!(owner.get("/t/acme/dashboard").await.status, 303, "at once");
    let mut owner = world.owner().await;
    staff.post(&format!("{page}/reset-password"), &[]).await;
    check(&staff.get(&page).await, &["owner@acme.example gets a mail with a link. Sessions that ended: 1."]);
    let link = world.app.link_to("owner@acme.example").await;
    assert_eq!(owner.get("/t/acme/dashboard").await.status, 303);
    assert_eq!(world.app.browser().get(&link).await.status, 200);
    staff.post(&format!("{page}/disable"), &[]).await;
    check(&staff.get(&page).await, &["is disabled, and signed out everywhere", ">Disabled<"]);
    assert_eq!(world.app.browser().get(&link).await.status, 404, "nor by the link");
    staff.post(&format!("{page}/enable"), &[]).await;
    let own = format!("/staff/users/usr_{}", world.staff.simple());
    staff.post(&format!("{own}/disable"), &[]).await;
    check(&staff.get(&own).await, &["You cannot disable yourself"]);
    let log: Vec<_> =
        world.log().await.into_iter().filter(|(_, kind, _)| kind == "staff").map(|(action, ..)| action).collect();
    for action in ["session.end_all", "password.send_link", "user.disable", "user.enable"] {
        assert!(log.iter().any(|one| one == action), "{action} is not in {log:?}");
    }
}

#[tokio::test]
async fn staff_visit_with_a_reason_and_the_tenant_reads_of_it() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    let mut owner = world.owner().await;
    let nowhere = staff.get("/t/nowhere/dashboard").await;
    let without = staff.get("/t/acme/dashboard").await;
    assert_eq!((without.status, without.plain()), (nowhere.status, nowhere.plain().replace("nowhere", "acme")));
    staff.post("/staff/tenants/acme/visit", &[("reason", " ")]).await;
    check(&staff.get("/staff/tenants/acme/visit").await, &["in 1 to 500 characters without line breaks"]);
    let begun = staff.post("/staff/tenants/acme/visit", &[("reason", "Ticket 4711")]).await;
    assert_eq!(begun.location(), "/t/acme/dashboard");
    let notice = ["Staff visit to The acme.", "Ticket 4711. You read and change nothing", "End visit"];
    for page in ["dashboard", "posts", "targets", "team", "audit", "imports"] {
        check(&staff.get(&format!("/t/acme/{page}")).await, &notice);
    }
    assert!(!owner.get("/t/acme/dashboard").await.text().contains("Staff visit"));
    for (form, fields) in [
        ("/t/acme/targets", vec![("kpi", "reach"), ("aim", "all"), ("amount", "5")]),
        ("/t/acme/team/teams", vec![("name", "Crew")]),
        ("/t/acme/sample-data/remove", vec![]),
    ] {
        assert_eq!(staff.post(form, &fields).await.status, 403, "{form}");
    }
    for file in ["/t/acme/audit/log.jsonl", "/t/acme/audit/log.csv"] {
        assert_eq!(staff.get(file).await.status, 403, "{file}");
    }
    assert_eq!(staff.get("/").await.status, 200, "the tenant is not theirs");
    let page = staff.get("/staff/tenants/acme").await;
    check(&page, &["Newest visits of staff", "Ticket 4711", "Goes on"]);
    let audit = owner.get("/t/acme/audit").await;
    check(&audit, &["staff.visit.begin", "staff@rtv.example"]);
    let text = page.text();
    let id = text.split("data-row=\"vis_").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let ended = staff.post(&format!("/staff/visits/vis_{id}/end"), &[]).await;
    assert_eq!(ended.location(), "/staff/tenants/acme");
    let after = staff.get("/t/acme/dashboard").await;
    assert_eq!((after.status.as_u16(), after.plain()), (404, without.plain()));
    check(&owner.get("/t/acme/audit?action=staff.visit.end").await, &["the visitor ended it"]);
}

#[tokio::test]
async fn a_visit_is_over_when_the_visitor_is_no_staff_any_more() {
    let world = World::new().await;
    let mut staff = world.staff().await;
    staff.post("/staff/tenants/acme/visit", &[("reason", "why")]).await;
    assert_eq!(staff.get("/t/acme/dashboard").await.status, 200);
    let owner = world.app.db.owner_pool().await;
    let mut tx = owner.begin().await.unwrap();
    sqlx::query("alter table staff_member no force row level security").execute(&mut *tx).await.unwrap();
    sqlx::query("delete from staff_member").execute(&mut *tx).await.unwrap();
    sqlx::query("alter table staff_member force row level security").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(staff.get("/t/acme/dashboard").await.status, 404);
    assert_eq!(staff.get("/staff/tenants").await.status, 404);
}

#[tokio::test]
async fn the_list_of_tenants_pages_by_key() {
    let app = TestApp::new().await;
    for number in 0..53 {
        app.tenant(&format!("tenant-{number:02}")).await;
    }
    let staff = app.somebody("staff@rtv.example", None).await;
    let mut browser = app.signed_in(staff).await;
    let first = browser.get("/staff/tenants").await.text();
    assert_eq!(first.matches("<tr data-row=\"tenant-").count(), 50);
    assert!(first.contains("/staff/tenants?after=tenant-49"), "{first}");
    let second = browser.get("/staff/tenants?after=tenant-49").await.text();
    assert_eq!(second.matches("<tr data-row=\"tenant-").count(), 3);
}

#[tokio::test]
async fn the_commands_show_suspend_resume_and_cancel_and_help_with_passwords() {
    let world = World::new().await;
    let program = Program::of(&world.app);
    let run = async |arguments: &[&str]| program.run(&[&["admin"], arguments].concat()).await;
    run(&["tenants", "suspend", "acme"]).await.check(2, "", "--reason");
    run(&["tenants", "suspend", "nowhere", "--reason", "why"]).await.check(2, "", "there is no tenant");
    run(&["tenants", "suspend", "acme", "--reason", "Bill 17"]).await.check(0, "acme is suspended", "");
    run(&["tenants", "suspend", "acme", "--reason", "Bill 17"]).await.check(3, "", "is suspended already");
    let shown = run(&["tenants", "show", "acme", "--json"]).await.json();
    assert_eq!((&shown["status"], &shown["reason"]), (&json!("suspended"), &json!("Bill 17")));
    assert_eq!(shown["members"][0]["email"], "owner@acme.example");
    run(&["tenants", "show", "acme"]).await.check(0, "suspended: Bill 17", "");
    run(&["tenants", "show", "nowhere"]).await.check(2, "", "there is no tenant");
    run(&["tenants", "resume", "acme"]).await.check(0, "active again", "");
    let cancelled = run(&["tenants", "cancel", "acme", "--reason", "Ended", "--json"]).await.json();
    assert_eq!(cancelled["status"], "cancelled");
    run(&["tenants", "resume", "acme", "--reason", "Back"]).await.check(0, "active again", "");
    let log: Vec<_> = world.log().await.into_iter().filter(|(action, ..)| action.starts_with("tenant.")).collect();
    let actions: Vec<&str> = log.iter().map(|(action, ..)| action.as_str()).collect();
    assert_eq!(
        actions,
        ["tenant.create", "tenant.suspend", "tenant.resume", "tenant.cancel", "tenant.resume"],
        "each once"
    );
    assert!(log[1].2.contains('@'), "as the user of the machine: {}", log[1].2);

    let email = "owner@acme.example";
    run(&["users", "reset-password", "nobody@acme.example"]).await.check(2, "", "there is nobody");
    let sent: Value = run(&["users", "reset-password", email, "--json"]).await.json();
    assert_eq!((&sent["link_sent"], &sent["password"]), (&json!(true), &Value::Null));
    // The account of this test has no password to take the place of; one that signs in has.
    let created =
        run(&["users", "create", "--email", "dana@acme.example", "--tenant", "acme", "--role", "viewer", "--json"])
            .await
            .json();
    let given = run(&["users", "reset-password", "dana@acme.example", "--print", "--json"]).await.json();
    let (old, new) = (created["password"].as_str().unwrap(), given["password"].as_str().unwrap());
    assert_ne!(old, new);
    let sign_in = async |password: &str| {
        world
            .app
            .browser()
            .post("/sign-in", &[("email", "dana@acme.example"), ("password", password)])
            .await
            .location()
            .to_owned()
    };
    assert_eq!((sign_in(old).await.as_str(), sign_in(new).await.as_str()), ("/sign-in", "/"));
    run(&["users", "disable", "--email", "dana@acme.example"]).await.check(0, "disabled", "");
    run(&["users", "reset-password", "dana@acme.example"]).await.check(3, "", "is disabled");
}
