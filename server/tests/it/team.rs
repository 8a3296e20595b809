//! The team's pages: from the form through the page of what is gained and lost to what the person may do then, what is kept of a
//! refused form, and that two who edit the same do not overwrite each other.

use rtv_core::{Permission, Role};
use rtv_domain::{Tenant, access, role, team};
use uuid::Uuid;

use crate::command::Program;
use crate::test_app::{Answer, Browser, TestApp};

struct World {
    app: TestApp,
    acme: Tenant,
    owner: Uuid,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let acme = app.tenant("acme").await;
        let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
        Self { app, acme, owner }
    }

    async fn owner(&self) -> Browser<'_> {
        self.app.signed_in(self.owner).await
    }

    async fn member(&self, email: &str, role: Role) -> Uuid {
        self.app.somebody(email, Some((&self.acme, role))).await
    }

    /// The page of a member.
    fn page(user: Uuid) -> String {
        format!("/t/acme/team/members/usr_{}", user.simple())
    }
}

/// Every value that a page sends under a name.
fn hidden(answer: &Answer, name: &str) -> Vec<String> {
    let text = answer.text();
    text.split("<input")
        .filter(|input| input.contains("type=\"hidden\"") && input.contains(&format!("name=\"{name}\"")))
        .filter_map(|input| input.split_once("value=\"").and_then(|(_, rest)| rest.split_once('"')))
        .map(|(value, _)| value.to_owned())
        .collect()
}

#[track_caller]
fn check(answer: &Answer, status: u16, words: &[&str]) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    for words in words {
        assert!(answer.text().contains(words), "“{words}” is missing: {}", answer.text());
    }
}

#[tokio::test]
async fn a_change_of_role_goes_over_the_page_of_what_is_gained_and_lost() {
    let world = World::new().await;
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let mut owner = world.owner().await;
    let mut viewer = world.app.signed_in(sam).await;
    assert_eq!(viewer.get("/t/acme/imports").await.status, 403);
    check(&owner.get("/t/acme/team").await, 200, &["sam@acme.example", "owner@acme.example", "You", "2"]);
    let page = World::page(sam);
    check(&owner.get(&page).await, 200, &["Review the change", "1 live session"]);
    let review = owner.get(&format!("{page}/change?role=editor&permission=audit%3Aread&version=1")).await;
    check(&review, 200, &["imports:manage", "audit:read", "Save the change", "0 lost"]);
    assert_eq!(hidden(&review, "role"), ["editor"]);
    assert_eq!(hidden(&review, "permission"), ["audit:read"]);
    assert_eq!(viewer.get("/t/acme/imports").await.status, 403, "looking changes nothing");

    let fields = [("role", "editor"), ("permission", "audit:read"), ("version", "1")];
    let saved = owner.post(&page, &fields).await;
    assert_eq!((saved.status.as_u16(), saved.location()), (303, page.as_str()));
    check(&owner.get(&page).await, 200, &["is Editor now. They gain"]);
    assert_eq!(viewer.get("/t/acme/imports").await.status, 200, "with the next request of the page that is open");

    let removal = owner.get(&format!("{page}/remove")).await;
    check(&removal, 200, &["loses all access to The acme", "Remove Somebody"]);
    let version = hidden(&removal, "version");
    let removed = owner.post(&format!("{page}/remove"), &[("version", version[0].as_str())]).await;
    assert_eq!(removed.location(), "/t/acme/team");
    assert_eq!(viewer.get("/t/acme/dashboard").await.status, 404);
    check(&owner.get("/t/acme/team").await, 200, &["is no longer a member."]);
}

