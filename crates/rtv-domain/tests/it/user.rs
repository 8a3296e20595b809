//! Creating and listing people.

use rtv_core::{Error, Role};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, sign_in};

use crate::world::{PASSWORD, World, passwords, secret};

fn fields(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(errors) => errors.iter().map(|error| error.field.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

fn member(slug: &str, role: &str) -> Belongs {
    Belongs::Tenant { slug: slug.into(), role: role.into() }
}

#[tokio::test]
async fn every_field_that_is_refused_is_named_at_once_and_nothing_is_created() {
    let world = World::new().await;
    world.tenant("acme", "UTC").await;
    let operator = world.operator();
    let create = async |email: &str, name: Option<&str>, password: &str, belongs: Belongs| {
        user::create(&operator, passwords(), email, name, &secret(password), belongs).await.unwrap_err()
    };
    let long = "x".repeat(121);
    let refused = create("no address", Some(&long), PASSWORD, member("A Slug", "king")).await;
    assert_eq!(fields(&refused), ["email", "name", "tenant", "role"]);
    for (field, email, name, password, belongs) in [
        ("email", "dana@", None, PASSWORD, member("acme", "viewer")),
        ("name", "dana@example.org", Some("two\nlines"), PASSWORD, member("acme", "viewer")),
        ("tenant", "dana@example.org", None, PASSWORD, member("nowhere", "viewer")),
        ("role", "dana@example.org", None, PASSWORD, member("acme", "Owner")),
        ("password", "dana@example.org", None, "short", member("acme", "viewer")),
        ("password", "dana@example.org", None, "password1234", member("acme", "viewer")),
        ("password", "dana.keller@example.org", None, "dana.keller1990", member("acme", "viewer")),
        ("password", "dana@example.org", Some("Bartholomew Ng"), "bartholomew ng", Belongs::Staff),
    ] {
        assert_eq!(fields(&create(email, name, password, belongs).await), [field], "{email} {password}");
    }
    assert_eq!(user::list(&operator, None).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_address_that_exists_joins_a_second_tenant_and_keeps_its_password() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let bloom = world.tenant("bloom", "UTC").await;
    let operator = world.operator();
    let (id, is_new) = user::create(
        &operator,
        passwords(),
        " Dana@Example.org ",
        Some(" Dana "),
        &secret(PASSWORD),
        member("acme", "owner"),
    )
    .await
    .unwrap();
    assert!(is_new);
    let other = secret("quarry velvet seven lanterns");
    let again = user::create(
        &operator,
        passwords(),
        "dana@example.org",
        Some("Somebody Else"),
        &other,
        member("bloom", "viewer"),
    )
    .await;
    assert_eq!(again, Ok((id, false)));
    let ctx = world.context(Actor::Anonymous);
    assert!(sign_in::verify(&ctx, passwords(), "dana@example.org", &secret(PASSWORD)).await.is_ok());
    assert!(
        sign_in::verify(&ctx, passwords(), "dana@example.org", &other).await.is_err(),
        "the second password is nobody's"
    );

    let twice =
        user::create(&operator, passwords(), "dana@example.org", None, &secret(PASSWORD), member("acme", "viewer"))
            .await;
    assert_eq!(fields(&twice.unwrap_err()), ["email"], "a member already");
    for (tenant, role) in [(&acme, Role::Owner), (&bloom, Role::Viewer)] {
        let people = user::list(&operator, Some(&tenant.slug)).await.unwrap();
        assert_eq!(
            people.iter().map(|one| (one.id, one.name.as_str(), one.role)).collect::<Vec<_>>(),
            [(id, "Dana", Some(rtv_core::GivenRole::BuiltIn(role)))]
        );
        let added = world.audit(Some(tenant)).await.into_iter().filter(|(action, _, _)| action == "member.add").count();
        assert_eq!(added, 1, "{}", tenant.slug);
    }
    let all = user::list(&operator, None).await.unwrap();
    assert_eq!(
        all.iter().map(|one| (one.email.as_str(), one.is_staff, one.role)).collect::<Vec<_>>(),
        [("dana@example.org", false, None)]
    );
}

#[tokio::test]
async fn staff_are_created_once_and_written_to_the_operators_chain() {
    let world = World::new().await;
    let operator = world.operator();
    let (id, _) =
        user::create(&operator, passwords(), "ops@example.org", None, &secret(PASSWORD), Belongs::Staff).await.unwrap();
    let twice = user::create(&operator, passwords(), "ops@example.org", None, &secret(PASSWORD), Belongs::Staff)
        .await
        .unwrap_err();
    assert_eq!(twice, Error::invalid("email", "ops@example.org is staff already"));
    let people = user::list(&operator, None).await.unwrap();
    assert_eq!(
        people.iter().map(|one| (one.id, one.name.as_str(), one.is_staff)).collect::<Vec<_>>(),
        [(id, "ops", true)]
    );
    assert_eq!(world.audit(None).await, [("staff.add".to_owned(), "success".to_owned(), None)]);
    for actor in [Actor::Anonymous, Actor::System("sweep")] {
        let ctx = world.context(actor);
        let refused = user::create(&ctx, passwords(), "x@example.org", None, &secret(PASSWORD), Belongs::Staff).await;
        assert_eq!(refused, Err(Error::NotFound));
        assert_eq!(user::list(&ctx, None).await, Err(Error::NotFound));
    }
}

#[tokio::test]
async fn disabling_ends_the_sessions_and_the_last_owner_stays() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let operator = world.operator();
    for (email, role) in [("one@example.org", "owner"), ("two@example.org", "owner"), ("sam@example.org", "viewer")] {
        user::create(&operator, passwords(), email, None, &secret(PASSWORD), member("acme", role)).await.unwrap();
    }
    let anonymous = world.context(Actor::Anonymous);
    let session = rtv_domain::session::SessionHash::of(b"sam");
    let end = anonymous.now() + rtv_domain::session::ANONYMOUS;
    assert!(rtv_domain::session::create(&anonymous, session, serde_json::json!({}), end).await.unwrap());
    let verified = sign_in::verify(&anonymous, passwords(), "sam@example.org", &secret(PASSWORD)).await.unwrap();
    sign_in::complete(&anonymous, verified, session).await.unwrap();
    let who = async || rtv_domain::session::identify(&anonymous, session).await.unwrap().and_then(|found| found.person);
    assert!(who().await.is_some());

    user::set_disabled(&operator, "sam@example.org", true).await.unwrap();
    user::set_disabled(&operator, "sam@example.org", true).await.unwrap();
    assert!(who().await.is_none());
    assert!(sign_in::verify(&anonymous, passwords(), "sam@example.org", &secret(PASSWORD)).await.is_err());
    user::set_disabled(&operator, "sam@example.org", false).await.unwrap();
    assert!(who().await.is_none(), "the session has ended for good");
    assert!(sign_in::verify(&anonymous, passwords(), "sam@example.org", &secret(PASSWORD)).await.is_ok());

    user::set_disabled(&operator, "one@example.org", true).await.unwrap();
    let last = user::set_disabled(&operator, "two@example.org", true).await;
    assert!(matches!(last, Err(Error::Conflict(text)) if text.contains("last owner")), "somebody must be able to act");
    user::set_disabled(&operator, "one@example.org", false).await.unwrap();
    user::set_disabled(&operator, "two@example.org", true).await.unwrap();

    let log: Vec<String> = world.audit(Some(&acme)).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(log.iter().filter(|action| *action == "user.disable").count(), 3, "once for each change");
    assert_eq!(log.iter().filter(|action| *action == "user.enable").count(), 2);
    for actor in [Actor::Anonymous, Actor::System("sweep")] {
        let refused = user::set_disabled(&world.context(actor), "sam@example.org", true).await;
        assert_eq!(refused, Err(Error::NotFound));
    }
    assert_eq!(fields(&user::set_disabled(&operator, "nemo@example.org", true).await.unwrap_err()), ["email"]);
}

#[tokio::test]
async fn two_owners_cannot_be_disabled_at_the_same_time() {
    let world = World::with_connections(8).await;
    world.tenant("acme", "UTC").await;
    let operator = world.operator();
    for email in ["one@example.org", "two@example.org"] {
        user::create(&operator, passwords(), email, None, &secret(PASSWORD), member("acme", "owner")).await.unwrap();
    }
    let (one, two) = futures::join!(
        user::set_disabled(&operator, "one@example.org", true),
        user::set_disabled(&operator, "two@example.org", true)
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
}
