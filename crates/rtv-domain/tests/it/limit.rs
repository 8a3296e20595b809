//! What a plan allows holds in the transaction of the act that uses it, also for two at once; who is over it reads and changes
//! nothing.

use rtv_core::{Error, Limit, Permission, Plan, ReadOnly, Role};
use rtv_domain::audit::explorer;
use rtv_domain::import::{Limits, Options, Uploads, upload};
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::limit::{self, Change, Standing, Standings};
use rtv_domain::member;
use rtv_domain::settings::{self, General};
use rtv_domain::target::{self, NewTarget};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, Tenant, TenantContext, kpi_daily, post};

use crate::world::{PASSWORD, World, outbox, passwords, secret};

const HEADER: &str = "platform,account_id,post_id,published_at,campaign,reactions";

fn new(email: &str) -> NewInvitation {
    NewInvitation { email: email.into(), role: "viewer".into() }
}

async fn allow(world: &World, tenant: &Tenant, limit: Limit, value: i64) -> Standings {
    limit::change(&world.operator(), &tenant.slug, &Change::of_limit(limit, Some(value))).await.unwrap()
}

async fn standing(ctx: &TenantContext, limit: Limit) -> Standing {
    limit::of(ctx).await.unwrap().limits.into_iter().find(|one| one.limit == limit).unwrap()
}

async fn again(world: &World, ctx: &TenantContext) -> TenantContext {
    world.enter(ctx.context().person().unwrap(), ctx.tenant()).await
}

