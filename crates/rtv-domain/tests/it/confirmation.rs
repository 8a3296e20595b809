//! Freshness: how long a proof holds, and for whom.

use std::sync::Arc;

use chrono::TimeDelta;
use rtv_core::{Error, Role};
use rtv_domain::confirmation::{self, FRESH, Proof};
use rtv_domain::session::{self, SessionHash};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, sign_in};
use serde_json::json;

use crate::world::{PASSWORD, World, passwords, secret, vault};

#[tokio::test]
async fn a_proof_holds_five_minutes_and_only_for_its_session() {
    let world = World::new().await;
    let now = world.clock.now();
    let mut person = world.person("dana@example.org").await;
    let fresh =
        |person: &session::Person, at| world.context_at(at, Actor::Person(Arc::new(person.clone()))).require_fresh();
    person.proved_at = None;
    assert_eq!(fresh(&person, now), Err(Error::NotFresh), "a session from before proofs were kept");
    person.proved_at = Some(now);
    assert_eq!(fresh(&person, now + FRESH - TimeDelta::seconds(1)), Ok(()));
    assert_eq!(fresh(&person, now + FRESH), Err(Error::NotFresh));
    assert_eq!(world.operator().require_fresh(), Ok(()), "the machine knows who is at its command line");
    assert_eq!(world.context(Actor::Anonymous).require_fresh(), Err(Error::SignedOut));
    assert_eq!(world.worker().require_fresh(), Err(Error::NotFresh));
}

#[tokio::test]
async fn the_password_confirms_and_a_wrong_one_counts_and_is_logged() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let belongs = Belongs::Tenant { slug: "acme".into(), role: Role::Viewer.key().into() };
    user::create(&world.operator(), passwords(), "dana@example.org", None, &secret(PASSWORD), belongs).await.unwrap();
    let anonymous = world.context(Actor::Anonymous);
    let old = SessionHash::of(b"old");
    assert!(session::create(&anonymous, old, json!({}), world.clock.now() + session::ANONYMOUS).await.unwrap());
    let verified = sign_in::verify(&anonymous, passwords(), "dana@example.org", &secret(PASSWORD)).await.unwrap();
    sign_in::complete(&anonymous, verified, old).await.unwrap();
    let later = world.clock.now() + TimeDelta::hours(1);
    let person =
        session::identify(&world.context_at(later, Actor::Anonymous), old).await.unwrap().unwrap().person.unwrap();
    let ctx = world.context_at(later, Actor::Person(Arc::new(person)));
    assert_eq!(ctx.require_fresh(), Err(Error::NotFresh));
    let confirm = async |password: &str, code: &str| {
        let proof = Proof { password: secret(password), code: code.into() };
        confirmation::confirm(&ctx, passwords(), &vault(), &proof).await
    };
    for (password, code) in [("", ""), ("", "123456"), ("wrong", ""), ("wrong", "123456")] {
        let refused = confirm(password, code).await.unwrap_err();
        assert!(matches!(&refused, Error::Invalid(errors) if errors[0].field == "password"), "{refused:?}");
    }
    let verified = confirm(PASSWORD, "").await.unwrap();
    let new = SessionHash::of(b"new");
    assert!(session::create(&ctx, new, json!({}), later + session::ANONYMOUS).await.unwrap());
    sign_in::complete(&ctx, verified, new).await.unwrap();
    let person =
        session::identify(&world.context_at(later, Actor::Anonymous), new).await.unwrap().unwrap().person.unwrap();
    assert_eq!(world.context_at(later, Actor::Person(Arc::new(person))).require_fresh(), Ok(()));
    let log: Vec<_> =
        world.audit(Some(&acme)).await.into_iter().filter(|(action, _, _)| action == "user.confirm").collect();
    assert_eq!(log.iter().map(|(_, result, _)| result.as_str()).collect::<Vec<_>>(), ["denied", "denied", "success"]);
    for _ in 0..10 {
        assert!(confirm("wrong", "").await.is_err());
    }
    assert!(matches!(confirm(PASSWORD, "").await, Err(Error::Limit { .. })), "guessing is limited here as well");
}
