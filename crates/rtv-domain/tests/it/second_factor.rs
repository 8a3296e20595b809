//! The second factor: setting it up, signing in with it, recovery codes, removing it, and a tenant that requires it.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{Error, Role};
use rtv_domain::session::{self, Person, SessionHash};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, Context, Tenant, access, second_factor, sign_in, tenant};
use serde_json::json;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::world::{PASSWORD, World, outbox, passwords, secret, vault};

const EMAIL: &str = "dana@example.org";

async fn world() -> (World, Tenant) {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let belongs = Belongs::Tenant { slug: "acme".into(), role: Role::Owner.key().into() };
    user::create(&world.operator(), passwords(), EMAIL, Some("Dana"), &secret(PASSWORD), belongs).await.unwrap();
    (world, acme)
}

fn start() -> DateTime<Utc> {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// A session after the password, and after the code where one is owed.
async fn sign_in(world: &World, now: DateTime<Utc>, code: Option<&str>) -> Result<SessionHash, Error> {
    let ctx = world.context_at(now, Actor::Anonymous);
    let fresh = async || {
        let hash = SessionHash::of(uuid::Uuid::now_v7().as_bytes());
        assert!(session::create(&ctx, hash, json!({}), now + session::ANONYMOUS).await.unwrap());
        hash
    };
    let verified = sign_in::verify(&ctx, passwords(), EMAIL, &secret(PASSWORD)).await?;
    let session = fresh().await;
    assert_eq!(verified.needs_code(), code.is_some());
    let Some(code) = code else {
        sign_in::complete(&ctx, verified, session).await?;
        return Ok(session);
    };
    sign_in::await_code(&ctx, verified, session).await?;
    assert!(who(world, session, now).await.is_none(), "the password alone is not enough");
    let verified = sign_in::verify_code(&ctx, &vault(), Some(session), code).await?;
    let second = fresh().await;
    sign_in::complete(&ctx, verified, second).await?;
    Ok(second)
}

async fn who(world: &World, session: SessionHash, now: DateTime<Utc>) -> Option<Person> {
    let found = session::identify(&world.context_at(now, Actor::Anonymous), session).await.unwrap();
    found.and_then(|found| found.person)
}

async fn acting(world: &World, session: SessionHash, now: DateTime<Utc>) -> Context {
    world.context_at(now, Actor::Person(Arc::new(who(world, session, now).await.unwrap())))
}

/// An app that was given the key that the page shows.
fn app(key: &str) -> Totp {
    let secret = Secret::try_from_base32(key.replace(' ', "")).unwrap();
    Builder::new().with_algorithm(Algorithm::SHA1).with_secret(secret).with_account_name(EMAIL).build().unwrap()
}

fn code(app: &Totp, at: DateTime<Utc>) -> String {
    app.generate(u64::try_from(at.timestamp()).unwrap()).to_string()
}

/// Sets a second factor up, as the person does.
async fn set_up(world: &World) -> (Totp, Vec<String>) {
    let session = sign_in(world, start(), None).await.unwrap();
    let ctx = acting(world, session, start()).await;
    second_factor::begin(&ctx, &vault()).await.unwrap();
    let shown = second_factor::state(&ctx, &vault()).await.unwrap().set_up.unwrap();
    let app = app(&shown.key);
    let codes = second_factor::confirm(&ctx, &vault(), &code(&app, start())).await.unwrap();
    (app, codes)
}

fn later(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minutes)
}

