//! Creating and listing tenants.

use rtv_core::{Brand, Error, Plan, Slug, TenantStatus};
use rtv_domain::Actor;
use rtv_domain::tenant::{self, NewTenant};

use crate::world::World;

fn fields(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(errors) => errors.iter().map(|error| error.field.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

fn acme() -> NewTenant {
    NewTenant { slug: "acme".into(), name: " Acme Coffee ".into(), ..NewTenant::default() }
}

#[tokio::test]
async fn a_tenant_has_what_was_typed_and_defaults_for_the_rest() {
    let world = World::new().await;
    let plain = tenant::create(&world.operator(), acme()).await.unwrap();
    assert_eq!((plain.name.as_str(), plain.plan, plain.status), ("Acme Coffee", Plan::Free, TenantStatus::Active));
    assert_eq!(
        (plain.zone, plain.locale.as_str(), plain.currency.as_str(), plain.is_house),
        (chrono_tz::UTC, "en-US", "USD", false)
    );
    let new = NewTenant {
        slug: "bkk-live".into(),
        name: "ร้านค้า".into(),
        zone: Some("Asia/Bangkok".into()),
        locale: Some("th-TH".into()),
        currency: Some("THB".into()),
        plan: Some("enterprise".into()),
        is_house: true,
    };
    let full = tenant::create(&world.operator(), new).await.unwrap();
    assert_eq!(
        (full.zone, full.locale.as_str(), full.currency.as_str(), full.plan),
        (chrono_tz::Asia::Bangkok, "th-TH", "THB", Plan::Enterprise)
    );
    let listed = tenant::list(&world.operator()).await.unwrap();
    assert_eq!(
        listed.into_iter().map(|listed| listed.tenant).collect::<Vec<_>>(),
        [plain.clone(), full],
        "by slug, as created"
    );
    assert_eq!(world.audit(Some(&plain)).await, [("tenant.create".to_owned(), "success".to_owned(), None)]);
}

#[tokio::test]
async fn every_field_that_is_refused_is_named_at_once() {
    let world = World::new().await;
    let bad = NewTenant {
        slug: "Not A Slug".into(),
        name: " ".into(),
        zone: Some("Mars/Olympus".into()),
        locale: Some("tlh".into()),
        currency: Some("euro".into()),
        plan: Some("gold".into()),
        is_house: false,
    };
    let refused = tenant::create(&world.operator(), bad).await.unwrap_err();
    assert_eq!(fields(&refused), ["slug", "name", "zone", "locale", "currency", "plan"]);
    for (field, bad) in [
        ("slug", NewTenant { slug: "a".into(), ..acme() }),
        ("slug", NewTenant { slug: "a--b".into(), ..acme() }),
        ("name", NewTenant { name: "x".repeat(121), ..acme() }),
        ("name", NewTenant { name: "two\nlines".into(), ..acme() }),
        ("zone", NewTenant { zone: Some(String::new()), ..acme() }),
        ("currency", NewTenant { currency: Some("eur".into()), ..acme() }),
        ("currency", NewTenant { currency: Some("€".into()), ..acme() }),
    ] {
        assert_eq!(fields(&tenant::create(&world.operator(), bad).await.unwrap_err()), [field]);
    }
    assert_eq!(tenant::list(&world.operator()).await, Ok(Vec::new()), "nothing was created");
}

#[tokio::test]
async fn a_slug_is_given_once() {
    let world = World::new().await;
    tenant::create(&world.operator(), acme()).await.unwrap();
    let refused = tenant::create(&world.operator(), acme()).await.unwrap_err();
    assert!(refused.to_string().contains("“acme” is taken"), "{refused}");
    assert_eq!(fields(&refused), ["slug"]);
    assert_eq!(tenant::list(&world.operator()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_operator_creates_and_only_staff_lists() {
    let world = World::new().await;
    let person = world.person("person@example.org").await;
    let mut staff = world.person("staff@example.org").await;
    staff.is_staff = true;
    staff.proved_at = None;
    for (actor, lists, refusal) in [
        (Actor::Anonymous, false, Error::NotFound),
        (Actor::System("sweep"), false, Error::NotFound),
        (Actor::Person(person.into()), false, Error::NotFound),
        (Actor::Person(staff.into()), true, Error::NotFresh),
    ] {
        let ctx = world.context(actor.clone());
        assert_eq!(tenant::create(&ctx, acme()).await.unwrap_err(), refusal, "{actor:?}");
        assert_eq!(tenant::list(&ctx).await.is_ok(), lists, "{actor:?}");
    }
    assert_eq!(tenant::list(&world.operator()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_tenant_gets_a_colour_of_its_own_and_the_default_again() {
    let world = World::new().await;
    let made = tenant::create(&world.operator(), acme()).await.unwrap();
    assert_eq!(made.brand, None);
    let brand = Brand::new(145.0, 0.12).unwrap();
    let stored = async || tenant::list(&world.operator()).await.unwrap().remove(0).tenant.brand;
    tenant::set_brand(&world.operator(), &made.slug, Some(brand)).await.unwrap();
    assert_eq!(stored().await, Some(brand));
    tenant::set_brand(&world.operator(), &made.slug, None).await.unwrap();
    assert_eq!(stored().await, None);
    let log = world.audit(Some(&made)).await;
    assert_eq!(log.iter().filter(|(action, result, _)| action == "tenant.brand" && result == "success").count(), 2);
    let nobody: Slug = "nobody".parse().unwrap();
    assert_eq!(fields(&tenant::set_brand(&world.operator(), &nobody, Some(brand)).await.unwrap_err()), ["tenant"]);
    let anonymous = world.context(Actor::Anonymous);
    assert_eq!(tenant::set_brand(&anonymous, &made.slug, None).await, Err(Error::NotFound));
    assert_eq!(stored().await, None);
}