#[tokio::test]
async fn the_later_of_two_editors_is_told_and_keeps_what_they_typed() {
    let world = World::new().await;
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let other = world.member("other@acme.example", Role::Admin).await;
    let page = World::page(sam);
    let mut first = world.app.signed_in(other).await;
    first.post(&page, &[("role", "editor"), ("version", "1")]).await;
    let mut owner = world.owner().await;
    let refused = owner.post(&page, &[("role", "admin"), ("permission", "billing:manage"), ("version", "1")]).await;
    assert_eq!(refused.location(), page);
    let again = owner.get(&page).await;
    check(
        &again,
        200,
        &["other@acme.example changed this on", "role from “viewer” to “editor”", "Reload", "rel=\"external\""],
    );
    assert_eq!(hidden(&again, "version"), ["1"], "saving it once more is refused once more");
    assert!(again.text().contains("value=\"admin\" selected"), "what was typed is kept: {}", again.text());
    let reloaded = owner.get(&page).await;
    assert_eq!(hidden(&reloaded, "version"), ["2"]);
    assert!(reloaded.text().contains("value=\"editor\" selected"), "{}", reloaded.text());
}

#[tokio::test]
async fn the_last_owner_is_told_why_they_cannot_go() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let page = World::page(world.owner);
    check(&owner.get(&format!("{page}/remove")).await, 200, &["This cannot be done", "is the last owner"]);
    let review = owner.get(&format!("{page}/change?role=viewer&version=1")).await;
    check(&review, 200, &["This cannot be saved", "is the last owner", "billing:manage"]);
    assert!(!review.text().contains("Save the change"));
    for path in [page.clone(), format!("{page}/remove")] {
        owner.post(&path, &[("role", "viewer"), ("version", "1")]).await;
        check(&owner.get(&page).await, 200, &["is the last owner who can sign in"]);
    }
    assert_eq!(owner.get("/t/acme/team/roles").await.status, 200, "still an owner");
}

#[tokio::test]
async fn an_admin_is_offered_what_they_can_give_and_nothing_else() {
    let world = World::new().await;
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let admin = world.member("admin@acme.example", Role::Admin).await;
    let mut admin = world.app.signed_in(admin).await;
    let page = admin.get(&World::page(sam)).await;
    assert!(!page.text().contains("value=\"owner\"") && !page.text().contains("value=\"billing:manage\""));
    assert!(page.text().contains("value=\"admin\"") && page.text().contains("value=\"audit:read\""));
    let review = admin.get(&format!("{}/change?role=owner&version=1", World::page(sam))).await;
    check(&review, 200, &["This cannot be saved", "only an owner makes somebody an owner"]);
    admin.post(&World::page(sam), &[("role", "owner"), ("version", "1")]).await;
    check(&admin.get(&World::page(sam)).await, 200, &["There is a problem", "#field-role"]);
}

#[tokio::test]
async fn a_role_is_made_refused_with_what_was_typed_and_shown_in_the_matrix() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let refused = owner
        .post("/t/acme/team/roles", &[("name", "Viewer"), ("description", "Helps out"), ("permission", "content:read")])
        .await;
    assert_eq!(refused.location(), "/t/acme/team/roles/new");
    let form = owner.get("/t/acme/team/roles/new").await;
    check(&form, 200, &["There is a problem", "built-in role", "Helps out", "#field-name"]);
    assert!(form.text().contains("value=\"content:read\" checked"), "{}", form.text());
    let made = owner
        .post(
            "/t/acme/team/roles",
            &[("name", "Helper"), ("permission", "content:read"), ("permission", "content:create")],
        )
        .await;
    assert_eq!(made.location(), "/t/acme/team/roles");
    let matrix = owner.get("/t/acme/team/roles").await;
    check(
        &matrix,
        200,
        &["The role “Helper” is made.", "Custom", "Built in", "data-state=\"locked\"", "billing:manage"],
    );
    let ctx = access::enter_as_operator(&world.app.operator(), &world.acme.slug, "test").await.unwrap();
    let helper = role::list(&ctx).await.unwrap().pop().unwrap();
    let page = format!("/t/acme/team/roles/{}", helper.role.role);
    check(&owner.get(&page).await, 200, &["Save role", "Remove role"]);
    check(&owner.get("/t/acme/team/roles/editor").await, 200, &["built in", "imports:manage"]);
    assert_eq!(owner.get("/t/acme/team/roles/king").await.status, 404);

    // Who has it is held at the door of every page that it does not open, in the frame, and led to one that it does.
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let role = helper.role.role.to_string();
    owner.post(&World::page(sam), &[("role", role.as_str()), ("version", "1")]).await;
    let mut sam = world.app.signed_in(sam).await;
    check(&sam.get("/t/acme/dashboard").await, 403, &["analytics:read", "Helper of The acme"]);
    check(&owner.get(&page).await, 200, &["1 person has this role"]);
    owner.post(&format!("{page}/delete"), &[("version", "1")]).await;
    check(&owner.get(&page).await, 200, &["Somebody has the role"]);
}