#[track_caller]
fn check_refused<T: core::fmt::Debug>(outcome: Result<T, Error>, parts: &[&str]) {
    match outcome {
        Err(Error::PlanLimit(text)) => assert!(parts.iter().all(|part| text.contains(part)), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn members_and_open_invitations_share_their_places() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    limit::change(&world.operator(), &acme.slug, &Change::of_plan(Plan::Free)).await.unwrap();
    let owner = world.member(&acme, Role::Owner).await;
    for guest in 1..=4 {
        invitation::invite(&owner, &outbox(), &new(&format!("guest{guest}@example.org"))).await.unwrap();
    }
    assert_eq!(standing(&owner, Limit::Users).await.used, Some(5));
    let before = world.state(&acme, &[]).await;
    let fifth = invitation::invite(&owner, &outbox(), &new("guest5@example.org")).await;
    check_refused(
        fifth,
        &["Users: the plan Free allows 5", "would make 6 users, open invitations included", "operator"],
    );
    assert_eq!(world.state(&acme, &[]).await, before, "nothing of it was written, no mail either");

    // The operator is held to it as well.
    let belongs = || Belongs::Tenant { slug: "acme".into(), role: "viewer".into() };
    let made =
        user::create(&world.operator(), passwords(), "six@example.org", None, &secret(PASSWORD), belongs()).await;
    check_refused(made, &["the plan Free allows 5"]);
    assert!(
        !user::list(&world.operator(), None).await.unwrap().iter().any(|one| one.email.as_str() == "six@example.org")
    );

    // Accepting changes nothing of the sum; one that is revoked frees its place.
    let token = world.token_to("guest1@example.org", "/invite/").await;
    let anonymous = world.context(Actor::Anonymous);
    invitation::accept_as_new(&anonymous, passwords(), &token, "Guest", &secret(PASSWORD)).await.unwrap();
    assert_eq!(standing(&owner, Limit::Users).await.used, Some(5));
    let open = invitation::list(&owner).await.unwrap();
    invitation::revoke(&owner, open[0].id).await.unwrap();
    user::create(&world.operator(), passwords(), "six@example.org", None, &secret(PASSWORD), belongs()).await.unwrap();
}

#[tokio::test]
async fn an_expired_invitation_takes_a_place_when_it_is_sent_again() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let made = invitation::invite(&owner, &outbox(), &new("late@example.org")).await.unwrap();
    world
        .execute(&acme, "update invitation set expires_at = '2026-11-20T09:00:00Z', sent_at = '2026-11-13T09:00:00Z'")
        .await;
    assert_eq!(standing(&owner, Limit::Users).await.used, Some(1));
    allow(&world, &acme, Limit::Users, 1).await;
    check_refused(
        invitation::send_again(&owner, &outbox(), made.id).await,
        &["this organisation is allowed 1 (plan Enterprise, set by the operator)", "would make 2 users"],
    );
    allow(&world, &acme, Limit::Users, 2).await;
    invitation::send_again(&owner, &outbox(), made.id).await.unwrap();
}

/// Both write first and count then: without the lock each would find the last place free.
#[tokio::test]
async fn of_two_acts_for_the_last_place_exactly_one_passes() {
    let world = World::with_connections(12).await;
    let acme = world.tenant("acme", "UTC").await;
    let (owner, admin) = (world.member(&acme, Role::Owner).await, world.member(&acme, Role::Admin).await);
    for round in 0..6 {
        let used = standing(&owner, Limit::Users).await.used.unwrap();
        allow(&world, &acme, Limit::Users, used + 1).await;
        let (letters, first, second) =
            (outbox(), new(&format!("a{round}@example.org")), new(&format!("b{round}@example.org")));
        // One by the page, and one at the command line, which holds no row of the tenant.
        let operator = world.operator();
        let password = secret(PASSWORD);
        let email = format!("c{round}@example.org");
        let belongs = Belongs::Tenant { slug: "acme".into(), role: "viewer".into() };
        let (one, two, three) = tokio::join!(
            invitation::invite(&owner, &letters, &first),
            invitation::invite(&admin, &letters, &second),
            user::create(&operator, passwords(), &email, None, &password, belongs),
        );
        let passed = [one.is_ok(), two.is_ok(), three.is_ok()];
        assert_eq!(passed.iter().filter(|passed| **passed).count(), 1, "{passed:?}");
        for refused in [one.err(), two.err(), three.err()].into_iter().flatten() {
            assert!(matches!(refused, Error::PlanLimit(_)), "{refused:?}");
        }
        assert_eq!(standing(&owner, Limit::Users).await.used, Some(used + 1));
    }
}

#[tokio::test]
async fn an_import_that_is_more_than_the_plan_allows_leaves_nothing() {
    let world = World::new().await;
    let acme = world.tenant("acme", "Asia/Bangkok").await;
    let owner = world.member(&acme, Role::Owner).await;
    let file = |rows: &[&str]| format!("{HEADER}\n{}\n", rows.join("\n"));
    let start = file(&["x,page,p1,2026-11-20T10:00:00Z,Spring,1", "x,page,p2,2026-11-30T20:00:00Z,Spring,1"]);
    world.import_text(&owner, &start, Options::default()).await.unwrap();
    let check = async |limit: Limit, most: i64, rows: &[&str], parts: &[&str]| {
        allow(&world, &acme, limit, most).await;
        let before = world.state(&acme, &["audit_event"]).await;
        let dry = Options { is_dry_run: true, ..Options::default() };
        let foretold = world.import_text(&owner, &file(rows), dry).await.unwrap().findings.over_limit.unwrap();
        let refused = world.import_text(&owner, &file(rows), Options::default()).await;
        assert_eq!(refused, Err(Error::PlanLimit(foretold)), "the refusal is what was foretold");
        check_refused(refused, parts);
        assert_eq!(world.state(&acme, &["audit_event"]).await, before, "{limit}");
        limit::change(&world.operator(), &acme.slug, &Change::of_limit(limit, None)).await.unwrap();
        let dry = Options { is_dry_run: true, ..Options::default() };
        assert_eq!(world.import_text(&owner, &file(rows), dry).await.unwrap().findings.over_limit, None);
        world.import_text(&owner, &file(rows), Options::default()).await.unwrap();
    };
    check(
        Limit::Platforms,
        1,
        &["facebook,fan,p1,2026-10-01T10:00:00Z,,1"],
        &["Platforms: this organisation is allowed 1", "2 platforms"],
    )
    .await;
    check(
        Limit::Campaigns,
        1,
        &["x,page,p3,2026-09-01T10:00:00Z,Autumn,1"],
        &["Campaigns: this organisation is allowed 1", "2 campaigns"],
    )
    .await;
    // In Bangkok the second post of the first file is of December, so this is November's second.
    check(
        Limit::PostsPerMonth,
        1,
        &["x,page,p4,2026-11-21T10:00:00Z,,1"],
        &["Posts per month: this organisation is allowed 1", "2 posts in a month (November 2026)"],
    )
    .await;
    // A post that moves into another month leaves its own.
    allow(&world, &acme, Limit::PostsPerMonth, 2).await;
    for (rows, fits) in [
        (["x,page,p1,2026-09-20T10:00:00Z,Spring,1"].as_slice(), true),
        (&["x,page,p9,2026-11-20T10:00:00Z,Spring,1"], false),
        (&["x,page,p1,2026-10-20T10:00:00Z,Spring,1", "x,page,p9,2026-11-20T10:00:00Z,Spring,1"], true),
    ] {
        let dry = Options { is_dry_run: true, ..Options::default() };
        let foretold = world.import_text(&owner, &file(rows), dry).await.unwrap().findings.over_limit;
        assert_eq!(foretold.is_none(), fits, "{rows:?}: {foretold:?}");
    }
    let posts = standing(&owner, Limit::PostsPerMonth).await;
    assert_eq!((posts.used, posts.month.unwrap().to_string().as_str()), (Some(2), "2026-11-01"));
    assert_eq!(kpi_daily::verify(&owner).await.unwrap(), []);
}

#[tokio::test]
async fn files_are_measured_by_the_plan_before_they_come() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    limit::change(&world.operator(), &acme.slug, &Change::of_plan(Plan::Free)).await.unwrap();
    let owner = world.member(&acme, Role::Owner).await;
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { file_bytes: 900 << 20, tenant_bytes: 5 << 30 };
    let uploads = Uploads::new(folder.path().join("uploads"), limits);
    let first = upload::begin(&owner, &uploads, "1.csv", Some(700 << 20)).await.unwrap();
    check_refused(
        upload::begin(&owner, &uploads, "2.csv", Some(400 << 20)).await,
        &["Storage: the plan Free allows 1 GB", "1100 MB of stored files, 700 MB of which are there"],
    );
    assert_eq!(upload::usage(&owner, &uploads).await.unwrap().of_bytes, 1 << 30, "the smaller of both");
    assert_eq!(standing(&owner, Limit::StorageGb).await.percent(), Some(69));
    first.discard().await.unwrap();
}

