//! Keys for programs: what they may do follows their author at every moment, and what they do once is done once.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, GivenRole, Permission, PermissionSet, Role, UserId};
use rtv_domain::api_answer::{self, Answer, Begun};
use rtv_domain::api_key::{self, Made, NewKey, State};
use rtv_domain::member::{self, Change};
use rtv_domain::session::Person;
use rtv_domain::team::{self, NewTeam};
use rtv_domain::{Actor, Tenant, TenantContext, access, life_cycle, maintenance};
use secrecy::ExposeSecret as _;

use crate::world::World;

struct Keys {
    world: World,
    tenant: Tenant,
    owner: TenantContext,
}

impl Keys {
    async fn new() -> Self {
        let world = World::new().await;
        let tenant = world.tenant("acme", "Europe/Berlin").await;
        let owner = world.member(&tenant, Role::Owner).await;
        let owner = fresh(&world, &owner).await;
        Self { world, tenant, owner }
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    async fn identify(&self, at: DateTime<Utc>, made: &Made) -> Result<Arc<api_key::Key>, Error> {
        let ctx = self.world.context_at(at, Actor::Anonymous);
        api_key::identify(&ctx, made.secret.expose_secret()).await
    }

    async fn enter(&self, made: &Made) -> TenantContext {
        let key = self.identify(self.now(), made).await.unwrap();
        access::enter_with_key(&self.world.context(Actor::ApiKey(key))).await.unwrap()
    }

    async fn held(&self, made: &Made) -> PermissionSet {
        self.identify(self.now(), made).await.unwrap().held
    }

    async fn change(&self, of: UserId, role: &str, permissions: &[&str]) {
        let version = member::roster(&self.owner).await.unwrap().members[&of].revision.version.to_string();
        let permissions = permissions.iter().map(|key| (*key).to_owned()).collect();
        member::change(&self.owner, of, &Change { role: role.into(), permissions, version }).await.unwrap();
    }
}

/// The same member with a proof of this moment, and with what they hold now.
async fn fresh(world: &World, ctx: &TenantContext) -> TenantContext {
    let person = ctx.context().person().unwrap().clone();
    let person = Person { proved_at: Some(world.clock.now()), ..person };
    let ctx_of_person = world.context(Actor::Person(Arc::new(person)));
    access::enter(&ctx_of_person, ctx.tenant().slug.as_str()).await.unwrap()
}

fn id_of(ctx: &TenantContext) -> UserId {
    ctx.context().person().unwrap().id
}

fn new(permissions: &[Permission]) -> NewKey {
    NewKey {
        name: "Nightly import".into(),
        permissions: permissions.iter().map(|one| one.key().to_owned()).collect(),
        expires: "30".into(),
        expires_on: String::new(),
    }
}

fn set(permissions: &[Permission]) -> PermissionSet {
    permissions.iter().copied().collect()
}

#[tokio::test]
async fn a_key_holds_what_its_author_holds_at_that_moment_and_no_more() {
    let keys = Keys::new().await;
    let admin = keys.world.member(&keys.tenant, Role::Admin).await;
    let author = fresh(&keys.world, &admin).await;
    let given = [Permission::TeamsManage, Permission::AnalyticsRead, Permission::AuditRead];
    let made = api_key::create(&author, &new(&given)).await.unwrap();
    assert_eq!(keys.held(&made).await, set(&given));
    let ctx = keys.enter(&made).await;
    assert!(ctx.access().grants(Permission::TeamsManage) && !ctx.access().grants(Permission::UsersManage));

    keys.change(id_of(&admin), "viewer", &[]).await;
    assert_eq!(keys.held(&made).await, set(&[Permission::AnalyticsRead]));
    keys.change(id_of(&admin), "viewer", &["audit:read", "billing:read"]).await;
    assert_eq!(keys.held(&made).await, set(&[Permission::AnalyticsRead, Permission::AuditRead]));
    let listed = api_key::list(&keys.owner).await.unwrap().keys;
    assert_eq!((listed[0].permissions, listed[0].held), (set(&given), keys.held(&made).await));
}

#[tokio::test]
async fn a_key_rests_while_its_author_is_disabled_and_is_dead_once_they_have_left() {
    let keys = Keys::new().await;
    let admin = keys.world.member(&keys.tenant, Role::Admin).await;
    let made = api_key::create(&fresh(&keys.world, &admin).await, &new(&[Permission::AnalyticsRead])).await.unwrap();
    let state = async || api_key::list(&keys.owner).await.unwrap().keys[0].state;
    let disable = async |is_disabled: bool| {
        let mut tx = keys.world.marked("staff", None, None).await;
        sqlx::query("update app_user set is_disabled = $2 where id = $1")
            .bind(id_of(&admin).uuid())
            .bind(is_disabled)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    disable(true).await;
    assert_eq!(keys.identify(keys.now(), &made).await.unwrap_err(), Error::SignedOut);
    assert_eq!(state().await, State::Resting);
    disable(false).await;
    assert!(keys.identify(keys.now(), &made).await.is_ok());

    let version = member::roster(&keys.owner).await.unwrap().members[&id_of(&admin)].revision.version.to_string();
    member::remove(&keys.owner, id_of(&admin), &version).await.unwrap();
    assert_eq!(keys.identify(keys.now(), &made).await.unwrap_err(), Error::SignedOut);
    assert_eq!(state().await, State::Orphaned);
    keys.world.join(admin.context().person().unwrap(), &keys.tenant, Role::Owner).await;
    assert_eq!(keys.identify(keys.now(), &made).await.unwrap_err(), Error::SignedOut, "coming back wakes no key");
}

#[tokio::test]
async fn where_a_second_factor_is_asked_for_the_key_of_somebody_without_one_opens_nothing() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::AnalyticsRead])).await.unwrap();
    let mut tx = keys.world.as_tenant(&keys.tenant).await;
    sqlx::query("update tenant set mfa_required = true").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(keys.identify(keys.now(), &made).await.unwrap_err(), Error::SecondFactorMissing);
}