#[tokio::test]
async fn a_team_is_made_filled_and_answers_who_may_do_what_where() {
    let world = World::new().await;
    world
        .app
        .posts(&world.acme, &["x,north,p1,2026-11-20T10:00:00Z,50".into(), "x,south,p2,2026-11-20T10:00:00Z,60".into()])
        .await;
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let mut owner = world.owner().await;
    check(&owner.get("/t/acme/team/teams").await, 200, &["There are no teams yet", "Make team"]);
    let made = owner.post("/t/acme/team/teams", &[("name", "Northern crew"), ("description", "")]).await;
    let page = made.location().to_owned();
    assert!(page.starts_with("/t/acme/team/teams/team_"), "{page}");
    let person = format!("usr_{}", sam.simple());
    let fields = [("person", person.as_str()), ("role", "editor"), ("version", "1")];
    owner.post(&format!("{page}/members"), &fields).await;
    let filled = owner.get(&page).await;
    check(&filled, 200, &["sam@acme.example", "Editor", "north · X", "south · X", "Default period"]);
    let north = filled
        .text()
        .split("value=\"acc_")
        .nth(1)
        .and_then(|rest| rest.split_once('"'))
        .map(|(id, _)| format!("acc_{id}"))
        .unwrap();
    let version = hidden(&filled, "version")[0].clone();
    owner.post(&format!("{page}/resources"), &[("resource", north.as_str()), ("version", version.as_str())]).await;
    let settings =
        [("name", "Northern crew"), ("range", "90d"), ("platform", "x"), ("zone", "Asia/Tokyo"), ("version", "3")];
    owner.post(&page, &settings).await;
    let id = page.rsplit('/').next().unwrap();
    let dashboard = format!("/t/acme/dashboard?range=90d&amp;platform=x&amp;team={id}");
    check(
        &owner.get(&page).await,
        200,
        &["The settings are saved.", &dashboard, "<option value=\"Asia/Tokyo\" selected", "Told by mail of"],
    );

    // Its pages show what is its own, with times of its zone; days stay those that everybody counts.
    let (days, times) = ("days are counted in UTC", "times shown in Asia/Tokyo");
    let posts = owner.get(&format!("/t/acme/posts?team={id}")).await;
    check(&posts, 200, &[days, times, "19:00", "north"]);
    assert!(!posts.text().contains(">p2<"), "{}", posts.text());
    let everything = owner.get("/t/acme/posts").await;
    check(&everything, 200, &["10:00", ">p2<"]);
    assert!(!everything.text().contains("Asia/Tokyo"));
    check(&owner.get(&format!("/t/acme/dashboard?range=90d&team={id}")).await, 200, &[days, times]);
    let picture = format!("/t/acme/charts/trend.json?team={id}");
    assert!(owner.get(&picture).await.status.as_u16() < 500);
    let foreign = format!("team_{}", Uuid::from_u128(42).simple());
    for place in ["dashboard", "posts"] {
        check(&owner.get(&format!("/t/acme/{place}?team={foreign}")).await, 422, &["Choose a team from the list."]);
    }

    // Who is told what belongs to the place in the team.
    let fields =
        [("person", person.as_str()), ("role", "editor"), ("news", "imports"), ("news", "members"), ("version", "4")];
    owner.post(&format!("{page}/members"), &fields).await;
    check(&owner.get(&page).await, 200, &["imports, members of the team"]);
    let change = owner.get(&format!("{page}?person={person}")).await.text();
    assert_eq!(change.matches("name=\"news\"").count(), 3);
    assert_eq!(
        change.split("<input").filter(|one| one.contains("name=\"news\"") && one.contains("checked")).count(),
        2
    );

    let asked = |permission: &str, resource: &str| {
        format!("/t/acme/team/access?person={person}&permission={permission}&resource={resource}")
    };
    let answer = owner.get(&asked("content%3Apublish", &north)).await;
    check(&answer, 200, &["data-verdict=\"allowed\"", "Team Northern crew", "Decides", "Role Viewer"]);
    let south = filled.text().split("value=\"acc_").nth(2).and_then(|rest| rest.split_once('"')).unwrap().0.to_owned();
    let answer = owner.get(&asked("content%3Apublish", &format!("acc_{south}"))).await;
    check(&answer, 200, &["data-verdict=\"denied\"", "is not responsible for"]);
    check(
        &owner.get(&asked("content%3Apublish", "")).await,
        200,
        &["data-verdict=\"limited\"", "Northern crew, and nowhere else"],
    );
    check(
        &owner.get(&asked("moon%3Aland", "x")).await,
        422,
        &["There is a problem", "#field-permission", "#field-resource"],
    );
    check(&owner.get("/t/acme/team/access").await, 200, &["Ask about somebody"]);

    owner.post(&format!("{page}/members/{person}/remove"), &[("version", "5")]).await;
    check(&owner.get(&page).await, 200, &["The member has left the team.", "Nobody is in this team yet"]);
    check(&owner.get(&format!("{page}/delete")).await, 200, &["Remove the team “Northern crew”?"]);
    let gone = owner.post(&format!("{page}/delete"), &[("version", "6")]).await;
    assert_eq!(gone.location(), "/t/acme/team/teams");
    assert_eq!(owner.get(&page).await.status, 404);
}

