//! Invitations: who may invite whom to what, what a link opens, and how often.

use std::sync::Arc;

use chrono::TimeDelta;
use rtv_core::{Error, GivenRole, InvitationId, Permission, Role};
use rtv_domain::invitation::{self, HOLDS, NewInvitation};
use rtv_domain::member::{self, Change};
use rtv_domain::role::{self, NewRole};
use rtv_domain::{Actor, Context, Tenant, TenantContext, access, user};
use uuid::Uuid;

use crate::world::{PASSWORD, World, outbox, passwords, secret};

fn new(email: &str, role: &str) -> NewInvitation {
    NewInvitation { email: email.into(), role: role.into() }
}

fn fields(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(errors) => errors.iter().map(|error| error.field.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

fn anonymous(world: &World) -> Context {
    world.context(Actor::Anonymous)
}

async fn token(world: &World, ctx: &TenantContext, email: &str, role: &str) -> (InvitationId, String) {
    let made = invitation::invite(ctx, &outbox(), &new(email, role)).await.unwrap();
    (made.id, world.token_to(made.email.as_str(), "/invite/").await)
}

async fn role_of(world: &World, tenant: &Tenant, email: &str) -> Option<Role> {
    let people = user::list(&world.operator(), Some(&tenant.slug)).await.unwrap();
    match people.into_iter().find(|one| one.email.as_str() == email)?.role? {
        GivenRole::BuiltIn(role) => Some(role),
        GivenRole::Custom(_) => None,
    }
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_hold() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    for inviter in Role::ALL {
        let ctx = world.member(&acme, inviter).await;
        for role in Role::ALL {
            let email = format!("{inviter}.{role}@example.org");
            let outcome = invitation::invite(&ctx, &outbox(), &new(&email, role.key())).await;
            let holds_more = Permission::ALL.iter().any(|one| role.grants(*one) && !inviter.grants(*one));
            match outcome {
                Ok(_) => assert!(inviter.grants(Permission::UsersInvite) && !holds_more, "{inviter} invites {role}"),
                Err(Error::Forbidden(Permission::UsersInvite)) => assert!(!inviter.grants(Permission::UsersInvite)),
                Err(error) => {
                    assert_eq!(fields(&error), ["role"]);
                    assert!(holds_more, "{inviter} may not invite {role}: {error}");
                }
            }
        }
    }
    let admin = world.member(&acme, Role::Admin).await;
    let roster = member::roster(&admin).await.unwrap();
    let roles: Vec<GivenRole> = invitation::roles(admin.access(), &roster).iter().map(|role| role.role).collect();
    assert_eq!(roles, [Role::Admin, Role::Editor, Role::Viewer].map(GivenRole::BuiltIn));
}

#[tokio::test]
async fn a_role_of_ones_own_is_given_by_invitation_by_who_holds_all_of_it() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let admin = world.member(&acme, Role::Admin).await;
    let made = async |name: &str, permissions: &[&str]| {
        let permissions = permissions.iter().map(|key| (*key).to_owned()).collect();
        let new = NewRole { name: name.into(), description: String::new(), permissions };
        role::create(&owner, &new).await.unwrap()
    };
    let (press, treasurer) =
        (made("Press", &["analytics:read", "content:read"]).await, made("Treasurer", &["billing:manage"]).await);
    let roster = member::roster(&admin).await.unwrap();
    let offered: Vec<String> = invitation::roles(admin.access(), &roster).into_iter().map(|role| role.name).collect();
    assert_eq!(offered, ["Admin", "Editor", "Viewer", "Press"]);
    let refused = invitation::invite(&admin, &outbox(), &new("rich@example.org", &treasurer.to_string())).await;
    assert_eq!(fields(&refused.unwrap_err()), ["role"]);
    let log = world.audit(Some(&acme)).await;
    let attempt = log.iter().find(|(action, ..)| action == "invitation.create").unwrap();
    assert_eq!(attempt.1, "denied");
    assert!(attempt.2.as_deref().unwrap().starts_with("Treasurer ("), "{attempt:?}");
    // A role of another tenant is none.
    let other = world.tenant("other", "UTC").await;
    let stranger = world.member(&other, Role::Owner).await;
    let refused = invitation::invite(&stranger, &outbox(), &new("rich@example.org", &press.to_string())).await;
    assert_eq!(fields(&refused.unwrap_err()), ["role"]);

    let (id, token) = token(&world, &admin, "sam@example.org", &press.to_string()).await;
    let (_, text) = world.mail_to("sam@example.org").await.unwrap();
    assert!(text.contains("as “Press”."), "{text}");
    let open = invitation::list(&admin).await.unwrap();
    assert_eq!((open[0].role, open[0].role_name.as_str()), (GivenRole::Custom(press), "Press"));
    assert_eq!(invitation::one(&admin, id).await.unwrap(), open[0]);
    // The role stays as long as a link gives it.
    let kept = role::delete(&owner, press, "1").await.unwrap_err();
    assert!(matches!(&kept, Error::Conflict(text) if text.contains("open invitation")), "{kept}");

    let offer = invitation::look(&anonymous(&world), &token).await.unwrap();
    assert_eq!((offer.role, offer.role_words.as_str()), (GivenRole::Custom(press), "“Press”"));
    invitation::accept_as_new(&anonymous(&world), passwords(), &token, "Sam", &secret(PASSWORD)).await.unwrap();
    let roster = member::roster(&owner).await.unwrap();
    let sam = roster.members.values().find(|one| one.email.as_str() == "sam@example.org").unwrap();
    assert_eq!(sam.role, GivenRole::Custom(press));

    // Nobody renews what they no longer hold all of: the role has grown since.
    invitation::invite(&admin, &outbox(), &new("kim@example.org", &press.to_string())).await.unwrap();
    let grown = NewRole {
        name: "Press".into(),
        description: String::new(),
        permissions: vec!["content:read".into(), "billing:manage".into()],
    };
    role::update(&owner, press, &grown, "1").await.unwrap();
    let open = invitation::list(&admin).await.unwrap();
    let again = invitation::send_again(&admin, &outbox(), open[0].id).await.unwrap_err();
    assert!(matches!(&again, Error::Conflict(text) if text.contains("“Press”")), "{again}");

    // What was revoked holds no role back.
    invitation::revoke(&admin, open[0].id).await.unwrap();
    let change = Change { role: "viewer".into(), permissions: Vec::new(), version: "1".into() };
    member::change(&owner, sam.id, &change).await.unwrap();
    role::delete(&owner, press, "2").await.unwrap();
}

#[tokio::test]
async fn somebody_new_accepts_with_a_name_and_a_password_and_signs_in() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let (_, token) = token(&world, &owner, "dana@example.org", "editor").await;
    let ctx = anonymous(&world);
    let offer = invitation::look(&ctx, &token).await.unwrap();
    assert_eq!(
        (offer.tenant.as_str(), offer.role, offer.email.as_str(), offer.has_account),
        ("The acme", GivenRole::BuiltIn(Role::Editor), "dana@example.org", false)
    );
    let accept = async |name: &str, password: &str| {
        invitation::accept_as_new(&ctx, passwords(), &token, name, &secret(password)).await
    };
    assert_eq!(fields(&accept(" ", "short").await.unwrap_err()), ["name", "password"], "all at once");
    assert_eq!(fields(&accept("Dana", "password1234").await.unwrap_err()), ["password"], "too easy to guess");
    let (offer, verified) = accept("Dana", PASSWORD).await.unwrap();
    assert!(offer.slug == acme.slug && !verified.needs_code());
    assert_eq!(role_of(&world, &acme, "dana@example.org").await, Some(Role::Editor));
    assert!(rtv_domain::sign_in::verify(&ctx, passwords(), "dana@example.org", &secret(PASSWORD)).await.is_ok());
    assert_eq!(accept("Dana", PASSWORD).await.unwrap_err(), Error::NotFound, "once");
    let log: Vec<String> = world.audit(Some(&acme)).await.into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(
        log.iter().filter(|action| action.starts_with("invitation.")).collect::<Vec<_>>(),
        ["invitation.create", "invitation.accept"]
    );
}