#[tokio::test]
async fn who_is_over_the_limits_reads_everything_and_changes_nothing() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    world.member(&acme, Role::Viewer).await;
    let file = format!("{HEADER}\nx,page,p1,2026-11-20T10:00:00Z,,1\n");
    world.import_text(&owner, &file, Options::default()).await.unwrap();
    let standings = allow(&world, &acme, Limit::Users, 1).await;
    assert!(standings.limits.iter().any(|one| one.limit == Limit::Users && one.is_exceeded()));
    let owner = again(&world, &owner).await;
    assert_eq!(owner.tenant().over_limits, [Limit::Users]);
    let sentence = limit::over(owner.tenant()).unwrap();
    assert!(sentence.contains("over its limits (users)") && sentence.contains("read and exported"), "{sentence}");

    let general = General { name: "Other".into(), version: "1".into(), ..General::default() };
    let refusals = [
        settings::change_general(&owner, &general).await.err(),
        invitation::invite(&owner, &outbox(), &new("guest@example.org")).await.err(),
        world.import_text(&owner, &file, Options::default()).await.err(),
        target::set(&owner, &NewTarget { kpi: "reach".into(), aim: String::new(), amount: "5".into() }).await.err(),
    ];
    for refused in refusals {
        assert_eq!(refused, Some(Error::ReadOnly(ReadOnly::OverLimits(sentence.clone()))));
    }
    assert!(limit::of(&owner).await.is_ok() && settings::read(&owner).await.is_ok());
    let everything = explorer::Filter::default();
    assert!(explorer::list(&owner, &everything, None).await.is_ok());
    let period = rtv_core::period::Period::new("2026-11-01".parse().unwrap(), "2026-11-21".parse().unwrap()).unwrap();
    let posts = post::Query { period, filter: rtv_domain::kpi::Filter::default(), metric: None, after: None };
    assert_eq!(post::list(&owner, &posts).await.unwrap().posts.len(), 1);

    // Taking somebody out goes on, and is a way back.
    let mut others = member::roster(&owner).await.unwrap().members.into_values();
    let other = others.find(|one| Some(one.id) != owner.context().actor().user_id()).unwrap();
    member::remove(&owner, other.id, "1").await.unwrap();
    let owner = again(&world, &owner).await;
    assert!(owner.tenant().over_limits.is_empty() && owner.read_only().is_none());
    world.member(&acme, Role::Viewer).await;
    allow(&world, &acme, Limit::Users, 1).await;

    // A larger plan alone does not help where staff have set a limit; resetting that does.
    limit::change(&world.operator(), &acme.slug, &Change::of_plan(Plan::Professional)).await.unwrap();
    assert_eq!(again(&world, &owner).await.tenant().over_limits, [Limit::Users]);
    limit::change(&world.operator(), &acme.slug, &Change::of_limit(Limit::Users, None)).await.unwrap();
    let owner = again(&world, &owner).await;
    assert!(owner.tenant().over_limits.is_empty());
    invitation::invite(&owner, &outbox(), &new("guest@example.org")).await.unwrap();
}

