//! Sessions: what a token stands for and until when, and who may end which.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, Preference, Scope, Theme};
use rtv_domain::kill_switch::{self, Side, Why};
use rtv_domain::preference::Change;
use rtv_domain::session::{self, ABSOLUTE, ANONYMOUS, IDLE, Person, SessionHash};
use rtv_domain::transaction::WorkKind;
use rtv_domain::{Actor, Context, Database, PoolSettings, RequestInfo};
use serde_json::json;
use uuid::Uuid;

use crate::world::{World, at};

fn start() -> DateTime<Utc> {
    at("2026-11-21T09:00:00Z")
}

/// A session as a sign-in leaves it; signing in itself is proved elsewhere.
async fn signed_in(world: &World, person: &Person, token: &[u8], now: DateTime<Utc>) -> SessionHash {
    let hash = SessionHash::of(token);
    let ctx = world.context_at(now, Actor::Anonymous);
    assert!(session::create(&ctx, hash, json!({}), now + ANONYMOUS).await.unwrap());
    let mut tx = world.marked("session", None, None).await;
    sqlx::query("select set_config('rtv.session', encode(sha256($1), 'hex'), true)")
        .bind(token)
        .execute(&mut *tx)
        .await
        .unwrap();
    let bound = sqlx::query(
        "update session set user_id = $1, expires_at = $2, address = '203.0.113.9', user_agent = 'Test Browser/1.0'",
    )
    .bind(person.id.uuid())
    .bind(now + ABSOLUTE)
    .execute(&mut *tx)
    .await
    .unwrap();
    assert_eq!(bound.rows_affected(), 1);
    tx.commit().await.unwrap();
    hash
}

async fn who(world: &World, hash: SessionHash, now: DateTime<Utc>) -> Option<Person> {
    session::identify(&world.context_at(now, Actor::Anonymous), hash)
        .await
        .unwrap()
        .and_then(|identified| identified.person)
}

async fn acting(world: &World, hash: SessionHash, now: DateTime<Utc>) -> Context {
    let person = who(world, hash, now).await.unwrap();
    world.context_at(now, Actor::Person(Arc::new(person)))
}

async fn last_used(world: &World, person: &Person) -> Vec<DateTime<Utc>> {
    let mut tx = world.marked("person", None, Some(person.id.uuid())).await;
    sqlx::query_scalar("select last_used_at from session order by created_at").fetch_all(&mut *tx).await.unwrap()
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_any_case_after_its_lifetime() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let hash = signed_in(&world, &person, b"idle", start()).await;
    assert_eq!(who(&world, hash, start()).await.unwrap().id, person.id);
    let nearly = start() + IDLE - TimeDelta::seconds(1);
    assert!(who(&world, hash, nearly).await.is_some(), "a use shortly before keeps it");
    assert!(who(&world, hash, nearly + IDLE - TimeDelta::seconds(1)).await.is_some(), "counted from the last use");
    let last = nearly + IDLE - TimeDelta::seconds(1);
    assert!(who(&world, hash, last + IDLE).await.is_none());

    let hash = signed_in(&world, &person, b"absolute", start()).await;
    let mut now = start();
    while now < start() + ABSOLUTE {
        assert!(who(&world, hash, now).await.is_some(), "{now}");
        now += TimeDelta::hours(6);
    }
    assert!(who(&world, hash, start() + ABSOLUTE - TimeDelta::seconds(1)).await.is_some());
    assert!(who(&world, hash, start() + ABSOLUTE).await.is_none(), "however busy it was");
    assert!(who(&world, SessionHash::of(b"never made"), start()).await.is_none());
}

/// The session middleware stores data with an end of its own reckoning; that must not move a person's.
#[tokio::test]
async fn storing_data_does_not_move_the_end_of_a_persons_session() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let hash = signed_in(&world, &person, b"token", start()).await;
    let ctx = world.context_at(start(), Actor::Anonymous);
    for end in [start() + TimeDelta::days(365), start() + TimeDelta::minutes(1)] {
        session::save(&ctx, hash, json!({ "flash": "Saved." }), end).await.unwrap();
        let (data, expires_at) = session::load(&ctx, hash).await.unwrap().unwrap();
        assert_eq!((data, expires_at), (json!({ "flash": "Saved." }), start() + ABSOLUTE));
    }
    assert!(session::identify(&ctx, hash).await.unwrap().unwrap().has_flash);
    // A session of nobody lives as long as the middleware says.
    let hash = SessionHash::of(b"nobody");
    assert!(session::create(&ctx, hash, json!({}), start() + ANONYMOUS).await.unwrap());
    session::save(&ctx, hash, json!({ "a": 1 }), start() + TimeDelta::minutes(5)).await.unwrap();
    assert_eq!(session::load(&ctx, hash).await.unwrap(), Some((json!({ "a": 1 }), start() + TimeDelta::minutes(5))));
    let later = world.context_at(start() + TimeDelta::minutes(5), Actor::Anonymous);
    assert_eq!(session::load(&later, hash).await.unwrap(), None);
    assert_eq!(session::identify(&later, hash).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_that_is_taken_is_not_made_again_and_an_ended_session_stays_ended() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let hash = signed_in(&world, &person, b"token", start()).await;
    let ctx = world.context_at(start(), Actor::Anonymous);
    assert_eq!(session::create(&ctx, hash, json!({}), start() + ANONYMOUS).await, Ok(false));
    assert!(who(&world, hash, start()).await.is_some());
    session::delete(&ctx, hash).await.unwrap();
    session::save(&ctx, hash, json!({}), start() + ABSOLUTE).await.unwrap();
    assert_eq!(session::load(&ctx, hash).await.unwrap(), None);
    assert!(who(&world, hash, start()).await.is_none());
}

