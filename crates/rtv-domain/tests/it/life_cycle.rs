//! Suspending, resuming and cancelling a tenant: who may, from where, why, and what the log says.

use std::sync::Arc;

use rtv_core::{Error, Plan, Role, TenantStatus};
use rtv_domain::life_cycle::{self, Step};
use rtv_domain::limit::{self, Change};
use rtv_domain::{Actor, staff, tenant};

use crate::world::World;

#[tokio::test]
async fn a_tenant_goes_the_ways_that_there_are_and_no_other() {
    let world = World::new().await;
    let slug = world.tenant("desk", "UTC").await.slug;
    let operator = world.operator();
    let check = async |step: Step, expect: Result<TenantStatus, &str>| match (
        life_cycle::take(&operator, &slug, step, Some("because"), None).await,
        expect,
    ) {
        (Ok(tenant), Ok(status)) => assert_eq!(tenant.status, status),
        (Err(Error::Conflict(text)), Err(expect)) => assert!(text.contains(expect), "{text}"),
        (found, expect) => panic!("{step:?}: {found:?} and not {expect:?}"),
    };
    check(Step::Resume, Err("is active already")).await;
    check(Step::Suspend, Ok(TenantStatus::Suspended)).await;
    check(Step::Suspend, Err("is suspended already")).await;
    check(Step::Resume, Ok(TenantStatus::Active)).await;
    check(Step::Cancel, Ok(TenantStatus::Cancelled)).await;
    check(Step::Cancel, Err("is cancelled already")).await;
    check(Step::Suspend, Err("Resume it first")).await;
    check(Step::Resume, Ok(TenantStatus::Active)).await;
    check(Step::Suspend, Ok(TenantStatus::Suspended)).await;
    check(Step::Cancel, Ok(TenantStatus::Cancelled)).await;
}

#[tokio::test]
async fn each_step_says_why_and_stands_in_the_tenants_log() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let operator = world.operator();
    for reason in [None, Some(""), Some("   "), Some("two\nlines")] {
        for step in [Step::Suspend, Step::Cancel] {
            let refused = life_cycle::take(&operator, &tenant.slug, step, reason, None).await;
            assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == "reason"), "{refused:?}");
        }
    }
    assert_eq!(world.audit(Some(&tenant)).await.len(), 1, "only its creation");
    life_cycle::take(&operator, &tenant.slug, Step::Suspend, Some(" Bill 17 is open "), None).await.unwrap();
    let one = staff::tenant(&operator, "desk").await.unwrap();
    assert_eq!(one.tenant.status_reason.as_deref(), Some("Bill 17 is open"));
    assert_eq!(one.status_changed.map(|(_, by)| by).as_deref(), Some("root@ops-1"));
    life_cycle::take(&operator, &tenant.slug, Step::Resume, None, None).await.unwrap();
    assert_eq!(staff::tenant(&operator, "desk").await.unwrap().tenant.status_reason, None);
    let log: Vec<String> = world.audit(Some(&tenant)).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(log, ["tenant.create", "tenant.suspend", "staff.look", "tenant.resume", "staff.look"]);
    let events = world.rows(&tenant, "audit_event").await;
    let suspended = events.iter().find(|event| event["action"] == "tenant.suspend").unwrap();
    assert_eq!(suspended["after"]["reason"], "Bill 17 is open");
    assert_eq!(suspended["before"]["status"], "active");
    assert!(world.audit(None).await.iter().all(|(action, ..)| !action.starts_with("tenant.")), "it is the tenant's");
}

#[tokio::test]
async fn only_staff_who_have_just_proved_who_they_are_decide_over_tenants() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let mut staff = world.person("staff@rtv.example").await;
    staff.is_staff = true;
    staff.proved_at = None;
    let owner = world.member(&tenant, Role::Owner).await;
    let take = async |actor: Actor| {
        life_cycle::take(&world.context(actor), &tenant.slug, Step::Suspend, Some("why"), None).await.map(drop)
    };
    let stale = Actor::Person(Arc::new(staff.clone()));
    assert_eq!(take(stale.clone()).await, Err(Error::NotFresh));
    assert_eq!(take(owner.context().actor().clone()).await, Err(Error::NotFound));
    assert_eq!(take(Actor::Anonymous).await, Err(Error::NotFound));
    let new = tenant::NewTenant { slug: "new".into(), name: "New".into(), ..Default::default() };
    assert_eq!(tenant::create(&world.context(stale), new.clone()).await.map(drop), Err(Error::NotFresh));
    assert_eq!(tenant::create(owner.context(), new).await.map(drop), Err(Error::NotFound));
    assert_eq!(staff::find(&world.operator(), "desk").await.unwrap().status, TenantStatus::Active);
    staff.proved_at = Some(world.clock.now());
    assert_eq!(take(Actor::Person(Arc::new(staff))).await, Ok(()));
    let events = world.rows(&tenant, "audit_event").await;
    let event = events.iter().find(|event| event["action"] == "tenant.suspend").unwrap();
    assert_eq!((&event["actor_kind"], &event["actor_label"]), (&"staff".into(), &"staff@rtv.example".into()));
}

#[tokio::test]
async fn who_decides_on_an_old_page_is_told_to_look_again() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let operator = world.operator();
    let version = staff::tenant(&operator, "desk").await.unwrap().version;
    let plan = async |plan, version| {
        let change = Change { version: Some(version), ..Change::of_plan(plan) };
        limit::change(&operator, &tenant.slug, &change).await
    };
    plan(Plan::Starter, version).await.unwrap();
    let late = life_cycle::take(&operator, &tenant.slug, Step::Suspend, Some("why"), Some(version)).await;
    assert!(matches!(&late, Err(Error::Conflict(text)) if text.contains("since you opened")), "{late:?}");
    let late = plan(Plan::Free, version).await;
    assert!(matches!(&late, Err(Error::Conflict(text)) if text.contains("since you opened")), "{late:?}");
    assert_eq!(plan(Plan::Free, version + 1).await.unwrap().plan, Plan::Free);
}