#[tokio::test]
async fn it_is_on_once_a_first_code_was_right_and_its_key_is_sealed() {
    let (world, _) = world().await;
    let session = sign_in(&world, start(), None).await.unwrap();
    let ctx = acting(&world, session, start()).await;
    second_factor::begin(&ctx, &vault()).await.unwrap();
    let shown = second_factor::state(&ctx, &vault()).await.unwrap().set_up.unwrap();
    assert!(shown.address.starts_with("otpauth://totp/") && shown.address.contains("issuer=RTV"), "{}", shown.address);
    let app = app(&shown.key);
    assert_eq!(app.secret().as_bytes().len(), 20);
    let mut tx = world.marked("person", None, Some(who(&world, session, start()).await.unwrap().id.uuid())).await;
    let stored: Vec<u8> = sqlx::query_scalar("select sealed_secret from totp").fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    assert!(!stored.windows(20).any(|part| part == app.secret().as_bytes()), "sealed");

    for wrong in ["", "000000", "abcdef", &code(&app, later(-2)), &code(&app, later(2))] {
        assert!(matches!(second_factor::confirm(&ctx, &vault(), wrong).await, Err(Error::Invalid(_))), "{wrong}");
    }
    assert!(!who(&world, session, start()).await.unwrap().has_second_factor);
    let spaced = code(&app, start());
    let codes = second_factor::confirm(&ctx, &vault(), &format!("{} {}", &spaced[..3], &spaced[3..])).await.unwrap();
    assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), 10);
    let state = second_factor::state(&ctx, &vault()).await.unwrap();
    assert_eq!((state.since, state.codes_left, state.set_up), (Some(start()), 10, None), "the key is not shown again");
    assert!(who(&world, session, start()).await.unwrap().has_second_factor);
    assert!(matches!(second_factor::begin(&ctx, &vault()).await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn signing_in_takes_the_password_and_a_code_and_a_code_once() {
    let (world, acme) = world().await;
    let (app, _) = set_up(&world).await;
    let used = code(&app, start());
    assert!(sign_in(&world, start(), Some(&used)).await.is_err(), "the code of the set-up is used");
    let now = later(1);
    let session = sign_in(&world, now, Some(&code(&app, now))).await.unwrap();
    assert_eq!(who(&world, session, now).await.unwrap().proved_at, Some(now));
    assert!(sign_in(&world, now, Some(&code(&app, now))).await.is_err(), "once, also within its thirty seconds");
    // A clock that goes wrong by one step is borne, by two it is not.
    let now = later(10);
    for (shift, is_right) in [(-60, false), (60, false), (-30, true), (30, true)] {
        let outcome = sign_in(&world, now, Some(&code(&app, now + TimeDelta::seconds(shift)))).await;
        assert_eq!(outcome.is_ok(), is_right, "{shift} s: {:?}", outcome.err());
    }
    // Older than one that was taken.
    assert!(sign_in(&world, now, Some(&code(&app, now))).await.is_err());
    let refused = world
        .audit(Some(&acme))
        .await
        .into_iter()
        .filter(|(_, _, detail)| detail.as_deref() == Some("wrong code"))
        .count();
    assert_eq!(refused, 5);
}

#[tokio::test]
async fn of_two_who_use_one_code_at_once_one_is_let_in() {
    let (world, _) = world().await;
    let (app, _) = set_up(&world).await;
    let now = later(1);
    let code = code(&app, now);
    let (one, other) = futures::join!(sign_in(&world, now, Some(&code)), sign_in(&world, now, Some(&code)));
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|is_in| **is_in).count(), 1, "{one:?} {other:?}");
}

#[tokio::test]
async fn a_recovery_code_signs_in_once_however_it_is_typed() {
    let (world, _) = world().await;
    let (_, codes) = set_up(&world).await;
    let session = sign_in(&world, later(1), Some(&codes[3].to_uppercase().replace('-', " "))).await.unwrap();
    assert!(sign_in(&world, later(1), Some(&codes[3])).await.is_err(), "once");
    let ctx = acting(&world, session, later(1)).await;
    assert_eq!(second_factor::state(&ctx, &vault()).await.unwrap().codes_left, 9);
    let renewed = second_factor::renew_codes(&ctx).await.unwrap();
    assert!(sign_in(&world, later(1), Some(&codes[4])).await.is_err(), "the set before is useless");
    assert!(sign_in(&world, later(1), Some(&renewed[0])).await.is_ok());
    let mut tx = world.marked("person", None, Some(who(&world, session, later(1)).await.unwrap().id.uuid())).await;
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("select code_hash from recovery_code").fetch_all(&mut *tx).await.unwrap();
    assert!(stored.len() == 10 && stored.iter().all(|hash| hash.len() == 32), "hashes, and nothing else");
}

#[tokio::test]
async fn guessing_codes_is_limited_and_the_step_is_open_for_ten_minutes() {
    let (world, _) = world().await;
    let (app, _) = set_up(&world).await;
    let now = later(1);
    let ctx = world.context_at(now, Actor::Anonymous);
    let session = SessionHash::of(b"guess");
    assert!(session::create(&ctx, session, json!({}), now + session::ANONYMOUS).await.unwrap());
    let verified = sign_in::verify(&ctx, passwords(), EMAIL, &secret(PASSWORD)).await.unwrap();
    sign_in::await_code(&ctx, verified, session).await.unwrap();
    let guess = async |now: DateTime<Utc>, code: &str| {
        sign_in::verify_code(&world.context_at(now, Actor::Anonymous), &vault(), Some(session), code).await.map(drop)
    };
    for attempt in 0..10 {
        assert!(matches!(guess(now, "000000").await, Err(Error::Invalid(_))), "{attempt}");
    }
    assert!(matches!(guess(now, &code(&app, now)).await, Err(Error::Limit { .. })), "the right one comes too late");
    assert_eq!(guess(later(11), &code(&app, later(11))).await, Err(Error::SignedOut), "begin again with the password");
    assert_eq!(guess(now, "").await.map_err(|error| error.status()), Err(429));
    let nobody = sign_in::verify_code(&ctx, &vault(), None, "000000").await.map(drop);
    assert_eq!(nobody, Err(Error::SignedOut));
}