#[tokio::test]
async fn limits_are_the_operators_and_every_change_is_in_the_log() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let viewer = world.member(&acme, Role::Viewer).await;
    assert_eq!(limit::of(&viewer).await, Err(Error::Forbidden(Permission::SettingsRead)));
    let change = Change { plan: Some(Plan::Starter), limits: vec![(Limit::Campaigns, Some(7))], version: None };
    for ctx in [world.context(Actor::Anonymous), owner.context().clone(), world.context(Actor::System("sweep"))] {
        assert!(limit::change(&ctx, &acme.slug, &change).await.is_err(), "{:?}", ctx.actor());
        assert_eq!(limit::of_tenant(&ctx, &acme.slug).await, Err(Error::NotFound), "{:?}", ctx.actor());
    }
    let standings = limit::change(&world.operator(), &acme.slug, &change).await.unwrap();
    assert_eq!(standings.plan, Plan::Starter);
    let of = |limit: Limit| standings.limits.iter().find(|one| one.limit == limit).unwrap();
    assert_eq!(
        (of(Limit::Campaigns).most, of(Limit::Campaigns).by_plan, of(Limit::Campaigns).is_set),
        (Some(7), Some(100), true)
    );
    assert_eq!((of(Limit::Users).most, of(Limit::Users).is_set), (Some(10), false));
    assert_eq!(limit::of_tenant(&world.operator(), &acme.slug).await.unwrap(), standings);
    let log = world.rows(&acme, "audit_event").await;
    let event = log.iter().find(|event| event["action"] == "tenant.limits").unwrap();
    assert_eq!(event["before"]["plan"], "enterprise");
    assert_eq!((&event["after"]["plan"], &event["after"]["campaigns"]), (&"starter".into(), &7.into()));
    for bad in [0, -1, limit::MOST + 1] {
        let refused =
            limit::change(&world.operator(), &acme.slug, &Change::of_limit(Limit::Users, Some(bad))).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(errors) if errors[0].field == "users"), "{refused:?}");
    }
    // A tenant's own transaction reads its limits and writes none.
    let mut tx = world.as_tenant(&acme).await;
    let written = sqlx::query("update tenant_limit set value = 9000").execute(&mut *tx).await.unwrap();
    assert_eq!(written.rows_affected(), 0);
    let added = sqlx::query("insert into tenant_limit values ((select rtv_tenant()), 'users', 9000, now(), 'me')");
    assert!(added.execute(&mut *tx).await.is_err());
}

/// Lowering counts what is under way: it waits for the act, and finds it.
#[tokio::test]
async fn a_limit_that_is_lowered_beside_an_act_counts_it() {
    let world = World::with_connections(8).await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    for round in 0..8 {
        allow(&world, &acme, Limit::Users, 100).await;
        let used = standing(&owner, Limit::Users).await.used.unwrap();
        let (letters, guest, operator) = (outbox(), new(&format!("g{round}@example.org")), world.operator());
        let lower = Change::of_limit(Limit::Users, Some(used));
        let (invited, lowered) =
            tokio::join!(invitation::invite(&owner, &letters, &guest), limit::change(&operator, &acme.slug, &lower),);
        lowered.unwrap();
        let now = again(&world, &owner).await;
        assert_eq!(
            invited.is_ok(),
            !now.tenant().over_limits.is_empty(),
            "either it was refused or it is known: {invited:?}"
        );
    }
}