#[tokio::test]
async fn a_disabled_persons_session_stands_for_nobody() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let hash = signed_in(&world, &person, b"token", start()).await;
    assert!(who(&world, hash, start()).await.is_some());
    let owner = world.db.owner_pool().await;
    sqlx::raw_sql("alter table app_user no force row level security; update app_user set is_disabled = true; alter table app_user force row level security")
        .execute(&owner)
        .await
        .unwrap();
    assert!(who(&world, hash, start()).await.is_none(), "at once");
}

#[tokio::test]
async fn last_use_is_written_at_most_once_a_minute() {
    let world = World::new().await;
    let person = world.person("dana@example.org").await;
    let hash = signed_in(&world, &person, b"token", start()).await;
    for (seconds, written) in [(0, 0), (59, 0), (60, 0), (61, 61), (100, 61), (121, 61), (122, 122)] {
        who(&world, hash, start() + TimeDelta::seconds(seconds)).await.unwrap();
        assert_eq!(last_used(&world, &person).await, [start() + TimeDelta::seconds(written)], "after {seconds} s");
    }
}

#[tokio::test]
async fn people_see_and_end_only_their_own_sessions() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    let dana = world.person("dana@example.org").await;
    let eve = world.person("eve@example.org").await;
    for person in [&dana, &eve] {
        world.join(person, &tenant, rtv_core::Role::Viewer).await;
    }
    let here = signed_in(&world, &dana, b"here", start()).await;
    let phone = signed_in(&world, &dana, b"phone", start() + TimeDelta::minutes(5)).await;
    let laptop = signed_in(&world, &dana, b"laptop", start() + TimeDelta::minutes(9)).await;
    let eves = signed_in(&world, &eve, b"eve", start()).await;
    let expired = signed_in(&world, &dana, b"expired", start() - ABSOLUTE).await;
    let now = start() + TimeDelta::minutes(10);
    let ctx = acting(&world, here, now).await;

    let list = session::list(&ctx).await.unwrap();
    assert_eq!(
        list.iter().map(|device| device.is_current).collect::<Vec<_>>(),
        [true, false, false],
        "the one that asks was used last"
    );
    assert_eq!(list[0].address, Some("203.0.113.9".parse().unwrap()));
    assert_eq!(list[0].user_agent.as_deref(), Some("Test Browser/1.0"));
    assert!(who(&world, expired, now).await.is_none());

    let eves_id = who(&world, eves, now).await.unwrap().session;
    let before = world.audit(Some(&tenant)).await;
    let foreign = session::end(&ctx, eves_id).await;
    assert_eq!(foreign, Err(Error::NotFound));
    assert_eq!(session::end(&ctx, Uuid::now_v7()).await, foreign, "a foreign session is like none");
    assert_eq!(world.audit(Some(&tenant)).await, before);
    assert!(who(&world, eves, now).await.is_some());

    let laptop_id = who(&world, laptop, now).await.unwrap().session;
    session::end(&ctx, laptop_id).await.unwrap();
    assert!(who(&world, laptop, now).await.is_none(), "at once");
    assert_eq!(session::end(&ctx, laptop_id).await, Err(Error::NotFound), "once");
    assert_eq!(session::end_others(&ctx).await, Ok(2), "the phone, and the expired one that was not swept yet");
    assert_eq!(session::end_others(&ctx).await, Ok(0));
    assert!(who(&world, phone, now).await.is_none());
    assert!(who(&world, here, now).await.is_some());
    assert!(who(&world, eves, now).await.is_some());
    let ends = world.audit(Some(&tenant)).await.into_iter().filter(|(action, _, _)| action == "session.end").count();
    assert_eq!(ends, 2, "one for the laptop, one for the others");

    let anonymous = world.context_at(now, Actor::Anonymous);
    assert_eq!(session::list(&anonymous).await, Err(Error::SignedOut));
    assert_eq!(session::end(&anonymous, laptop_id).await, Err(Error::SignedOut));
    assert_eq!(session::end_others(&anonymous).await, Err(Error::SignedOut));
}