#[tokio::test]
async fn a_proof_that_still_owes_a_code_completes_nothing() {
    let (world, _) = world().await;
    set_up(&world).await;
    let ctx = world.context_at(later(1), Actor::Anonymous);
    let session = SessionHash::of(b"short cut");
    assert!(session::create(&ctx, session, json!({}), later(1) + session::ANONYMOUS).await.unwrap());
    let verified = sign_in::verify(&ctx, passwords(), EMAIL, &secret(PASSWORD)).await.unwrap();
    assert_eq!(sign_in::complete(&ctx, verified, session).await, Err(Error::Internal));
    assert!(who(&world, session, later(1)).await.is_none());
}

#[tokio::test]
async fn what_changes_it_asks_for_a_fresh_proof_and_the_person_is_told_of_its_end() {
    let (world, acme) = world().await;
    let (app, _) = set_up(&world).await;
    let session = sign_in(&world, later(1), Some(&code(&app, later(1)))).await.unwrap();
    let stale = acting(&world, session, later(6)).await;
    assert_eq!(second_factor::begin(&stale, &vault()).await, Err(Error::NotFresh));
    assert_eq!(second_factor::renew_codes(&stale).await, Err(Error::NotFresh));
    assert_eq!(second_factor::remove(&stale, &outbox()).await, Err(Error::NotFresh));
    let fresh = acting(&world, session, later(5)).await;
    second_factor::remove(&fresh, &outbox()).await.unwrap();
    assert!(sign_in(&world, later(7), None).await.is_ok(), "the password alone is enough again");
    assert_eq!(world.mail_to(EMAIL).await.unwrap().0, "Your second factor was removed");
    let log: Vec<String> = world
        .audit(Some(&acme))
        .await
        .into_iter()
        .map(|(action, _, _)| action)
        .filter(|action| action.starts_with("second"))
        .collect();
    assert_eq!(log, ["second_factor.add", "second_factor.remove"]);
}

#[tokio::test]
async fn a_key_that_waits_is_shown_only_to_who_proved_who_they_are_and_not_for_ever() {
    let (world, _) = world().await;
    let session = sign_in(&world, start(), None).await.unwrap();
    second_factor::begin(&acting(&world, session, start()).await, &vault()).await.unwrap();
    let state = async |now| second_factor::state(&acting(&world, session, now).await, &vault()).await.unwrap();
    assert!(state(later(4)).await.set_up.is_some());
    assert!(state(later(5)).await.set_up.is_none());
    let again = sign_in(&world, later(31), None).await.unwrap();
    let ctx = acting(&world, again, later(31)).await;
    assert!(second_factor::state(&ctx, &vault()).await.unwrap().set_up.is_none());
    assert!(matches!(second_factor::confirm(&ctx, &vault(), "000000").await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn a_tenant_that_requires_it_opens_to_nobody_without_it() {
    let (world, acme) = world().await;
    let bloom = world.tenant("bloom", "UTC").await;
    let session = sign_in(&world, start(), None).await.unwrap();
    let ctx = acting(&world, session, start()).await;
    world.join(&who(&world, session, start()).await.unwrap(), &bloom, Role::Viewer).await;
    let own = access::enter(&ctx, "acme").await.unwrap();
    assert!(
        matches!(tenant::require_second_factor(&own, true).await, Err(Error::Conflict(_))),
        "not without one's own"
    );
    let (app, _) = set_up(&world).await;
    let session = sign_in(&world, later(1), Some(&code(&app, later(1)))).await.unwrap();
    let own = access::enter(&acting(&world, session, later(1)).await, "acme").await.unwrap();
    let stale = access::enter(&acting(&world, session, later(7)).await, "acme").await.unwrap();
    assert_eq!(tenant::require_second_factor(&stale, true).await, Err(Error::NotFresh));
    let editor = world.member(&acme, Role::Editor).await;
    assert!(matches!(tenant::require_second_factor(&editor, true).await, Err(Error::Forbidden(_))));
    tenant::require_second_factor(&own, true).await.unwrap();

    let without = editor.context();
    assert_eq!(access::enter(without, "acme").await.err(), Some(Error::SecondFactorMissing));
    assert!(access::enter(&acting(&world, session, later(1)).await, "acme").await.is_ok());
    // Who is no member learns nothing of the requirement.
    let stranger = world.person("eve@example.org").await;
    let stranger = world.context(Actor::Person(Arc::new(stranger)));
    assert_eq!(access::enter(&stranger, "acme").await.err(), Some(Error::NotFound));
    let own = access::enter(&acting(&world, session, later(1)).await, "acme").await.unwrap();
    tenant::require_second_factor(&own, false).await.unwrap();
    assert!(access::enter(without, "acme").await.is_ok());
    let log = world.audit(Some(&acme)).await.into_iter().filter(|(action, _, _)| action == "tenant.mfa").count();
    assert_eq!(log, 2);
}