#[tokio::test]
async fn a_network_that_is_closed_to_members_is_closed_to_their_programs() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::AnalyticsRead])).await.unwrap();
    let enter = async || {
        let key = keys.identify(keys.now(), &made).await.unwrap();
        access::enter_with_key(&keys.world.context(Actor::ApiKey(key))).await.map(drop)
    };
    keys.world.execute(&keys.tenant, "update tenant set ip_ranges = '{198.51.100.0/24}'").await;
    assert_eq!(enter().await, Err(Error::AddressNotAllowed("203.0.113.9".into())));
    keys.world.execute(&keys.tenant, "update tenant set ip_ranges = '{203.0.113.0/24}'").await;
    assert_eq!(enter().await, Ok(()));
}

#[tokio::test]
async fn making_a_key_takes_a_fresh_proof_and_every_refused_field_is_named() {
    let keys = Keys::new().await;
    let stale = access::enter(
        &keys.world.context(Actor::Person(Arc::new(Person {
            proved_at: None,
            ..keys.owner.context().person().unwrap().clone()
        }))),
        "acme",
    )
    .await
    .unwrap();
    assert_eq!(api_key::create(&stale, &new(&[Permission::AnalyticsRead])).await.unwrap_err(), Error::NotFresh);

    let check = async |ctx: &TenantContext, new: NewKey, expect: &[&str]| match api_key::create(ctx, &new).await {
        Err(Error::Invalid(errors)) => {
            assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), expect, "{new:?}");
        }
        other => panic!("{new:?}: {other:?}"),
    };
    let some = [Permission::AnalyticsRead];
    check(&keys.owner, NewKey::default(), &["name", "expires", "permission"]).await;
    check(&keys.owner, NewKey { permissions: vec!["moon:land".into()], ..new(&some) }, &["permission"]).await;
    check(&keys.owner, NewKey { expires: "31".into(), ..new(&some) }, &["expires"]).await;
    for day in ["", "2026-11-20", "2027-11-23", "tomorrow"] {
        let until = NewKey { expires: "date".into(), expires_on: day.into(), ..new(&some) };
        check(&keys.owner, until, &["expires_on"]).await;
    }
    let admin = fresh(&keys.world, &keys.world.member(&keys.tenant, Role::Admin).await).await;
    check(&admin, new(&[Permission::BillingManage]), &["permission"]).await;
    let log = keys.world.audit(Some(&keys.tenant)).await;
    let attempt = log.iter().find(|(action, ..)| action == "api_key.create").unwrap();
    assert_eq!((attempt.1.as_str(), attempt.2.as_deref()), ("denied", Some("the actor does not hold billing:manage")));
    let editor = fresh(&keys.world, &keys.world.member(&keys.tenant, Role::Editor).await).await;
    let refused = api_key::create(&editor, &new(&some)).await.unwrap_err();
    assert_eq!(refused, Error::Forbidden(Permission::ApikeysManage));
    assert!(api_key::list(&keys.owner).await.unwrap().keys.is_empty());
}

