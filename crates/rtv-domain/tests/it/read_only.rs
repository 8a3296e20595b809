//! What reads cannot change, and where nothing may change nothing does. The database holds the first, so a table without
//! its trigger fails here.

use rtv_core::{Error, Permission, ReadOnly, Role};
use rtv_domain::target::{self, NewTarget};
use rtv_domain::{Resource, TenantContext, access, life_cycle, mapping};

use crate::world::World;

fn reach() -> NewTarget {
    NewTarget { kpi: "reach".into(), aim: "all".into(), amount: "100".into() }
}

/// Tables that who reads may add to: looking at something sensitive leaves an event.
const ADDED_TO: [&str; 2] = ["audit_event", "audit_unsealed"];

#[tokio::test]
async fn every_table_but_the_audit_log_refuses_a_change_in_a_transaction_that_reads() {
    let world = World::new().await;
    let unguarded: Vec<String> = sqlx::query_scalar(
        r"
        select relname::text
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> '_sqlx_migrations'
          and not exists (
            select 1
            from pg_trigger
            where tgrelid = pg_class.oid and tgfoid = 'rtv_refuse_change'::regproc and tgenabled = 'O'
              -- Before each statement of all three kinds.
              and tgtype & 1 = 0 and tgtype & 2 = 2 and tgtype & 28 = 28
          )
        order by relname
        ",
    )
    .fetch_all(&world.app)
    .await
    .unwrap();
    assert_eq!(unguarded, ADDED_TO, "a new table needs the trigger refuse_change_while_reading, or a reason here");
}

#[tokio::test]
async fn a_transaction_that_was_begun_to_read_can_change_nothing() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    target::set(&owner, &reach()).await.unwrap();
    let mut tx = world.as_tenant(&tenant).await;
    sqlx::query("select set_config('rtv.reading', 'on', true)").execute(&mut *tx).await.unwrap();
    let refused = sqlx::query("update target set amount = 1").execute(&mut *tx).await.unwrap_err();
    let code = refused.as_database_error().and_then(sqlx::error::DatabaseError::code);
    assert_eq!(code.as_deref(), Some("25006"), "{refused}");
    drop(tx);
    // A permission that only looks begins such a transaction, and one that lets change does not.
    let mut looking = owner.begin(Permission::AnalyticsRead, Resource::Targets).await.unwrap();
    let mut changing = owner.begin(Permission::SettingsUpdate, Resource::Targets).await.unwrap();
    let mut asking = owner.begin_to_read(&[Permission::SettingsUpdate], Resource::Targets).await.unwrap();
    for (tx, may) in [(&mut looking, false), (&mut changing, true), (&mut asking, false)] {
        let done = sqlx::query("update target set amount = 7").execute(tx.queue()).await;
        assert_eq!(done.is_ok(), may, "{done:?}");
    }
}

async fn again(ctx: &TenantContext) -> TenantContext {
    access::enter(ctx.context(), ctx.tenant().slug.as_str()).await.unwrap()
}

#[tokio::test]
async fn a_suspended_or_cancelled_tenant_is_read_and_not_changed_and_says_why() {
    let world = World::new().await;
    let tenant = world.tenant("desk", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    let viewer = world.member(&tenant, Role::Viewer).await;
    target::set(&owner, &reach()).await.unwrap();
    for (step, expect) in [
        (life_cycle::Step::Suspend, ReadOnly::Suspended { reason: "Bill 17 is open".into() }),
        (life_cycle::Step::Cancel, ReadOnly::Cancelled { reason: "Bill 17 is open".into() }),
    ] {
        life_cycle::take(&world.operator(), &tenant.slug, step, Some("Bill 17 is open"), None).await.unwrap();
        let owner = again(&owner).await;
        assert_eq!(owner.read_only(), Some(&expect));
        let before = world.state(&tenant, &["audit_event"]).await;
        assert_eq!(target::set(&owner, &reach()).await.unwrap_err(), Error::ReadOnly(expect.clone()));
        assert_eq!(mapping::delete(&owner, "none").await.unwrap_err(), Error::ReadOnly(expect.clone()));
        // Who could not change it anyway is told that.
        let viewer = again(&viewer).await;
        assert_eq!(target::set(&viewer, &reach()).await.unwrap_err(), Error::Forbidden(Permission::SettingsUpdate));
        assert_eq!(world.state(&tenant, &["audit_event"]).await, before);
        assert_eq!(target::list(&owner).await.unwrap().targets.len(), 1);
    }
    life_cycle::take(&world.operator(), &tenant.slug, life_cycle::Step::Resume, None, None).await.unwrap();
    let owner = again(&owner).await;
    assert_eq!(owner.read_only(), None);
    target::set(&owner, &reach()).await.unwrap();
}
