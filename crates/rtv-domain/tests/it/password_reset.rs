//! A new password by mail, and a new one with the old one.

use std::sync::Arc;

use chrono::TimeDelta;
use rtv_core::{Error, Role};
use rtv_domain::password_reset::{self, HOLDS};
use rtv_domain::session::{self, SessionHash};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, Context, mail, profile, sign_in};
use serde_json::json;

use crate::world::{PASSWORD, World, outbox, passwords, secret};

const EMAIL: &str = "dana@example.org";
const NEW: &str = "copper lantern sixty otters";

async fn world() -> World {
    let world = World::new().await;
    world.tenant("acme", "UTC").await;
    let belongs = Belongs::Tenant { slug: "acme".into(), role: Role::Viewer.key().into() };
    user::create(&world.operator(), passwords(), EMAIL, Some("Dana"), &secret(PASSWORD), belongs).await.unwrap();
    world
}

fn anonymous(world: &World) -> Context {
    world.context(Actor::Anonymous)
}

async fn is_right(world: &World, password: &str) -> bool {
    sign_in::verify(&anonymous(world), passwords(), EMAIL, &secret(password)).await.is_ok()
}

async fn signed_in(world: &World, token: &[u8]) -> SessionHash {
    let ctx = anonymous(world);
    let hash = SessionHash::of(token);
    assert!(session::create(&ctx, hash, json!({}), ctx.now() + session::ANONYMOUS).await.unwrap());
    let verified = sign_in::verify(&ctx, passwords(), EMAIL, &secret(PASSWORD)).await.unwrap();
    sign_in::complete(&ctx, verified, hash).await.unwrap();
    hash
}