#[tokio::test]
async fn a_key_ends_when_it_says_and_when_somebody_revokes_it() {
    let keys = Keys::new().await;
    let some = [Permission::AnalyticsRead];
    let made = api_key::create(&keys.owner, &new(&some)).await.unwrap();
    let end = keys.now() + TimeDelta::days(30);
    assert!(keys.identify(end - TimeDelta::seconds(1), &made).await.is_ok());
    assert_eq!(keys.identify(end, &made).await.unwrap_err(), Error::SignedOut);

    let until = NewKey { expires: "date".into(), expires_on: "2026-12-01".into(), ..new(&some) };
    let dated = api_key::create(&keys.owner, &until).await.unwrap();
    let midnight: DateTime<Utc> = "2026-12-01T23:00:00Z".parse().unwrap();
    assert!(keys.identify(midnight - TimeDelta::seconds(1), &dated).await.is_ok(), "the day lasts as in Berlin");
    assert_eq!(keys.identify(midnight, &dated).await.unwrap_err(), Error::SignedOut);

    let admin = keys.world.member(&keys.tenant, Role::Admin).await;
    assert_eq!(api_key::revoke(&admin, made.id).await.unwrap(), "Nightly import");
    assert_eq!(keys.identify(keys.now(), &made).await.unwrap_err(), Error::SignedOut);
    assert_eq!(api_key::revoke(&admin, made.id).await.unwrap_err(), Error::NotFound, "once");
    let other = keys.world.tenant("other", "UTC").await;
    let foreigner = keys.world.member(&other, Role::Owner).await;
    assert_eq!(api_key::revoke(&foreigner, dated.id).await.unwrap_err(), Error::NotFound);
    let states: Vec<State> = api_key::list(&keys.owner).await.unwrap().keys.into_iter().map(|key| key.state).collect();
    assert_eq!(states, [State::Live, State::Revoked]);
}

#[tokio::test]
async fn a_key_is_revoked_also_where_nothing_changes_and_none_is_made_there() {
    let keys = Keys::new().await;
    let some = [Permission::AnalyticsRead];
    let [one, two] = [
        api_key::create(&keys.owner, &new(&some)).await.unwrap(),
        api_key::create(&keys.owner, &new(&some)).await.unwrap(),
    ];
    let operator = keys.world.operator();
    life_cycle::take(&operator, &keys.tenant.slug, life_cycle::Step::Suspend, Some("Bill 17"), None).await.unwrap();
    let owner = access::enter(keys.owner.context(), keys.tenant.slug.as_str()).await.unwrap();
    assert!(keys.identify(keys.now(), &one).await.is_ok(), "a key of a suspended tenant reads on");
    api_key::revoke(&owner, one.id).await.unwrap();
    assert_eq!(keys.identify(keys.now(), &one).await.unwrap_err(), Error::SignedOut);
    assert!(matches!(api_key::create(&owner, &new(&some)).await, Err(Error::ReadOnly(_))));
    life_cycle::take(&operator, &keys.tenant.slug, life_cycle::Step::Resume, None, None).await.unwrap();

    maintenance::switch_on(&operator, "New disks", None).await.unwrap();
    api_key::revoke(&keys.owner, two.id).await.unwrap();
    assert_eq!(keys.identify(keys.now(), &two).await.unwrap_err(), Error::SignedOut);
    assert!(matches!(api_key::create(&keys.owner, &new(&some)).await, Err(Error::ReadOnly(_))));
    let viewer = keys.world.member(&keys.tenant, Role::Viewer).await;
    assert_eq!(api_key::revoke(&viewer, two.id).await, Err(Error::Forbidden(Permission::ApikeysManage)));
}

