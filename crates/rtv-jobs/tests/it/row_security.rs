//! Who may see and add jobs.

use super::*;

struct Two {
    bench: Bench,
    a: Uuid,
    b: Uuid,
}

impl Two {
    /// Two tenants with a job each, and one job of the operator.
    async fn new() -> Self {
        let two = Self { bench: Bench::new().await, a: Uuid::now_v7(), b: Uuid::now_v7() };
        for tenant in [Some(two.a), Some(two.b), None] {
            two.bench.add(&Task { number: 1, tenant, key: None }).await;
        }
        two
    }

    async fn sees(&self, actor: &str, tenant: Option<Uuid>) -> Vec<Option<Uuid>> {
        let mut tx = self.bench.begin(actor, tenant).await;
        sqlx::query_scalar("select tenant_id from job order by tenant_id").fetch_all(&mut *tx).await.unwrap()
    }

    async fn may_add(&self, actor: &str, own: Option<Uuid>, tenant: Option<Uuid>) -> bool {
        let mut tx = self.bench.begin(actor, own).await;
        match enqueue(&mut tx, &Task { number: 2, tenant, key: Some("k".into()) }, None).await {
            Ok(enqueued) => matches!(enqueued, Enqueued::Added(_)),
            Err(rtv_jobs::Error::Database(sqlx::Error::Database(error)))
                if error.code().as_deref() == Some("42501") =>
            {
                false
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_own_jobs_and_no_marker_sees_none() {
    let two = Two::new().await;
    let (a, b) = (two.a, two.b);
    for (actor, tenant, expect) in [
        ("tenant", Some(a), vec![Some(a)]),
        ("tenant", Some(b), vec![Some(b)]),
        ("tenant", None, vec![]),
        ("", None, vec![]),
        ("person", Some(a), vec![]),
        ("gate", Some(a), vec![]),
        ("staff", None, vec![Some(a), Some(b), None]),
        ("worker", None, vec![Some(a), Some(b), None]),
    ] {
        assert_eq!(two.sees(actor, tenant).await, expect, "{actor} of {tenant:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_adds_jobs_of_its_own_alone() {
    let two = Two::new().await;
    let (a, b) = (two.a, two.b);
    for (actor, own, tenant, expect) in [
        ("tenant", Some(a), Some(a), true),
        ("tenant", Some(a), Some(b), false),
        ("tenant", Some(a), None, false),
        ("tenant", None, None, false),
        ("", None, Some(a), false),
        ("session", Some(a), Some(a), false),
        ("staff", None, Some(b), true),
        ("staff", None, None, true),
        ("worker", None, Some(b), true),
    ] {
        assert_eq!(two.may_add(actor, own, tenant).await, expect, "{actor} of {own:?} for {tenant:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_cannot_slip_a_job_to_another_by_a_statement_of_its_own() {
    let two = Two::new().await;
    // Without `returning` the policy of reading does not apply, so this one shows the policy of inserting alone.
    for (tenant, is_taken) in [(Some(two.a), true), (Some(two.b), false), (None, false)] {
        let mut tx = two.bench.begin("tenant", Some(two.a)).await;
        let inserted = sqlx::query(
            "insert into job (id, kind, payload, tenant_id, max_attempts) values (gen_random_uuid(), 'task', '{}', $1, 1)",
        )
        .bind(tenant)
        .execute(&mut *tx)
        .await;
        assert_eq!(inserted.is_ok(), is_taken, "{tenant:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_worker_changes_jobs() {
    let two = Two::new().await;
    for (actor, tenant, expect) in [("tenant", Some(two.a), 0), ("staff", None, 0), ("", None, 0), ("worker", None, 3)]
    {
        let mut tx = two.bench.begin(actor, tenant).await;
        let changed = sqlx::query("update job set priority = 9").execute(&mut *tx).await.unwrap().rows_affected();
        let removed = sqlx::query("delete from job").execute(&mut *tx).await.unwrap().rows_affected();
        assert_eq!((changed, removed), (expect, expect), "{actor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_neither_learns_of_nor_blocks_the_key_of_another() {
    let two = Two::new().await;
    let keyed = |tenant| Task { number: 3, tenant: Some(tenant), key: Some("secret".into()) };
    two.bench.add(&keyed(two.b)).await;
    let mut tx = two.bench.begin("tenant", Some(two.a)).await;
    assert!(matches!(enqueue(&mut tx, &keyed(two.a), None).await.unwrap(), Enqueued::Added(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn row_security_holds_for_the_owner_too() {
    let two = Two::new().await;
    let owner = two.bench.db.owner_pool().await;
    let seen: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(&owner).await.unwrap();
    assert_eq!(seen, 0);
}