async fn person(world: &World, hash: SessionHash) -> Option<rtv_domain::session::Person> {
    session::identify(&anonymous(world), hash).await.unwrap().and_then(|found| found.person)
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_and_ends_every_session() {
    let world = world().await;
    let ctx = anonymous(&world);
    let session = signed_in(&world, b"phone").await;
    password_reset::ask(&ctx, &outbox(), " Dana@Example.org ").await.unwrap();
    password_reset::ask(&ctx, &outbox(), EMAIL).await.unwrap();
    let token = world.token_to(EMAIL, "/reset/").await;
    assert_eq!(password_reset::look(&ctx, &token).await.unwrap().as_str(), EMAIL);
    let set = async |token: &str, password: &str| {
        password_reset::complete(&ctx, &outbox(), passwords(), token, &secret(password)).await.map(drop)
    };
    assert!(matches!(set(&token, "short").await, Err(Error::Invalid(_))));
    assert!(person(&world, session).await.is_some() && is_right(&world, PASSWORD).await, "nothing was changed");
    set(&token, NEW).await.unwrap();
    assert!(person(&world, session).await.is_none(), "the sessions of the old password have ended");
    assert!(is_right(&world, NEW).await && !is_right(&world, PASSWORD).await);
    assert_eq!(set(&token, PASSWORD).await, Err(Error::NotFound), "once");
    let mut tx = world.marked("worker", None, None).await;
    let left: i64 = sqlx::query_scalar("select count(*) from password_reset").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(left, 0, "the other link is useless too");
    assert_eq!(world.mail_to(EMAIL).await.unwrap().0, "Your password was changed");
    let log: Vec<String> = world
        .audit(Some(&rtv_domain::tenant::list(&world.operator()).await.unwrap()[0].tenant))
        .await
        .into_iter()
        .map(|(action, _, _)| action)
        .filter(|action| action.starts_with("password."))
        .collect();
    assert_eq!(log, ["password.ask", "password.ask", "password.reset"]);
}

#[tokio::test]
async fn who_asks_learns_nothing_and_no_mail_goes_to_strangers() {
    let world = world().await;
    let belongs = Belongs::Tenant { slug: "acme".into(), role: "viewer".into() };
    user::create(&world.operator(), passwords(), "gone@example.org", None, &secret(PASSWORD), belongs).await.unwrap();
    user::set_disabled(&world.operator(), "gone@example.org", true).await.unwrap();
    let ctx = anonymous(&world);
    for email in ["nobody@example.org", "gone@example.org", EMAIL] {
        assert_eq!(password_reset::ask(&ctx, &outbox(), email).await, Ok(()), "{email}");
    }
    let mails = mail::list(&world.operator()).await.unwrap();
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
    assert!(matches!(password_reset::ask(&ctx, &outbox(), "no address").await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn an_account_gets_three_mails_a_window_and_a_network_thirty_answers() {
    let world = world().await;
    let ctx = anonymous(&world);
    for _ in 0..5 {
        assert_eq!(password_reset::ask(&ctx, &outbox(), EMAIL).await, Ok(()), "the answer does not change");
    }
    assert_eq!(mail::list(&world.operator()).await.unwrap().len(), 3);
    let asks = (0..25).map(|number| {
        let (ctx, outbox) = (ctx.clone(), outbox());
        async move { password_reset::ask(&ctx, &outbox, &format!("{number}@example.org")).await }
    });
    assert!(futures::future::join_all(asks).await.iter().all(Result::is_ok));
    assert!(matches!(password_reset::ask(&ctx, &outbox(), EMAIL).await, Err(Error::Limit { .. })));
    let later = world.context_at(world.clock.now() + TimeDelta::minutes(15), Actor::Anonymous);
    assert_eq!(password_reset::ask(&later, &outbox(), EMAIL).await, Ok(()));
}

#[tokio::test]
async fn used_expired_and_unknown_links_answer_alike() {
    let world = world().await;
    let ctx = anonymous(&world);
    password_reset::ask(&ctx, &outbox(), EMAIL).await.unwrap();
    let token = world.token_to(EMAIL, "/reset/").await;
    let nearly = world.context_at(world.clock.now() + HOLDS - TimeDelta::seconds(1), Actor::Anonymous);
    assert!(password_reset::look(&nearly, &token).await.is_ok());
    let over = world.context_at(world.clock.now() + HOLDS, Actor::Anonymous);
    for (ctx, token) in [(&over, token.as_str()), (&ctx, ""), (&ctx, &"0".repeat(64))] {
        assert_eq!(password_reset::look(ctx, token).await, Err(Error::NotFound));
        let set = password_reset::complete(ctx, &outbox(), passwords(), token, &secret(NEW)).await.map(drop);
        assert_eq!(set, Err(Error::NotFound));
    }
    assert!(is_right(&world, PASSWORD).await);
    let sweeper = world.context_at(world.clock.now() + HOLDS + TimeDelta::seconds(1), Actor::System("sweep"));
    session::sweep(&sweeper).await.unwrap();
    let mut tx = world.marked("worker", None, None).await;
    let left: i64 = sqlx::query_scalar("select count(*) from password_reset").fetch_one(&mut *tx).await.unwrap();
    assert_eq!(left, 0, "what nobody used is swept");
}

#[tokio::test]
async fn a_reset_frees_an_account_that_others_have_locked_up_by_guessing() {
    let world = world().await;
    let ctx = anonymous(&world);
    for _ in 0..10 {
        assert!(sign_in::verify(&ctx, passwords(), EMAIL, &secret("wrong")).await.is_err());
    }
    assert!(!is_right(&world, PASSWORD).await, "too many attempts");
    password_reset::ask(&ctx, &outbox(), EMAIL).await.unwrap();
    let token = world.token_to(EMAIL, "/reset/").await;
    let verified = password_reset::complete(&ctx, &outbox(), passwords(), &token, &secret(NEW)).await.unwrap();
    let hash = SessionHash::of(b"new");
    assert!(session::create(&ctx, hash, json!({}), ctx.now() + session::ANONYMOUS).await.unwrap());
    sign_in::complete(&ctx, verified, hash).await.unwrap();
    assert!(is_right(&world, NEW).await);
}

#[tokio::test]
async fn the_old_password_changes_the_password_and_ends_the_other_sessions() {
    let world = world().await;
    let here = signed_in(&world, b"here").await;
    let phone = signed_in(&world, b"phone").await;
    let me = person(&world, here).await.unwrap();
    let ctx = world.context(Actor::Person(Arc::new(me)));
    let change = async |old: &str, new: &str| {
        profile::change_password(&ctx, &outbox(), passwords(), &secret(old), &secret(new)).await.map(drop)
    };
    for (old, new, field) in [("", NEW, "old_password"), ("wrong", NEW, "old_password"), (PASSWORD, "dana", "password")]
    {
        match change(old, new).await {
            Err(Error::Invalid(errors)) => assert_eq!(errors[0].field, field, "{old} {new}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(person(&world, phone).await.is_some());
    change(PASSWORD, NEW).await.unwrap();
    assert!(person(&world, phone).await.is_none(), "the other session has ended");
    assert!(person(&world, here).await.is_some(), "this one is exchanged by who called");
    assert!(is_right(&world, NEW).await && !is_right(&world, PASSWORD).await);
}