#[tokio::test]
async fn the_key_itself_stands_nowhere_and_what_it_does_bears_its_name() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::TeamsManage])).await.unwrap();
    let secret = made.secret.expose_secret().to_owned();
    assert!(secret.starts_with("rtv_") && secret.len() == 68, "{}", secret.len());
    for (table, rows) in keys.world.state(&keys.tenant, &[]).await {
        assert!(!rows.iter().any(|row| row.to_string().contains(&secret[4..])), "{table} holds the key");
    }
    let ctx = keys.enter(&made).await;
    team::create(&ctx, &NewTeam { name: "Crew".into(), ..NewTeam::default() }).await.unwrap();
    let mut tx = keys.world.as_tenant(&keys.tenant).await;
    let (kind, actor, label): (String, uuid::Uuid, String) =
        sqlx::query_as("select actor_kind, actor_id, actor_label from audit_event where action = 'team.create'")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    assert_eq!((kind.as_str(), actor), ("api_key", made.id.uuid()));
    assert_eq!(label, format!("Nightly import ({}…)", &secret[..12]));
}

#[tokio::test]
async fn when_a_key_was_used_is_written_once_a_minute() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::AnalyticsRead])).await.unwrap();
    let used = async || api_key::list(&keys.owner).await.unwrap().keys[0].last_used_at;
    assert_eq!(used().await, None);
    let first = keys.now();
    for (seconds, expect) in [(0, 0), (59, 0), (60, 60), (100, 60), (121, 121)] {
        keys.identify(first + TimeDelta::seconds(seconds), &made).await.unwrap();
        assert_eq!(used().await, Some(first + TimeDelta::seconds(expect)), "after {seconds} s");
    }
}

#[tokio::test]
async fn all_keys_of_a_tenant_share_the_requests_of_its_plan() {
    let keys = Keys::new().await;
    let some = [Permission::AnalyticsRead];
    let made = [
        api_key::create(&keys.owner, &new(&some)).await.unwrap(),
        api_key::create(&keys.owner, &new(&some)).await.unwrap(),
    ];
    keys.world.execute(&keys.tenant, "update tenant set plan = 'free'").await;
    let most = api_key::list(&keys.owner).await.unwrap().requests_per_minute.unwrap();
    let at = keys.now() + TimeDelta::seconds(20);
    for request in 0..most {
        keys.identify(at, &made[usize::try_from(request).unwrap() % 2]).await.unwrap();
    }
    match keys.identify(at, &made[0]).await {
        Err(Error::Limit { message, seconds: 40 }) => {
            assert!(message.contains("Free") && message.contains(&most.to_string()), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(keys.identify(at + TimeDelta::seconds(40), &made[1]).await.is_ok(), "the next minute");
    let other = keys.world.tenant("other", "UTC").await;
    let owner = fresh(&keys.world, &keys.world.member(&other, Role::Owner).await).await;
    let theirs = api_key::create(&owner, &new(&some)).await.unwrap();
    assert!(keys.identify(at, &theirs).await.is_ok(), "another tenant has its own");
}

#[tokio::test]
async fn a_key_gives_nobody_what_it_lacks_and_decides_over_no_owner() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::UsersManage])).await.unwrap();
    let ctx = keys.enter(&made).await;
    let viewer = keys.world.member(&keys.tenant, Role::Viewer).await;
    let owner = keys.world.member(&keys.tenant, Role::Owner).await;
    let change = |role: GivenRole| Change { role: role.to_string(), permissions: Vec::new(), version: "1".into() };
    let refused = member::change(&ctx, id_of(&viewer), &change(GivenRole::BuiltIn(Role::Admin))).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
    for (who, role) in [(&viewer, Role::Owner), (&owner, Role::Admin)] {
        let refused = member::change(&ctx, id_of(who), &change(GivenRole::BuiltIn(role))).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
    }
    assert!(member::remove(&ctx, id_of(&owner), "1").await.is_err());
}