#[tokio::test]
async fn somebody_of_another_tenant_is_not_reached_through_ones_own() {
    let world = World::new().await;
    let other = world.app.tenant("other").await;
    let foreigner = world.app.somebody("them@other.example", Some((&other, Role::Viewer))).await;
    let theirs = access::enter_as_operator(&world.app.operator(), &other.slug, "test").await.unwrap();
    let crew = team::create(&theirs, &team::NewTeam { name: "Crew".into(), ..team::NewTeam::default() }).await.unwrap();
    let mut owner = world.owner().await;
    let nobody = Uuid::from_u128(42).simple().to_string();
    for (foreign, nonexistent) in [
        (World::page(foreigner), World::page(Uuid::from_u128(42))),
        (format!("{}/remove", World::page(foreigner)), format!("{}/remove", World::page(Uuid::from_u128(42)))),
        (format!("/t/acme/team/teams/{crew}"), format!("/t/acme/team/teams/team_{nobody}")),
    ] {
        let (foreign, nonexistent) = (owner.get(&foreign).await, owner.get(&nonexistent).await);
        assert_eq!(foreign.status, 404);
        assert_eq!(foreign.body.len(), nonexistent.body.len());
    }
    let posted = owner.post(&World::page(foreigner), &[("role", "viewer"), ("version", "1")]).await;
    assert_eq!(posted.status, 404);
}

#[tokio::test]
async fn who_keeps_only_roles_opens_the_team_and_changes_nobody() {
    let world = World::new().await;
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let mut owner = world.owner().await;
    let fields = [("role", "viewer"), ("permission", "roles:manage"), ("version", "1")];
    owner.post(&World::page(sam), &fields).await;
    let mut sam_browser = world.app.signed_in(sam).await;
    let dashboard = sam_browser.get("/t/acme/dashboard").await;
    assert!(dashboard.text().contains("href=\"/t/acme/team\""), "{}", dashboard.text());
    check(&sam_browser.get("/t/acme/team").await, 200, &["owner@acme.example"]);
    let member = sam_browser.get(&World::page(world.owner)).await;
    check(&member, 200, &["users:manage"]);
    assert!(!member.text().contains("Review the change") && !member.text().contains("live session"));
    assert_eq!(sam_browser.get("/t/acme/team/access").await.status, 403);
    let posted = sam_browser.post(&World::page(world.owner), &[("role", "viewer"), ("version", "1")]).await;
    assert_eq!(posted.status, 403);
    assert_eq!(Permission::RolesManage.key(), "roles:manage");
}

