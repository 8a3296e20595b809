//! Signing in: what is refused and how alike, what is counted, what is written down, and which session it binds.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use rtv_core::{Error, Role, UserId};
use rtv_domain::password::Passwords;
use rtv_domain::session::{self, SessionHash};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, Clock, Context, RequestInfo, Tenant, sign_in};
use serde_json::json;

use crate::world::{PASSWORD, World, at, passwords, secret};

const NOW: &str = "2026-11-21T09:00:00Z";

fn from_network(world: &World, now: DateTime<Utc>, address: &str) -> Context {
    let address: IpAddr = address.parse().unwrap();
    let request = RequestInfo { id: "req-9".into(), address: Some(address), ..RequestInfo::default() };
    Context::new(world.database.clone(), Clock::Fixed(now), request, Actor::Anonymous)
}

fn anonymous(world: &World) -> Context {
    from_network(world, at(NOW), "203.0.113.9")
}

async fn member(world: &World, tenant: &Tenant, email: &str) -> UserId {
    let belongs = Belongs::Tenant { slug: tenant.slug.to_string(), role: Role::Editor.key().into() };
    user::create(&world.operator(), passwords(), email, None, &secret(PASSWORD), belongs).await.unwrap().0
}

async fn disable(world: &World, email: &'static str) {
    user::set_disabled(&world.operator(), email, true).await.unwrap();
}

async fn attempt(ctx: &Context, email: &str, password: &str) -> Result<sign_in::Verified, Error> {
    sign_in::verify(ctx, passwords(), email, &secret(password)).await
}

/// The whole way of a sign-in, with a fresh session.
async fn complete(ctx: &Context, email: &str, token: &[u8]) -> Result<(), Error> {
    let verified = attempt(ctx, email, PASSWORD).await?;
    let session = SessionHash::of(token);
    assert!(session::create(ctx, session, json!({}), ctx.now() + session::ANONYMOUS).await?);
    sign_in::complete(ctx, verified, session).await
}

#[tokio::test]
async fn wrong_unknown_and_disabled_answer_alike() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "right@example.org").await;
    member(&world, &tenant, "disabled@example.org").await;
    disable(&world, "disabled@example.org").await;
    let ctx = anonymous(&world);
    assert!(attempt(&ctx, "right@example.org", PASSWORD).await.is_ok());
    assert!(attempt(&ctx, " RIGHT@Example.org ", PASSWORD).await.is_ok(), "one mailbox is one person");
    let wrong = attempt(&ctx, "right@example.org", "granite kettle nine pelican").await.unwrap_err();
    assert!(matches!(&wrong, Error::Invalid(errors) if errors.len() == 1));
    let long = "x".repeat(5_000);
    for (email, password) in [
        ("unknown@example.org", PASSWORD),
        ("disabled@example.org", PASSWORD),
        ("disabled@example.org", "something else"),
        ("no address", PASSWORD),
        ("", ""),
        ("right@example.org", ""),
        ("right@example.org", long.as_str()),
        ("unknown@example.org", long.as_str()),
    ] {
        assert_eq!(attempt(&ctx, email, password).await.unwrap_err(), wrong, "{email}");
    }
}

/// Time is no witness on a busy machine; the queue for hashing is: who does no work does not wait in it.
#[tokio::test]
async fn an_unknown_account_waits_for_a_hash_like_a_known_one() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "known@example.org").await;
    let busy = Passwords::prepare().unwrap();
    let other = secret(PASSWORD);
    let mut queue: Vec<_> =
        (0..Passwords::permits() + Passwords::WAITING).map(|_| Box::pin(busy.hash(&other))).collect();
    for hash in &mut queue {
        assert!(hash.as_mut().now_or_never().is_none(), "it runs or waits");
    }
    let ctx = anonymous(&world);
    for email in ["known@example.org", "unknown@example.org", "no address"] {
        for password in ["wrong".to_owned(), "x".repeat(5_000)] {
            let answer = sign_in::verify(&ctx, &busy, email, &secret(&password)).await.unwrap_err();
            assert!(
                matches!(&answer, Error::Limit { message, .. } if message.contains("signing in right now")),
                "{email}: {answer:?}"
            );
        }
    }
    drop(queue);
    let answer = sign_in::verify(&ctx, &busy, "unknown@example.org", &secret("wrong")).await.unwrap_err();
    assert!(matches!(answer, Error::Invalid(_)), "a queue that is given up is free again: {answer:?}");
}

