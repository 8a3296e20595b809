//! Maintenance: what it stops, what goes on, and who switches it.

use std::sync::Arc;

use rtv_core::{Error, ReadOnly, Role};
use rtv_domain::target::{self, NewTarget};
use rtv_domain::{Actor, access, maintenance, preference, profile, session, tenant, user};

use crate::world::World;

fn held() -> Error {
    Error::ReadOnly(ReadOnly::Maintenance { reason: "New disks".into() })
}

#[tokio::test]
async fn while_it_is_on_everything_is_read_and_nothing_changes() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    let (operator, person) = (world.operator(), owner.context().clone());
    let new = NewTarget { kpi: "reach".into(), aim: "all".into(), amount: "100".into() };
    target::set(&owner, &new).await.unwrap();
    maintenance::switch_on(&operator, "New disks", Some("2026-11-21 10:00")).await.unwrap();
    // Also whoever entered before: each beginning looks.
    assert_eq!(target::set(&owner, &new).await.unwrap_err(), held());
    let inside = access::enter(&person, "desk").await.unwrap();
    assert_eq!(inside.read_only().cloned().map(Error::ReadOnly), Some(held()));
    assert_eq!(target::list(&inside).await.unwrap().targets.len(), 1);
    assert_eq!(profile::rename(&person, "Another").await.unwrap_err(), held());
    let dark = preference::Change { theme: Some("dark".into()), ..Default::default() };
    assert_eq!(preference::change(&person, dark).await.unwrap_err(), held());
    let other = tenant::NewTenant { slug: "new".into(), name: "New".into(), ..Default::default() };
    assert_eq!(tenant::create(&operator, other).await.map(drop), Err(held()));
    assert_eq!(tenant::list(&operator).await.unwrap().len(), 1);
    // What stops something goes on, and so do sessions.
    session::remember_tenant(&person, "desk").await.unwrap();
    assert_eq!(session::end_others(&person).await.unwrap(), 0);
    user::end_sessions(&operator, person.actor().user_id().unwrap()).await.unwrap();
    assert!(maintenance::switch_off(&operator).await.unwrap());
    assert!(!maintenance::switch_off(&operator).await.unwrap(), "it is off already");
    target::set(&owner, &new).await.unwrap();
    let log: Vec<String> = world.audit(None).await.into_iter().map(|(action, ..)| action).collect();
    assert_eq!(log.iter().filter(|action| action.starts_with("maintenance.")).count(), 2, "{log:?}");
}

#[tokio::test]
async fn everybody_can_see_what_is_announced_and_only_staff_switch_it() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    let nobody = world.context(Actor::Anonymous);
    assert_eq!(maintenance::current(&nobody).await.unwrap(), None);
    for ctx in [owner.context(), &nobody] {
        assert_eq!(maintenance::switch_on(ctx, "Mine", None).await.unwrap_err(), Error::NotFound);
        assert_eq!(maintenance::switch_off(ctx).await.unwrap_err(), Error::NotFound);
    }
    let mut staff = world.person("staff@rtv.example").await;
    staff.is_staff = true;
    staff.proved_at = None;
    let stale = world.context(Actor::Person(Arc::new(staff.clone())));
    assert_eq!(maintenance::switch_on(&stale, "Mine", None).await.unwrap_err(), Error::NotFresh);
    staff.proved_at = Some(world.clock.now());
    let fresh = world.context(Actor::Person(Arc::new(staff)));
    maintenance::switch_on(&fresh, "New disks", Some("2026-11-21 10:00")).await.unwrap();
    let on = maintenance::current(&nobody).await.unwrap().unwrap();
    assert_eq!((on.reason.as_str(), on.by.as_str()), ("New disks", "staff@rtv.example"));
    assert_eq!(on.expected_until.map(|at| at.to_rfc3339()).as_deref(), Some("2026-11-21T10:00:00+00:00"));
    let refused = maintenance::switch_on(&fresh, "", Some("yesterday")).await;
    assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors.len() == 2), "{refused:?}");
    // Switched by another program, it is known here within a second.
    let mut tx = world.marked("staff", None, None).await;
    sqlx::query("update maintenance set is_on = false").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    tokio::time::sleep(core::time::Duration::from_millis(1_050)).await;
    assert_eq!(maintenance::current(&nobody).await.unwrap(), None);
}