#[tokio::test]
async fn somebody_with_an_account_accepts_as_that_person_and_nobody_else_does() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let dana = world.person("dana@example.org").await;
    let eve = world.person("eve@example.org").await;
    let (_, token) = token(&world, &owner, "Dana@Example.org", "viewer").await;
    assert!(invitation::look(&anonymous(&world), &token).await.unwrap().has_account);
    let stolen = invitation::accept_as_new(&anonymous(&world), passwords(), &token, "Eve", &secret(PASSWORD)).await;
    assert!(matches!(stolen, Err(Error::Conflict(_))), "the account keeps its password");
    assert_eq!(invitation::accept(&anonymous(&world), &token).await, Err(Error::SignedOut));
    let foreign = invitation::accept(&world.context(Actor::Person(Arc::new(eve))), &token).await;
    assert!(matches!(foreign, Err(Error::Conflict(text)) if text.contains("dana@example.org")));
    assert_eq!(role_of(&world, &acme, "eve@example.org").await, None);
    let ctx = world.context(Actor::Person(Arc::new(dana)));
    invitation::accept(&ctx, &token).await.unwrap();
    assert_eq!(role_of(&world, &acme, "dana@example.org").await, Some(Role::Viewer));
    assert!(access::enter(&ctx, "acme").await.is_ok());
    assert_eq!(invitation::accept(&ctx, &token).await, Err(Error::NotFound), "once");
}