#[tokio::test]
async fn a_sign_in_that_waits_for_its_turn_has_asked_the_database_nothing() {
    let world = World::new().await;
    let passwords = Passwords::prepare().unwrap();
    let mut permits = Vec::new();
    for _ in 0..Passwords::permits() {
        permits.push(passwords.permit().await.unwrap());
    }
    let (ctx, wrong) = (anonymous(&world), secret("wrong"));
    let mut waiting = Box::pin(sign_in::verify(&ctx, &passwords, "unknown@example.org", &wrong));
    assert!(tokio::time::timeout(core::time::Duration::from_millis(300), &mut waiting).await.is_err());
    let counted = async || {
        let mut tx = world.marked("sign_in", None, None).await;
        sqlx::query_scalar::<_, i64>("select count(*) from sign_in_limit").fetch_one(&mut *tx).await.unwrap()
    };
    assert_eq!(counted().await, 0);
    drop(permits);
    assert!(matches!(waiting.await, Err(Error::Invalid(_))));
    assert!(counted().await > 0);
}

#[tokio::test]
async fn an_account_is_limited_after_ten_failures_and_free_again_after_the_window() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "target@example.org").await;
    member(&world, &tenant, "other@example.org").await;
    for (email, right) in [("target@example.org", true), ("unknown@example.org", false)] {
        let ctx = anonymous(&world);
        for failure in 0..10 {
            assert!(matches!(attempt(&ctx, email, "wrong").await, Err(Error::Invalid(_))), "{email} {failure}");
        }
        let limited = attempt(&ctx, email, PASSWORD).await.unwrap_err();
        assert_eq!(
            limited,
            Error::Limit { message: "There were too many failed attempts to sign in.".into(), seconds: 900 },
            "{email}: also with the right password, and also for nobody"
        );
        assert!(attempt(&ctx, "other@example.org", PASSWORD).await.is_ok(), "others are not affected");
        let elsewhere = from_network(&world, at(NOW), "198.51.100.1");
        assert!(
            matches!(attempt(&elsewhere, email, PASSWORD).await, Err(Error::Limit { .. })),
            "the account counts over networks"
        );
        let nearly = from_network(&world, at(NOW) + TimeDelta::minutes(15) - TimeDelta::seconds(1), "203.0.113.9");
        assert!(matches!(attempt(&nearly, email, PASSWORD).await, Err(Error::Limit { .. })));
        let after = from_network(&world, at(NOW) + TimeDelta::minutes(15), "203.0.113.9");
        assert_eq!(
            attempt(&after, email, PASSWORD).await.is_ok(),
            right,
            "{email}: attempts made while limited do not prolong it"
        );
    }
}

