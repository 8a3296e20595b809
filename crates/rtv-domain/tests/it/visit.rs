//! Visits of staff: without one a tenant does not exist, with one it is read, and its log says so.

use std::sync::Arc;

use chrono::TimeDelta;
use rtv_core::{Error, Permission, Role};
use rtv_domain::session::Person;
use rtv_domain::target::{self, NewTarget};
use rtv_domain::{Actor, Context, Resource, access, member, staff, visit};

use crate::world::World;

async fn staff_member(world: &World) -> Person {
    let mut staff = world.person("staff@rtv.example").await;
    staff.is_staff = true;
    staff.proved_at = Some(world.clock.now());
    staff
}

fn acting(world: &World, person: &Person) -> Context {
    world.context(Actor::Person(Arc::new(person.clone())))
}

#[tokio::test]
async fn staff_read_a_tenants_pages_during_a_visit_and_change_nothing() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    let new = NewTarget { kpi: "reach".into(), aim: "all".into(), amount: "100".into() };
    target::set(&owner, &new).await.unwrap();
    let person = staff_member(&world).await;
    let ctx = acting(&world, &person);
    assert_eq!(access::enter(&ctx, "desk").await.unwrap_err(), Error::NotFound);
    let refused = visit::begin(&ctx, "desk", " ").await;
    assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == "reason"), "{refused:?}");
    assert_eq!(visit::begin(&ctx, "nowhere", "why").await.unwrap_err(), Error::NotFound);
    let begun = visit::begin(&ctx, "desk", "Ticket 4711").await.unwrap();

    let inside = access::enter(&ctx, "desk").await.unwrap();
    assert_eq!(inside.access().visit().map(|visit| visit.reason.as_str()), Some("Ticket 4711"));
    assert_eq!(target::list(&inside).await.unwrap().targets.len(), 1);
    assert!(member::roster(&inside).await.is_ok(), "also pages on which members change something");
    assert_eq!(target::set(&inside, &new).await.unwrap_err(), Error::Forbidden(Permission::SettingsUpdate));
    for permission in [Permission::AuditExport, Permission::ExportsCreate, Permission::AnalyticsExport] {
        assert_eq!(inside.begin(permission, Resource::Tenant).await.unwrap_err(), Error::Forbidden(permission));
    }
    let secret = inside.begin_to_read(&[Permission::SecretsManage], Resource::Tenant).await;
    assert_eq!(secret.unwrap_err(), Error::Forbidden(Permission::SecretsManage));
    assert_eq!(access::enter(&ctx, "other").await.unwrap_err(), Error::NotFound);

    assert_eq!(visit::end(&ctx, begun.id).await.unwrap(), tenant.slug);
    assert_eq!(access::enter(&ctx, "desk").await.unwrap_err(), Error::NotFound);
    assert_eq!(visit::end(&ctx, begun.id).await.unwrap_err(), Error::NotFound);
    let events = world.rows(&tenant, "audit_event").await;
    let by_staff: Vec<_> = events
        .iter()
        .filter(|event| event["actor_label"] == "staff@rtv.example")
        .map(|event| &event["action"])
        .collect();
    for action in ["staff.visit.begin", "permission.refused", "staff.visit.end"] {
        assert!(by_staff.contains(&&action.into()), "{action} is not in {by_staff:?}");
    }
    assert!(
        events
            .iter()
            .filter(|event| event["actor_label"] == "staff@rtv.example")
            .all(|event| event["actor_kind"] == "staff")
    );
    let first = events.iter().find(|event| event["action"] == "staff.visit.begin").unwrap();
    assert_eq!(first["after"]["reason"], "Ticket 4711");
}

#[tokio::test]
async fn a_visit_ends_by_itself_and_its_end_is_written() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let person = staff_member(&world).await;
    visit::begin(&acting(&world, &person), "desk", "why").await.unwrap();
    let later = |minutes| {
        world.context_at(world.clock.now() + TimeDelta::minutes(minutes), Actor::Person(Arc::new(person.clone())))
    };
    assert!(access::enter(&later(59), "desk").await.is_ok());
    assert_eq!(access::enter(&later(60), "desk").await.unwrap_err(), Error::NotFound);
    assert_eq!(visit::sweep(&world.worker()).await.unwrap(), 0);
    let worker = world.context_at(world.clock.now() + TimeDelta::minutes(61), Actor::System("sweep"));
    assert_eq!((visit::sweep(&worker).await.unwrap(), visit::sweep(&worker).await.unwrap()), (1, 0));
    let ends: Vec<_> =
        world.audit(Some(&tenant)).await.into_iter().filter(|(action, ..)| action == "staff.visit.end").collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].2.as_deref(), Some("its time was over"));
    let listed = staff::tenant(&world.operator(), "desk").await.unwrap().visits;
    assert_eq!(listed[0].ended_at, Some(listed[0].ends_at));
}

#[tokio::test]
async fn only_staff_visit_and_each_their_own_visit() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let person = staff_member(&world).await;
    let ctx = acting(&world, &person);
    let first = visit::begin(&ctx, "desk", "why").await.unwrap();
    // Who is no staff any more: the next request.
    let former = Person { is_staff: false, ..person.clone() };
    assert_eq!(access::enter(&acting(&world, &former), "desk").await.unwrap_err(), Error::NotFound);
    assert_eq!(visit::end(&acting(&world, &former), first.id).await.unwrap_err(), Error::NotFound);
    assert_eq!(visit::begin(&acting(&world, &former), "desk", "why").await.unwrap_err(), Error::NotFound);
    // Another of the staff neither uses nor ends it.
    let other = Person { is_staff: true, proved_at: person.proved_at, ..world.person("staff2@rtv.example").await };
    assert_eq!(access::enter(&acting(&world, &other), "desk").await.unwrap_err(), Error::NotFound);
    assert_eq!(visit::end(&acting(&world, &other), first.id).await.unwrap_err(), Error::NotFound);
    // To begin one asks for a proof; to end one does not.
    let stale = acting(&world, &Person { proved_at: None, ..person.clone() });
    assert_eq!(visit::begin(&stale, "desk", "why").await.unwrap_err(), Error::NotFresh);
    // A second one takes the place of the first.
    let second = visit::begin(&ctx, "desk", "why again").await.unwrap();
    assert_eq!(visit::end(&stale, first.id).await.unwrap_err(), Error::NotFound);
    assert!(visit::end(&stale, second.id).await.is_ok());
    // Who belongs to the tenant needs none.
    world.join(&person, &tenant, Role::Viewer).await;
    assert!(matches!(visit::begin(&ctx, "desk", "why").await, Err(Error::Conflict(_))));
    assert!(access::enter(&ctx, "desk").await.unwrap().access().visit().is_none());
}

#[tokio::test]
async fn a_visitor_brings_the_second_factor_that_the_tenant_asks_for() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let person = staff_member(&world).await;
    visit::begin(&acting(&world, &person), "desk", "why").await.unwrap();
    world.execute(&tenant, "update tenant set mfa_required = true").await;
    assert_eq!(access::enter(&acting(&world, &person), "desk").await.unwrap_err(), Error::SecondFactorMissing);
    let safe = Person { has_second_factor: true, ..person };
    assert!(access::enter(&acting(&world, &safe), "desk").await.is_ok());
}