#[tokio::test]
async fn used_expired_revoked_replaced_and_unknown_links_answer_alike() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let (_, used) = token(&world, &owner, "used@example.org", "viewer").await;
    invitation::accept_as_new(&anonymous(&world), passwords(), &used, "Used", &secret(PASSWORD)).await.unwrap();
    let (id, revoked) = token(&world, &owner, "revoked@example.org", "viewer").await;
    invitation::revoke(&owner, id).await.unwrap();
    let (id, replaced) = token(&world, &owner, "replaced@example.org", "viewer").await;
    let person = owner.context().person().unwrap().clone();
    let later = world.context_at(world.clock.now() + TimeDelta::minutes(1), Actor::Person(Arc::new(person)));
    let later = access::enter(&later, "acme").await.unwrap();
    invitation::send_again(&later, &outbox(), id).await.unwrap();
    let newest = world.token_to("replaced@example.org", "/invite/").await;
    assert_ne!(newest, replaced);
    assert!(invitation::look(&anonymous(&world), &newest).await.is_ok());
    let (_, expired) = token(&world, &owner, "expired@example.org", "viewer").await;
    let now = world.clock.now();
    let check = async |ctx: &Context, token: &str, what: &str| {
        assert_eq!(invitation::look(ctx, token).await, Err(Error::NotFound), "{what}");
        let new = invitation::accept_as_new(ctx, passwords(), token, "Eve", &secret(PASSWORD)).await.map(drop);
        assert_eq!(new, Err(Error::NotFound), "{what}");
    };
    let ctx = anonymous(&world);
    for (token, what) in [(&used, "used"), (&revoked, "revoked"), (&replaced, "replaced")] {
        check(&ctx, token, what).await;
    }
    for unknown in ["", "-", &"0".repeat(64), "'; drop table invitation; --"] {
        check(&ctx, unknown, "unknown").await;
    }
    let nearly = world.context_at(now + HOLDS - TimeDelta::seconds(1), Actor::Anonymous);
    assert!(invitation::look(&nearly, &expired).await.is_ok());
    check(&world.context_at(now + HOLDS, Actor::Anonymous), &expired, "expired").await;
}

#[tokio::test]
async fn only_one_of_many_who_accept_at_once_is_let_in() {
    let world = World::with_connections(8).await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let (_, token) = token(&world, &owner, "dana@example.org", "viewer").await;
    let attempts = (0..4).map(|number| {
        let (ctx, token) = (anonymous(&world), token.clone());
        async move {
            let name = format!("Dana {number}");
            invitation::accept_as_new(&ctx, passwords(), &token, &name, &secret(PASSWORD)).await.map(drop)
        }
    });
    let outcomes = futures::future::join_all(attempts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(Error::NotFound | Error::Conflict(_)))),
        "{outcomes:?}"
    );
    let people = user::list(&world.operator(), Some(&acme.slug)).await.unwrap();
    assert_eq!(people.iter().filter(|one| one.email.as_str() == "dana@example.org").count(), 1);
}