#[tokio::test]
async fn a_network_is_limited_over_all_its_accounts() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "right@example.org").await;
    // 99 attempts are counted already; hashing as many passwords would prove nothing more.
    let ctx = anonymous(&world);
    assert!(attempt(&ctx, "first@example.org", "wrong").await.is_err());
    let mut tx = world.marked("sign_in", None, None).await;
    sqlx::query("update sign_in_limit set attempts = 99 where attempts = 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let neighbour = from_network(&world, at(NOW), "203.0.113.200");
    assert!(
        matches!(attempt(&neighbour, "second@example.org", "wrong").await, Err(Error::Invalid(_))),
        "the hundredth"
    );
    assert!(
        matches!(attempt(&neighbour, "right@example.org", PASSWORD).await, Err(Error::Limit { .. })),
        "the same /24"
    );
    let elsewhere = from_network(&world, at(NOW), "203.0.114.9");
    assert!(attempt(&elsewhere, "right@example.org", PASSWORD).await.is_ok());
    let six = from_network(&world, at(NOW), "2001:db8:0:0::1");
    assert!(attempt(&six, "right@example.org", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_sign_in_forgets_the_failures_of_the_account_and_keeps_those_of_the_network() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "forgetful@example.org").await;
    let ctx = anonymous(&world);
    for _ in 0..9 {
        assert!(attempt(&ctx, "forgetful@example.org", "wrong").await.is_err());
    }
    complete(&ctx, "forgetful@example.org", b"token").await.unwrap();
    let mut tx = world.marked("sign_in", None, None).await;
    let counters: Vec<i32> =
        sqlx::query_scalar("select attempts from sign_in_limit").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(counters, [9], "the network's failures; the right attempt does not count");
    for _ in 0..10 {
        assert!(matches!(attempt(&ctx, "forgetful@example.org", "wrong").await, Err(Error::Invalid(_))));
    }
    assert!(matches!(attempt(&ctx, "forgetful@example.org", "wrong").await, Err(Error::Limit { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_attempts_cannot_slip_past_the_limit() {
    let world = World::with_connections(8).await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "target@example.org").await;
    // As many servers, because one alone lets in no more at a time than it has permits.
    let servers: Vec<Passwords> = (0..10).map(|_| Passwords::prepare().unwrap()).collect();
    let attempts = (0..50).map(|attempt| {
        let (ctx, passwords) = (anonymous(&world), servers[attempt % servers.len()].clone());
        tokio::spawn(async move {
            sign_in::verify(&ctx, &passwords, "target@example.org", &secret("wrong")).await.map(drop).unwrap_err()
        })
    });
    let answers: Vec<Error> = futures::future::join_all(attempts).await.into_iter().map(Result::unwrap).collect();
    let judged = answers.iter().filter(|answer| matches!(answer, Error::Invalid(_))).count();
    let limited = answers
        .iter()
        .filter(|answer| matches!(answer, Error::Limit { message, .. } if message.contains("too many failed")))
        .count();
    assert_eq!((judged, limited), (10, 40), "{answers:?}");
}

#[tokio::test]
async fn a_sign_in_binds_only_a_session_of_nobody() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "victim@example.org").await;
    member(&world, &tenant, "thief@example.org").await;
    let ctx = anonymous(&world);
    complete(&ctx, "thief@example.org", b"known to the thief").await.unwrap();
    let verified = attempt(&ctx, "victim@example.org", PASSWORD).await.unwrap();
    let taken = sign_in::complete(&ctx, verified, SessionHash::of(b"known to the thief")).await;
    assert_eq!(taken, Err(Error::Internal), "a session of somebody is not given to another");
    let verified = attempt(&ctx, "victim@example.org", PASSWORD).await.unwrap();
    assert_eq!(sign_in::complete(&ctx, verified, SessionHash::of(b"never stored")).await, Err(Error::Internal));
    let owner = session::identify(&ctx, SessionHash::of(b"known to the thief")).await.unwrap().unwrap().person.unwrap();
    assert_eq!(owner.email.as_str(), "thief@example.org");
    let accepted = world
        .audit(Some(&tenant))
        .await
        .into_iter()
        .filter(|(action, result, _)| action == "user.sign_in" && result == "success");
    assert_eq!(accepted.count(), 1, "a sign-in that was not completed is not one");
}

#[tokio::test]
async fn sign_ins_are_written_to_each_tenant_of_the_person_and_else_to_the_operators_chain() {
    let world = World::new().await;
    let one = world.tenant("one", "UTC").await;
    let two = world.tenant("two", "UTC").await;
    let none = world.tenant("none", "UTC").await;
    member(&world, &one, "both@example.org").await;
    member(&world, &two, "both@example.org").await;
    user::create(&world.operator(), passwords(), "staff@example.org", None, &secret(PASSWORD), Belongs::Staff)
        .await
        .unwrap();
    let ctx = anonymous(&world);
    let of_sign_ins = async |tenant: Option<&Tenant>| -> Vec<String> {
        let events = world.audit(tenant).await;
        events.into_iter().filter(|(action, _, _)| action == "user.sign_in").map(|(_, result, _)| result).collect()
    };
    complete(&ctx, "both@example.org", b"one").await.unwrap();
    assert!(attempt(&ctx, "both@example.org", "wrong").await.is_err());
    for tenant in [&one, &two] {
        assert_eq!(of_sign_ins(Some(tenant)).await, ["success", "denied"]);
    }
    assert_eq!(of_sign_ins(Some(&none)).await, Vec::<String>::new());
    assert_eq!(of_sign_ins(None).await, Vec::<String>::new());
    assert!(attempt(&ctx, "unknown@example.org", "wrong").await.is_err());
    complete(&ctx, "staff@example.org", b"two").await.unwrap();
    assert_eq!(of_sign_ins(None).await, ["denied", "success"]);
    // The first attempt over the limit is written down, those that follow it in the window are not: no flood of the log.
    for _ in 0..12 {
        assert!(attempt(&ctx, "both@example.org", "wrong").await.is_err());
    }
    for tenant in [&one, &two] {
        assert_eq!(of_sign_ins(Some(tenant)).await.len(), 12, "1 accepted, 10 wrong, 1 limited");
        let last = world.audit(Some(tenant)).await.pop().unwrap();
        assert_eq!((last.1.as_str(), last.2.as_deref()), ("denied", Some("too many failed attempts")));
    }
}

#[tokio::test]
async fn the_log_holds_no_password_no_hash_and_no_token() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    let user = member(&world, &tenant, "careful@example.org").await;
    let ctx = anonymous(&world);
    complete(&ctx, "careful@example.org", b"the token itself").await.unwrap();
    complete(&ctx, "careful@example.org", b"another token").await.unwrap();
    assert!(attempt(&ctx, "careful@example.org", "mistyped secret").await.is_err());
    assert!(attempt(&ctx, "password in the wrong field", "mistyped secret").await.is_err());
    let identified = session::identify(&ctx, SessionHash::of(b"the token itself")).await.unwrap().unwrap();
    let signed_in = ctx.with_actor(Actor::Person(identified.person.unwrap().into()));
    assert_eq!(session::end_others(&signed_in).await, Ok(1));

    let mut tx = world.marked("sign_in", None, Some(user.uuid())).await;
    let hash: String = sqlx::query_scalar("select password_hash from user_credential where user_id = $1")
        .bind(user.uuid())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let token_hash = {
        use sha2::{Digest, Sha256};
        hex::encode(Sha256::digest(b"the token itself"))
    };
    let mut log = Vec::new();
    for marker in [Some(tenant.id.uuid()), None] {
        let mut tx = world.marked("staff", marker, None).await;
        log.extend(crate::world::rows_of(&mut tx, "audit_event").await);
    }
    assert!(log.len() > 6, "{log:?}");
    let text = serde_json::to_string(&log).unwrap();
    assert!(text.contains("careful@example.org"), "the log was read");
    for secret in [
        PASSWORD,
        "mistyped secret",
        "password in the wrong field",
        "the token itself",
        &hash,
        &hash[..40],
        &token_hash,
        "argon2",
    ] {
        assert!(!text.contains(secret), "the log holds “{secret}”");
    }
}

#[tokio::test]
async fn the_list_of_sessions_shows_device_and_network_of_the_sign_in() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    member(&world, &tenant, "dana@example.org").await;
    let elsewhere = from_network(&world, at(NOW) - TimeDelta::minutes(10), "198.51.100.1");
    let hash = SessionHash::of(b"token");
    assert!(session::create(&elsewhere, hash, json!({}), at(NOW)).await.unwrap());
    let ctx = world.context(Actor::Anonymous);
    let verified = attempt(&ctx, "dana@example.org", PASSWORD).await.unwrap();
    sign_in::complete(&ctx, verified, hash).await.unwrap();
    let person = session::identify(&ctx, hash).await.unwrap().unwrap().person.unwrap();
    let list = session::list(&ctx.with_actor(Actor::Person(person.into()))).await.unwrap();
    let shown: Vec<_> = list
        .iter()
        .map(|one| (one.address.unwrap().to_string(), one.user_agent.as_deref(), one.created_at, one.is_current))
        .collect();
    assert_eq!(
        shown,
        [("203.0.113.9".to_owned(), Some("Test Browser/1.0"), at(NOW), true)],
        "of the sign-in, not of the first visit"
    );
}

#[tokio::test]
async fn a_hash_with_old_parameters_is_renewed_by_the_sign_in() {
    use argon2::password_hash::PasswordHasher;
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    let user = member(&world, &tenant, "old@example.org").await;
    let weak = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(1_024, 1, 1, None).unwrap(),
    );
    let old = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let mut tx = world.marked("sign_in", None, Some(user.uuid())).await;
    sqlx::query("update user_credential set password_hash = $1").bind(&old).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    complete(&anonymous(&world), "old@example.org", b"token").await.unwrap();
    let mut tx = world.marked("sign_in", None, Some(user.uuid())).await;
    let new: String =
        sqlx::query_scalar("select password_hash from user_credential").fetch_one(&mut *tx).await.unwrap();
    assert_ne!(new, old);
    assert!(attempt(&anonymous(&world), "old@example.org", PASSWORD).await.is_ok());
}
