//! Invitations by their pages: from the form to a member, and what each kind of reader of a link is shown.

use rtv_core::Role;
use rtv_domain::user::Belongs;

use crate::test_app::{Answer, PASSWORD, TestApp};

const PAGE: &str = "/t/acme/team/invitations";
const GUEST: &str = "dana@guest.example";

#[track_caller]
fn check_leads(answer: &Answer, to: &str) {
    assert_eq!((answer.status.as_u16(), answer.location()), (303, to), "{}", answer.text());
}

#[tokio::test]
async fn somebody_is_invited_accepts_and_is_a_member() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut owner = app.signed_in(owner).await;
    let empty = owner.get(PAGE).await.text();
    assert!(empty.contains("Nobody is invited") && empty.contains("Invite a colleague"), "{empty}");
    check_leads(&owner.post(PAGE, &[("email", GUEST), ("role", "editor")]).await, PAGE);
    let page = owner.get(PAGE).await.text();
    assert!(page.contains(&format!("{GUEST} is invited.")) && page.contains("Editor"), "{page}");

    let link = app.link_to(GUEST).await;
    let mut guest = app.browser();
    let offer = guest.get(&link).await;
    let text = offer.text();
    assert!(offer.status == 200 && text.contains("invites dana@guest.example to The acme, as editor."), "{text}");
    check_leads(&guest.post(&link, &[("name", "Dana"), ("password", "short")]).await, &link);
    let refused = guest.get(&link).await.text();
    assert!(
        refused.contains("value=\"Dana\"") && refused.contains("12 characters") && !refused.contains("short\""),
        "{refused}"
    );
    let before = guest.token.clone();
    check_leads(&guest.post(&link, &[("name", "Dana"), ("password", PASSWORD)]).await, "/t/acme/dashboard");
    assert_ne!(guest.token, before, "a new token");
    assert_eq!(guest.get("/t/acme/imports").await.status, 200, "an editor");
    assert_eq!(guest.get(PAGE).await.status, 403);
    assert!(owner.get(PAGE).await.text().contains("Nobody is invited"));
}

#[tokio::test]
async fn a_link_that_cannot_be_used_answers_to_the_byte_as_one_that_never_was() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut owner = app.signed_in(owner).await;
    let mut links = Vec::new();
    for email in ["used@guest.example", "revoked@guest.example"] {
        check_leads(&owner.post(PAGE, &[("email", email), ("role", "viewer")]).await, PAGE);
        links.push(app.link_to(email).await);
    }
    let used = [("name", "Used"), ("password", PASSWORD)];
    check_leads(&app.browser().post(&links[0], &used).await, "/t/acme/dashboard");
    let page = owner.get(PAGE).await.text();
    let (_, rest) = page.split_once(&format!("{PAGE}/inv_")).unwrap();
    let id = rest.split('/').next().unwrap();
    check_leads(&owner.post(&format!("{PAGE}/inv_{id}/revoke"), &[]).await, PAGE);
    links.push(format!("/invite/{}", "0".repeat(64)));
    let mut answers = Vec::new();
    for link in &links {
        let mut browser = app.browser();
        let got = browser.get(link).await;
        let posted = browser.post(link, &used).await;
        let token = link.rsplit('/').next().unwrap();
        let plain = |answer: &Answer| (answer.status.as_u16(), answer.plain().replace(token, "TOKEN"));
        assert_eq!((got.status.as_u16(), posted.status.as_u16()), (404, 404), "{link}");
        assert!(got.text().contains("This invitation cannot be used"), "{}", got.text());
        answers.push((plain(&got), plain(&posted)));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn who_has_an_account_signs_in_and_accepts_and_others_are_told_for_whom_it_is() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let bloom = app.tenant("bloom").await;
    app.person(GUEST, Belongs::Tenant { slug: "bloom".into(), role: "viewer".into() }).await;
    let eve = app.somebody("eve@bloom.example", Some((&bloom, Role::Owner))).await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let mut owner = app.signed_in(owner).await;
    check_leads(&owner.post(PAGE, &[("email", GUEST), ("role", "viewer")]).await, PAGE);
    let link = app.link_to(GUEST).await;

    let mut other = app.signed_in(eve).await;
    assert!(other.get(&link).await.text().contains("You are signed in as eve@bloom.example"));
    check_leads(&other.post(&link, &[]).await, &link);
    assert!(other.get(&link).await.text().contains("This invitation is for dana@guest.example"));
    assert_eq!(other.get("/t/acme/dashboard").await.status, 404);

    let mut guest = app.browser();
    let page = guest.get(&link).await.text();
    assert!(page.contains(&format!("href=\"/sign-in?next={link}\"")) && !page.contains("new-password"), "{page}");
    let credentials = [("email", GUEST), ("password", PASSWORD), ("next", link.as_str())];
    check_leads(&guest.post("/sign-in", &credentials).await, &link);
    assert!(guest.get(&link).await.text().contains(">Accept<"));
    check_leads(&guest.post(&link, &[]).await, "/t/acme/dashboard");
    assert!(guest.get("/t/acme/dashboard").await.text().contains("Welcome to The acme. You are viewer there."));
}

#[tokio::test]
async fn a_role_of_the_tenants_own_is_offered_given_and_named() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let owner = app.somebody("owner@acme.example", Some((&acme, Role::Owner))).await;
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    let mut owner = app.signed_in(owner).await;
    for (name, permission) in [("Press", "analytics:read"), ("Treasurer", "billing:manage")] {
        owner.post("/t/acme/team/roles", &[("name", name), ("permission", permission)]).await;
    }
    let mut admin = app.signed_in(admin).await;
    let page = admin.get(PAGE).await.text();
    assert!(!page.contains(">Treasurer<"), "what one cannot give is not offered: {page}");
    let role = page.split("<option value=\"role_").nth(1).and_then(|rest| rest.split_once('"')).unwrap();
    assert!(role.1.starts_with(">Press<"), "{page}");
    let role = format!("role_{}", role.0);
    check_leads(&admin.post(PAGE, &[("email", GUEST), ("role", role.as_str())]).await, PAGE);
    let page = admin.get(PAGE).await.text();
    assert!(page.contains("data-label=\"Role\">Press<"), "{page}");
    let link = app.link_to(GUEST).await;
    let mut guest = app.browser();
    let offer = guest.get(&link).await.text();
    assert!(offer.contains("as “Press”"), "{offer}");
    let accepted = guest.post(&link, &[("name", "Dana"), ("password", PASSWORD)]).await;
    check_leads(&accepted, "/t/acme/dashboard");
    assert_eq!(guest.get("/t/acme/dashboard").await.status, 200);
    assert_eq!(guest.get("/t/acme/imports").await.status, 403, "the role gives no more than it says");
}

#[tokio::test]
async fn a_refused_invitation_names_the_field_and_keeps_what_was_typed() {
    let app = TestApp::new().await;
    let acme = app.tenant("acme").await;
    let admin = app.somebody("admin@acme.example", Some((&acme, Role::Admin))).await;
    let mut admin = app.signed_in(admin).await;
    check_leads(&admin.post(PAGE, &[("email", "dana@guest"), ("role", "owner")]).await, PAGE);
    let page = admin.get(PAGE).await.text();
    assert!(page.contains("Use an address like dana@example.com"), "{page}");
    assert!(page.contains("Nobody can give away what they do not hold; use admin, editor, viewer."), "{page}");
    assert!(page.contains("value=\"dana@guest\""), "{page}");
    assert!(!page.contains("<option value=\"owner\""), "what one cannot give is not offered");
}