#[tokio::test]
async fn the_tenant_looked_at_last_is_remembered_by_the_session() {
    let world = World::new().await;
    let dana = world.person("dana@example.org").await;
    let here = signed_in(&world, &dana, b"here", start()).await;
    let other = signed_in(&world, &dana, b"other", start()).await;
    session::remember_tenant(&acting(&world, here, start()).await, "acme").await.unwrap();
    assert_eq!(who(&world, here, start()).await.unwrap().last_tenant.as_deref(), Some("acme"));
    assert_eq!(who(&world, other, start()).await.unwrap().last_tenant, None);
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired_and_nothing_else() {
    let world = World::new().await;
    let dana = world.person("dana@example.org").await;
    let now = start();
    let live = signed_in(&world, &dana, b"live", now).await;
    signed_in(&world, &dana, b"expired", now - ABSOLUTE - TimeDelta::seconds(1)).await;
    signed_in(&world, &dana, b"idle", now - IDLE - TimeDelta::seconds(1)).await;
    let before = world.context_at(now - TimeDelta::minutes(30), Actor::Anonymous);
    let anonymous = SessionHash::of(b"anonymous");
    assert!(session::create(&before, anonymous, json!({}), now + TimeDelta::minutes(30)).await.unwrap());
    assert!(session::create(&before, SessionHash::of(b"stale"), json!({}), now - TimeDelta::seconds(1)).await.unwrap());
    let mut tx = world.marked("sign_in", None, None).await;
    for (key, minutes) in [(b"new", 1), (b"old", 61)] {
        sqlx::query("insert into sign_in_limit (key, window_started_at, attempts) values ($1, $2, 11)")
            .bind(&key[..])
            .bind(now - TimeDelta::minutes(minutes))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();

    assert_eq!(session::sweep(&world.worker()).await, Ok(4), "expired, idle, stale, and one counter");
    assert_eq!(session::sweep(&world.worker()).await, Ok(0));
    assert!(who(&world, live, now).await.is_some());
    assert!(session::identify(&world.context_at(now, Actor::Anonymous), anonymous).await.unwrap().is_some());
    let mut tx = world.marked("worker", None, None).await;
    let left: Vec<Vec<u8>> = sqlx::query_scalar("select key from sign_in_limit").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(left, [b"new"]);
    for actor in [Actor::Anonymous, Actor::Person(Arc::new(dana)), Actor::Operator("root@ops-1".into())] {
        assert_eq!(session::sweep(&world.context(actor)).await, Err(Error::NotFound), "only a worker sweeps");
    }
}

#[tokio::test]
async fn preferences_come_with_the_session_and_are_the_persons_own() {
    let world = World::new().await;
    let (dana, sam) = (world.person("dana@example.org").await, world.person("sam@example.org").await);
    let (hers, his) =
        (signed_in(&world, &dana, b"hers", start()).await, signed_in(&world, &sam, b"his", start()).await);
    let preference = async |hash| who(&world, hash, start()).await.unwrap().preference;
    assert_eq!(preference(hers).await, Preference::default());
    let dark = Change { theme: Some("dark".into()), single_keys: Some("off".into()), ..Change::default() };
    let chosen = rtv_domain::preference::change(&acting(&world, hers, start()).await, dark).await.unwrap();
    assert_eq!(preference(hers).await, chosen);
    assert_eq!((chosen.theme, chosen.has_single_keys), (Theme::Dark, false));
    assert_eq!(preference(his).await, Preference::default());
}

#[tokio::test]
async fn a_connection_that_is_ready_has_planned_what_a_halt_waits_for() {
    let world = World::new().await;
    let settings = PoolSettings { connections: 1, ready: 1, ..PoolSettings::default() };
    let database = Database::open(&world.db.app_url(), settings).await.unwrap();
    let nobody = Context::new(database.clone(), world.clock, RequestInfo::default(), Actor::Anonymous);
    let worker = nobody.clone().with_actor(Actor::System("test"));
    // How often each was run with a plan that was kept, and with one that was made for it.
    let planned = async || -> Vec<(bool, i64, i64)> {
        let mut tx = worker.begin_worker(WorkKind::Queue).await.unwrap();
        sqlx::query_as(
            r"
            select statement like '%update kill_switch%', generic_plans, custom_plans
            from pg_prepared_statements
            where (statement like '%longest_idle_seconds%from session%' or statement like '%update kill_switch%is_engaged = true%')
              and statement not like '%pg_prepared_statements%'
            order by 1
            ",
        )
        .fetch_all(tx.queue())
        .await
        .unwrap()
    };
    let (session, halt) = (false, true);
    let ready = planned().await;
    assert_eq!(ready.iter().map(|row| row.0).collect::<Vec<_>>(), [session, halt]);
    assert!(ready.iter().all(|(_, kept, made)| *kept >= 1 && *made == 0), "{ready:?}");
    assert_eq!(session::identify(&nobody, SessionHash::of(b"unknown")).await.unwrap(), None);
    let staff = nobody.with_actor(Actor::Operator("root@ops-1".into()));
    kill_switch::engage(Side::Operator(&staff), &Scope::Everything, &Why::default()).await.unwrap();
    let used = planned().await;
    assert_eq!(used, ready.iter().map(|(what, kept, made)| (*what, kept + 1, *made)).collect::<Vec<_>>());
}
