//! The outbox: what is written when, who reads it, and that nothing is handed over twice.

use std::sync::Arc;

use chrono::TimeDelta;
use rtv_core::{Error, MailId, Role};
use rtv_domain::invitation::{self, NewInvitation};
use rtv_domain::mail::{self, Handover, Outbox, State};
use rtv_domain::{Actor, Context};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::world::{World, outbox, vault};

fn sending() -> Outbox {
    Outbox::new(vault(), "https://rtv.example", false)
}

async fn invite(world: &World, outbox: &Outbox) -> MailId {
    let acme = match rtv_domain::tenant::list(&world.operator()).await.unwrap().into_iter().next() {
        Some(listed) => listed.tenant,
        None => world.tenant("acme", "UTC").await,
    };
    let ctx = world.member(&acme, Role::Owner).await;
    let email = format!("{}@example.org", Uuid::now_v7().simple());
    invitation::invite(&ctx, outbox, &NewInvitation { email, role: "viewer".into() }).await.unwrap();
    mail::list(&world.operator()).await.unwrap()[0].id
}

async fn state(world: &World, id: MailId) -> (State, bool) {
    let all = mail::list(&world.operator()).await.unwrap();
    let mut tx = world.marked("worker", None, None).await;
    let has_body = sqlx::query_scalar("select sealed_body is not null from mail where id = $1")
        .bind(id.uuid())
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    (all.into_iter().find(|mail| mail.id == id).unwrap().state, has_body)
}

fn worker(world: &World) -> Context {
    world.context(Actor::System("mail"))
}

async fn jobs(world: &World) -> i64 {
    let mut tx = world.marked("worker", None, None).await;
    sqlx::query_scalar("select count(*) from job where kind = 'mail.deliver'").fetch_one(&mut *tx).await.unwrap()
}

#[tokio::test]
async fn a_mail_and_its_job_exist_exactly_when_their_cause_does() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let ctx = world.member(&acme, Role::Owner).await;
    let new = NewInvitation { email: "dana@example.org".into(), role: "viewer".into() };
    invitation::invite(&ctx, &sending(), &new).await.unwrap();
    assert_eq!(jobs(&world).await, 1);
    // The address is invited already: refused after nothing was written.
    assert!(invitation::invite(&ctx, &sending(), &new).await.is_err());
    assert_eq!((jobs(&world).await, mail::list(&world.operator()).await.unwrap().len()), (1, 1));
}

#[tokio::test]
async fn a_stored_body_is_sealed_and_goes_when_the_mail_has_gone() {
    let world = World::new().await;
    let id = invite(&world, &sending()).await;
    let outgoing = mail::look(&worker(&world), &vault(), id).await.unwrap().unwrap();
    let text = outgoing.text.expose_secret();
    assert!(text.contains("https://rtv.example/invite/"), "{text}");
    let mut tx = world.marked("worker", None, None).await;
    let stored: Vec<u8> = sqlx::query_scalar("select sealed_body from mail").fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    assert!(!stored.windows(8).any(|part| text.as_bytes().windows(8).any(|other| part == other)), "sealed");

    assert_eq!(state(&world, id).await, (State::Waiting, true));
    assert!(mail::claim(&worker(&world), id).await.unwrap());
    assert_eq!(state(&world, id).await, (State::Sending, true));
    mail::settle(&worker(&world), id, &Handover::Accepted, false).await.unwrap();
    assert_eq!(state(&world, id).await, (State::Sent, false));
    assert!(mail::look(&worker(&world), &vault(), id).await.unwrap().is_none(), "it is not sent again");
    assert!(!mail::claim(&worker(&world), id).await.unwrap());
}

#[tokio::test]
async fn of_two_workers_one_hands_a_mail_over_and_an_unknown_end_is_not_repeated() {
    let world = World::new().await;
    let id = invite(&world, &sending()).await;
    let (one, other) = (worker(&world), worker(&world));
    assert!(mail::look(&one, &vault(), id).await.unwrap().is_some());
    assert!(mail::look(&other, &vault(), id).await.unwrap().is_some());
    let (first, second) = futures::join!(mail::claim(&one, id), mail::claim(&other, id));
    assert_eq!([first.unwrap(), second.unwrap()].iter().filter(|claimed| **claimed).count(), 1);
    // The worker that has it dies; the job comes back.
    assert!(mail::look(&other, &vault(), id).await.unwrap().is_none());
    assert_eq!(state(&world, id).await, (State::Uncertain, false));
}

#[tokio::test]
async fn what_the_server_did_not_take_waits_again_until_the_last_attempt() {
    let world = World::new().await;
    for (handover, is_last, expect) in [
        (Handover::TryAgain("busy".into()), false, (State::Waiting, true)),
        (Handover::TryAgain("busy".into()), true, (State::Failed, false)),
        (Handover::Refused("no such mailbox".into()), false, (State::Failed, false)),
        (Handover::Unknown("silence".into()), false, (State::Uncertain, false)),
    ] {
        let id = invite(&world, &sending()).await;
        // Once before the message was begun, once within it.
        for claims in [false, true] {
            let id = if claims { invite(&world, &sending()).await } else { id };
            if claims {
                assert!(mail::claim(&worker(&world), id).await.unwrap());
            }
            mail::settle(&worker(&world), id, &handover, is_last).await.unwrap();
            assert_eq!(state(&world, id).await, expect, "{handover:?} {is_last} {claims}");
        }
    }
}

#[tokio::test]
async fn caught_mail_is_read_by_staff_alone_and_each_reading_is_logged() {
    let world = World::new().await;
    let id = invite(&world, &outbox()).await;
    assert_eq!((jobs(&world).await, state(&world, id).await), (0, (State::Caught, true)));
    let (_, text) = mail::read(&world.operator(), &vault(), id).await.unwrap();
    assert!(text.unwrap().contains("/invite/"));
    let mut staff = world.person("staff@example.org").await;
    staff.is_staff = true;
    let ctx = world.context(Actor::Person(Arc::new(staff)));
    assert!(mail::read(&ctx, &vault(), id).await.is_ok());
    let read = world.audit(None).await.into_iter().filter(|(action, _, _)| action == "mail.read").count();
    assert_eq!(read, 2);
    let stranger = world.person("dana@example.org").await;
    for actor in [Actor::Anonymous, Actor::Person(Arc::new(stranger)), Actor::System("mail")] {
        let ctx = world.context(actor);
        assert_eq!(mail::list(&ctx).await, Err(Error::NotFound));
        assert_eq!(mail::read(&ctx, &vault(), id).await, Err(Error::NotFound));
    }
    // What is sent is not shown, also while it waits.
    let id = invite(&world, &sending()).await;
    assert_eq!(mail::read(&world.operator(), &vault(), id).await.unwrap().1, None);
    assert_eq!(mail::read(&world.operator(), &vault(), MailId::from(Uuid::now_v7())).await, Err(Error::NotFound));
}

#[tokio::test]
async fn old_mail_goes_and_what_waits_stays() {
    let world = World::new().await;
    let caught = invite(&world, &outbox()).await;
    let waiting = invite(&world, &sending()).await;
    let later = world.context_at(world.clock.now() + TimeDelta::days(31), Actor::System("sweep"));
    assert_eq!(mail::sweep(&world.worker()).await, Ok(0));
    assert_eq!(mail::sweep(&later).await, Ok(1));
    let left: Vec<MailId> = mail::list(&world.operator()).await.unwrap().into_iter().map(|mail| mail.id).collect();
    assert!(left == [waiting] && caught != waiting);
}