#[tokio::test]
async fn roles_are_kept_and_people_disabled_at_the_command_line() {
    let world = World::new().await;
    let rtv = Program::of(&world.app);
    let list = rtv.run(&["admin", "roles", "list", "--json"]).await.json();
    let ids: Vec<&str> = list.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["owner", "admin", "editor", "viewer"]);
    rtv.run(&["admin", "roles", "show", "editor"]).await.check(0, "imports:manage", "");
    rtv.run(&["admin", "roles", "show", "king"]).await.check(2, "", "there is no role “king”");
    let matrix = rtv.run(&["admin", "roles", "matrix"]).await;
    let row: Vec<&str> =
        matrix.output.lines().find(|line| line.starts_with("billing:manage")).unwrap().split_whitespace().collect();
    assert_eq!(row, ["billing:manage", "yes", "-", "-", "-"]);
    let create = ["admin", "roles", "create", "--tenant", "acme", "--name", "Helper", "--permission"];
    let made = rtv.run(&[&create[..], &["content:read", "--json"]].concat()).await.json();
    assert_eq!((&made["name"], &made["permissions"]), (&"Helper".into(), &serde_json::json!(["content:read"])));
    rtv.run(&[&create[..], &["content:read"]].concat()).await.check(2, "", "is the name of another role");
    rtv.run(&[&create[..], &["moon:land"]].concat()).await.check(2, "", "is not a permission");
    let edit = ["admin", "roles", "edit", "--tenant", "acme"];
    let more = ["Helper", "--grant", "content:create", "--revoke", "content:read"];
    rtv.run(&[&edit[..], &more].concat()).await.check(0, "Changed Helper", "");
    let matrix = rtv.run(&["admin", "roles", "matrix", "--tenant", "acme", "--json"]).await.json();
    assert_eq!(matrix["content:create"].as_array().unwrap().len(), 4, "{matrix}");
    assert_eq!(matrix["content:read"].as_array().unwrap().len(), 4, "{matrix}");
    rtv.run(&[&edit[..], &["editor", "--grant", "billing:manage"]].concat()).await.check(3, "", "nobody changes it");
    rtv.run(&[&edit[..], &["Helper"]].concat()).await.check(2, "", "say what to change");
    rtv.run(&["admin", "roles", "list", "--tenant", "nowhere"]).await.check(2, "", "there is no tenant");

    let disable = ["admin", "users", "disable", "--email"];
    rtv.run(&[&disable[..], &["owner@acme.example"]].concat()).await.check(3, "", "last owner who can sign in of acme");
    let sam = world.member("sam@acme.example", Role::Viewer).await;
    let mut browser = world.app.signed_in(sam).await;
    assert_eq!(browser.get("/t/acme/dashboard").await.status, 200);
    let done = rtv.run(&[&disable[..], &["sam@acme.example", "--json"]].concat()).await.json();
    assert_eq!((&done["disabled"], &done["changed"]), (&true.into(), &true.into()));
    assert_eq!(browser.get("/t/acme/dashboard").await.status, 303, "signed out at once");
    rtv.run(&[&disable[..], &["sam@acme.example"]].concat()).await.check(0, "already", "");
    rtv.run(&["admin", "users", "enable", "--email", "sam@acme.example"]).await.check(0, "is enabled.", "");
    assert_eq!(browser.get("/t/acme/dashboard").await.status, 303, "the session has ended for good");
    rtv.run(&[&disable[..], &["nobody@acme.example"]].concat()).await.check(2, "", "there is nobody");
}