#[tokio::test]
async fn members_and_invited_addresses_are_refused_and_an_expired_invitation_makes_room() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let dana = world.person("dana@example.org").await;
    world.join(&dana, &acme, Role::Viewer).await;
    let refused = invitation::invite(&owner, &outbox(), &new("dana@example.org", "viewer")).await.unwrap_err();
    assert!(fields(&refused) == ["email"] && refused.to_string().contains("member"), "{refused}");
    let refused = invitation::invite(&owner, &outbox(), &new("no address", "king")).await.unwrap_err();
    assert_eq!(fields(&refused), ["email", "role"]);
    let first = invitation::invite(&owner, &outbox(), &new("sam@example.org", "viewer")).await.unwrap();
    let refused = invitation::invite(&owner, &outbox(), &new("sam@example.org", "editor")).await.unwrap_err();
    assert!(fields(&refused) == ["email"] && refused.to_string().contains("invited already"), "{refused}");
    let person = owner.context().person().unwrap().clone();
    let later = world.context_at(world.clock.now() + HOLDS, Actor::Person(Arc::new(person)));
    let later = access::enter(&later, "acme").await.unwrap();
    assert!(invitation::list(&later).await.unwrap()[0].is_expired);
    let second = invitation::invite(&later, &outbox(), &new("sam@example.org", "editor")).await.unwrap();
    let open = invitation::list(&later).await.unwrap();
    assert!(open.len() == 1 && open[0].id == second.id && second.id != first.id, "{open:?}");
}

#[tokio::test]
async fn mails_of_an_invitation_and_of_a_tenant_have_limits() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let (id, _) = token(&world, &owner, "dana@example.org", "viewer").await;
    let again = invitation::send_again(&owner, &outbox(), id).await.unwrap_err();
    assert!(matches!(again, Error::Limit { seconds: 60, .. }), "{again:?}");
    let person = owner.context().person().unwrap().clone();
    for count in 1..=10 {
        let now = world.clock.now() + TimeDelta::minutes(count);
        let later =
            access::enter(&world.context_at(now, Actor::Person(Arc::new(person.clone()))), "acme").await.unwrap();
        let outcome = invitation::send_again(&later, &outbox(), id).await;
        assert_eq!(outcome.is_ok(), count < 10, "{count}: {outcome:?}");
    }
    world
        .execute(
            &acme,
            "insert into invitation (tenant_id, id, email, role, token_hash, inviter_name, sent_at, expires_at)
             select rtv_tenant(), gen_random_uuid(), n || '@example.org', 'viewer', '\\x00', 'x', '2026-11-21T08:30:00Z', '2026-11-28T08:30:00Z'
             from generate_series(1, 99) as n",
        )
        .await;
    let limited = invitation::invite(&owner, &outbox(), &new("sam@example.org", "viewer")).await.unwrap_err();
    assert!(matches!(limited, Error::Limit { .. }), "{limited:?}");
}

#[tokio::test]
async fn invitations_of_others_are_like_none() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let owner = world.member(&acme, Role::Owner).await;
    let stranger = world.member(&other, Role::Owner).await;
    let (id, _) = token(&world, &owner, "dana@example.org", "viewer").await;
    assert_eq!(invitation::list(&stranger).await, Ok(Vec::new()));
    for id in [id, InvitationId::from(Uuid::now_v7())] {
        assert_eq!(invitation::revoke(&stranger, id).await, Err(Error::NotFound));
        assert_eq!(invitation::send_again(&stranger, &outbox(), id).await, Err(Error::NotFound));
    }
    assert_eq!(invitation::list(&owner).await.unwrap().len(), 1);
    // An admin cannot renew what an owner gave away and they could not.
    let (id, _) = token(&world, &owner, "second@example.org", "owner").await;
    let admin = world.member(&acme, Role::Admin).await;
    assert!(matches!(invitation::send_again(&admin, &outbox(), id).await, Err(Error::Conflict(_))));
}
