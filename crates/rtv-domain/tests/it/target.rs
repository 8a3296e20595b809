//! Targets: who sets them, what is refused, what the audit log keeps, and that the grade follows.

use rtv_core::kpi::Kpi;
use rtv_core::{Error, Role, TargetId};
use rtv_domain::target::{self, Aim, NewTarget};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::figures::Desk;

fn new(kpi: &str, aim: &str, amount: &str) -> NewTarget {
    NewTarget { kpi: kpi.into(), aim: aim.into(), amount: amount.into() }
}

#[tokio::test]
async fn a_target_is_set_changed_and_removed_with_its_audit_events() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z"]).await;
    let admin = desk.world.member(&desk.tenant, Role::Admin).await;
    let account = desk.account_id("a").await;
    let first = target::set(&admin, &new("engagements", "all", "10,000")).await.unwrap();
    let again = target::set(&admin, &new("engagements", "all", "12000")).await.unwrap();
    assert_eq!(
        (first.id, again.amount),
        (again.id, Decimal::from(12_000)),
        "the same figure of the same aim is one target"
    );
    target::set(&admin, &new("engagements", &account.to_string(), "500")).await.unwrap();
    target::set(&admin, &new("engagement_rate", "x", "4.5")).await.unwrap();
    let listed = target::list(&desk.ctx).await.unwrap().targets;
    let shown: Vec<_> = listed.iter().map(|one| (one.kpi, one.aim, one.amount.to_string())).collect();
    assert_eq!(
        shown,
        [
            (Kpi::Engagements, Aim::Everything, "12000".to_owned()),
            (Kpi::Engagements, Aim::Account(account), "500".into()),
            (Kpi::EngagementRate, Aim::Platform(rtv_core::Platform::X), "0.045".into()),
        ]
    );
    target::remove(&admin, first.id).await.unwrap();
    assert_eq!(target::remove(&admin, first.id).await, Err(Error::NotFound));
    assert_eq!(target::list(&desk.ctx).await.unwrap().targets.len(), 2);
    let actions: Vec<_> = desk.world.audit(Some(&desk.tenant)).await.into_iter().map(|event| event.0).collect();
    assert_eq!(
        actions.iter().filter(|action| action.starts_with("target.")).collect::<Vec<_>>(),
        ["target.set", "target.set", "target.set", "target.set", "target.remove"]
    );
    let events = desk.world.rows(&desk.tenant, "audit_event").await;
    let changed =
        events.iter().find(|event| event["before"]["amount"] == "10000" && event["after"].is_object()).unwrap();
    assert_eq!(changed["after"]["amount"], "12000", "{changed}");
}

#[tokio::test]
async fn what_cannot_be_a_target_is_refused_by_its_field() {
    let desk = Desk::new("UTC").await;
    desk.posts(&["x,a,p1,2026-03-02T10:00:00Z"]).await;
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    let fields = async |new: NewTarget| match target::set(&owner, &new).await {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(fields(new("likes", "nothing", "")).await, ["kpi", "aim"]);
    let foreign = rtv_core::AccountId::from(Uuid::now_v7()).to_string();
    assert_eq!(fields(new("reach", &foreign, "5")).await, ["aim"], "an account of others is like none");
    for (kpi, amount) in [
        ("reach", "0"),
        ("reach", "-5"),
        ("reach", "1.5"),
        ("reach", "many"),
        ("reach", "1000000000000"),
        ("engagement_rate", "100.1"),
        ("sentiment", "1.1"),
        ("revenue", "1.005"),
    ] {
        assert_eq!(fields(new(kpi, "all", amount)).await, ["amount"], "{kpi} {amount}");
    }
    assert!(target::list(&owner).await.unwrap().targets.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn editors_and_viewers_read_targets_and_set_none() {
    let desk = Desk::new("UTC").await;
    for role in [Role::Editor, Role::Viewer] {
        let member = desk.world.member(&desk.tenant, role).await;
        let refused = target::set(&member, &new("reach", "all", "5")).await;
        assert_eq!(refused, Err(Error::Forbidden(rtv_core::Permission::SettingsUpdate)));
        let refused = target::remove(&member, TargetId::from(Uuid::now_v7())).await;
        assert_eq!(refused, Err(Error::Forbidden(rtv_core::Permission::SettingsUpdate)));
        assert!(target::list(&member).await.unwrap().targets.is_empty());
    }
}

#[tokio::test]
async fn a_target_of_another_tenant_is_like_none() {
    let desk = Desk::new("UTC").await;
    let other = desk.world.tenant("other", "UTC").await;
    let theirs = desk.world.member(&other, Role::Owner).await;
    let foreign = target::set(&theirs, &new("reach", "all", "5")).await.unwrap();
    let owner = desk.world.member(&desk.tenant, Role::Owner).await;
    assert_eq!(target::remove(&owner, foreign.id).await, Err(Error::NotFound));
    assert_eq!(target::list(&theirs).await.unwrap().targets.len(), 1, "it is still there");
}