async fn teams(keys: &Keys) -> usize {
    member::roster(&keys.owner).await.unwrap().teams.len()
}

fn crew(name: &str) -> NewTeam {
    NewTeam { name: name.into(), ..NewTeam::default() }
}

#[tokio::test]
async fn what_is_done_once_is_there_with_its_answer_or_not_at_all() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::TeamsManage])).await.unwrap();
    let ctx = keys.enter(&made).await;
    let digest = [1; 32];
    let begin = async || api_answer::begin(&ctx, "one", digest).await.unwrap();

    // The server dies between the act and its answer.
    let Begun::Fresh(act) = begin().await else { panic!("nobody has asked before") };
    team::create(act.ctx(), &crew("Crew")).await.unwrap();
    assert!(matches!(begin().await, Begun::Running));
    drop(act);
    // A connection that was dropped ends its transaction when it comes back to the pool.
    let act = loop {
        match begin().await {
            Begun::Fresh(act) => break act,
            Begun::Running => tokio::time::sleep(core::time::Duration::from_millis(5)).await,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(teams(&keys).await, 0, "nothing of it is there");

    let id = team::create(act.ctx(), &crew("Crew")).await.unwrap();
    // A refused part is undone and the rest goes on.
    let refused = team::create(act.ctx(), &crew("Crew")).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)));
    assert_eq!(teams(&keys).await, 0, "nobody sees it before its end");
    let answer = Answer { status: 201, body: format!("{{\"id\":\"{id}\"}}") };
    act.finish(&answer).await.unwrap();
    assert_eq!(teams(&keys).await, 1);

    assert!(matches!(begin().await, Begun::Done(given) if given == answer));
    assert!(matches!(api_answer::begin(&ctx, "one", [2; 32]).await.unwrap(), Begun::OtherRequest));
    assert!(matches!(api_answer::begin(&ctx, "two", digest).await.unwrap(), Begun::Fresh(_)));
}

#[tokio::test]
async fn what_failed_on_our_side_leaves_neither_act_nor_answer() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::TeamsManage])).await.unwrap();
    let ctx = keys.enter(&made).await;
    let Begun::Fresh(act) = api_answer::begin(&ctx, "one", [1; 32]).await.unwrap() else { panic!("asked before") };
    team::create(act.ctx(), &crew("Crew")).await.unwrap();
    act.give_up().await.unwrap();
    assert_eq!(teams(&keys).await, 0);
    assert!(matches!(api_answer::begin(&ctx, "one", [2; 32]).await.unwrap(), Begun::Fresh(_)));
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_belongs_to_its_key() {
    let keys = Keys::new().await;
    let made = api_key::create(&keys.owner, &new(&[Permission::TeamsManage])).await.unwrap();
    let other = api_key::create(&keys.owner, &new(&[Permission::TeamsManage])).await.unwrap();
    let ctx = keys.enter(&made).await;
    let Begun::Fresh(act) = api_answer::begin(&ctx, "one", [1; 32]).await.unwrap() else { panic!("asked before") };
    act.finish(&Answer { status: 204, body: String::new() }).await.unwrap();
    let theirs = keys.enter(&other).await;
    assert!(matches!(api_answer::begin(&theirs, "one", [1; 32]).await.unwrap(), Begun::Fresh(_)));

    let at = |time: DateTime<Utc>| keys.world.context_at(time, Actor::System("sweep"));
    let end = keys.now() + api_answer::KEEP;
    assert_eq!(api_answer::sweep(&at(end - TimeDelta::seconds(1))).await.unwrap(), 0);
    let later = async |time| {
        let key = ctx.context().actor().clone();
        access::enter_with_key(&keys.world.context_at(time, key)).await.unwrap()
    };
    assert!(matches!(
        api_answer::begin(&later(end - TimeDelta::seconds(1)).await, "one", [1; 32]).await.unwrap(),
        Begun::Done(_)
    ));
    assert!(matches!(api_answer::begin(&later(end).await, "one", [2; 32]).await.unwrap(), Begun::Fresh(_)));
    assert_eq!(api_answer::sweep(&at(end)).await.unwrap(), 1);
}
