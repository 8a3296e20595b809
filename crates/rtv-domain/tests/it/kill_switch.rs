//! Kill switches: who halts and who resumes, that a flip is one small update, that nothing is shown sooner than it is known, and
//! what a release does to what is overdue.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rtv_core::{
    Action, DeliveryId, Error, HaltId, Operation, Permission, Platform, ReasonKind, Role, Scope, SwitchId, TenantId,
};
use rtv_domain::kill_switch::lease::{self, SenderIdentity};
use rtv_domain::kill_switch::{
    self as switch, Asked, Choice, ChoiceWords, End, PlanWords, Ramp, ReleaseRequest, ScopeWords, Side, State, Why,
    local_file, record, reminder,
};
use rtv_domain::session::Person;
use rtv_domain::{Actor, Context, Tenant, TenantContext, access, life_cycle, maintenance};
use uuid::Uuid;

use crate::world::{World, outbox, set_markers};

const NO_RAMP: Ramp = Ramp { step: Duration::ZERO };

/// An account as plain rows, with what a delivery needs.
async fn account(world: &World, tenant: &Tenant, platform: Platform, name: &str) -> Uuid {
    let id = Uuid::now_v7();
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query("insert into account (tenant_id, id, platform, external_id, name) values ($1, $2, $3, $4, $4)")
        .bind(tenant.id.uuid())
        .bind(id)
        .bind(platform.key())
        .bind(name)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

async fn campaign(world: &World, tenant: &Tenant, name: &str) -> Uuid {
    let id = Uuid::now_v7();
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query("insert into campaign (tenant_id, id, name) values ($1, $2, $3)")
        .bind(tenant.id.uuid())
        .bind(id)
        .bind(name)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

/// An approved delivery in a state; a held one is held by the switch.
async fn delivery(
    world: &World,
    tenant: &Tenant,
    account: Uuid,
    state: &str,
    due_at: DateTime<Utc>,
    held_by: Option<SwitchId>,
) -> Uuid {
    let (content, id) = (Uuid::now_v7(), Uuid::now_v7());
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query(
        "insert into content (tenant_id, id, body, created_by, changed_by) values ($1, $2, 'Hello', 'somebody', 'somebody')",
    )
    .bind(tenant.id.uuid())
    .bind(content)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        r"
        insert into delivery (
          tenant_id, id, content_id, account_id, platform, state, scheduled_at, due_at, approved_sha256, approved_at,
          approved_by, hold_reason, held_by_switch, held_at
        )
        select $1, $2, $3, $4, platform, $5, $6, $6, decode(repeat('07', 32), 'hex'), $6, 'somebody',
          case when $5 = 'held' then 'switch' end, $7, case when $5 = 'held' then $6 end
        from account
        where tenant_id = $1 and id = $4
        ",
    )
    .bind(tenant.id.uuid())
    .bind(id)
    .bind(content)
    .bind(account)
    .bind(state)
    .bind(due_at)
    .bind(held_by.map(SwitchId::uuid))
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    id
}

/// An attempt that is being sent now, by the database's clock.
async fn attempt(world: &World, tenant: &Tenant, delivery: Uuid, account: Uuid, sender: &SenderIdentity) {
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query(
        r"
        insert into attempt (
          tenant_id, delivery_id, attempt_no, account_id, platform, state, permit, sender_id, text_sha256, idempotency_key,
          switch_epoch, claimed_at, sending_at, deadline_at, first_byte_at
        )
        select $1, $2, 1, $3, platform, 'sending', $4, $5, decode(md5($2::text), 'hex'), 'key', 0,
          clock_timestamp() - interval '1 second', clock_timestamp() - interval '1 second',
          clock_timestamp() + interval '30 seconds', clock_timestamp() - interval '500 milliseconds'
        from account
        where tenant_id = $1 and id = $3
        ",
    )
    .bind(tenant.id.uuid())
    .bind(delivery)
    .bind(account)
    .bind(Uuid::now_v7())
    .bind(sender.id.uuid())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

async fn state_of(world: &World, tenant: &Tenant, id: Uuid) -> (String, DateTime<Utc>, Option<DateTime<Utc>>) {
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query_as("select state, due_at, not_before from delivery where id = $1")
        .bind(id)
        .fetch_one(&mut *tx)
        .await
        .unwrap()
}

impl World {
    async fn staff(&self, email: &str) -> Context {
        let mut person = self.person(email).await;
        person.is_staff = true;
        let mut tx = self.marked("staff", None, None).await;
        sqlx::query("insert into staff_member (user_id) values ($1)")
            .bind(person.id.uuid())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.context(Actor::Person(Arc::new(person)))
    }

    pub(crate) fn gate(&self) -> Context {
        self.context(Actor::System("gate"))
    }

    async fn read(&self, sender: &SenderIdentity) -> lease::Reading {
        lease::renew(&self.gate(), sender, |_| ()).await.unwrap()
    }
}

fn person_of(ctx: &TenantContext) -> Person {
    ctx.context().person().unwrap().clone()
}

fn whole(tenant: &Tenant) -> Scope {
    Scope::Part { tenant: Some(tenant.id), platform: None, action: None }
}

fn on(platform: Platform) -> Scope {
    Scope::Part { tenant: None, platform: Some(platform), action: None }
}

fn why(note: &str) -> Why {
    Why { reason: "crisis".into(), note: note.into(), ..Why::default() }
}

fn request(typed: &str, what: &str) -> ReleaseRequest {
    let all = ChoiceWords { what: what.into(), ..ChoiceWords::default() };
    ReleaseRequest { typed: typed.into(), reason: "It is over".into(), plan: PlanWords { all, groups: Vec::new() } }
}

async fn engaged(side: Side<'_>) -> Vec<String> {
    switch::list(side).await.unwrap().into_iter().map(|one| one.name).collect()
}

/// Releases what takes one person.
async fn release(side: Side<'_>, id: SwitchId, typed: &str) -> Result<Asked, Error> {
    switch::ask_release(side, id, &request(typed, "drop"), NO_RAMP).await
}

#[tokio::test]
async fn there_is_a_switch_for_every_combination_before_it_is_needed() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let spring = campaign(&world, &acme, "Spring").await;
    let gate = world.gate();
    let mut scopes = vec![
        Scope::Everything,
        Scope::Account { tenant: acme.id, account: page.into() },
        Scope::Campaign { tenant: acme.id, campaign: spring.into() },
    ];
    for tenant in [None, Some(acme.id)] {
        for platform in Platform::ALL.map(Some).into_iter().chain([None]) {
            for action in Action::ALL.map(Some).into_iter().chain([None]) {
                scopes.push(Scope::Part { tenant, platform, action });
            }
        }
    }
    for scope in &scopes {
        let done = switch::engage_by_automation(&gate, scope, ReasonKind::Other, "").await;
        assert!(done.is_ok_and(|done| !done.was_engaged), "{scope:?}");
    }
    assert_eq!(world.read(&SenderIdentity::new("one")).await.engaged.len(), scopes.len());
    let nobody = Scope::Account { tenant: acme.id, account: Uuid::now_v7().into() };
    assert_eq!(switch::engage_by_automation(&gate, &nobody, ReasonKind::Other, "").await, Err(Error::NotFound));
}

#[tokio::test]
async fn who_may_halt_is_staff_everything_and_a_tenants_people_what_is_the_tenants() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::X, "page").await;
    let foreign = account(&world, &other, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let side = Side::Tenant(&admin);
    for scope in [
        whole(&acme),
        Scope::Part { tenant: Some(acme.id), platform: Some(Platform::X), action: Some(Action::Publish) },
        Scope::Account { tenant: acme.id, account: page.into() },
    ] {
        assert!(!switch::engage(side, &scope, &Why::default()).await.unwrap().was_engaged, "{scope:?}");
    }
    for scope in [
        Scope::GLOBAL,
        Scope::Everything,
        Scope::Drill,
        on(Platform::X),
        whole(&other),
        Scope::Account { tenant: other.id, account: foreign.into() },
        Scope::Account { tenant: acme.id, account: foreign.into() },
    ] {
        assert_eq!(switch::engage(side, &scope, &Why::default()).await, Err(Error::NotFound), "{scope:?}");
    }
    for role in [Role::Editor, Role::Viewer] {
        let member = world.member(&acme, role).await;
        let refused = switch::engage(Side::Tenant(&member), &whole(&acme), &Why::default()).await;
        assert_eq!(refused, Err(Error::Forbidden(Permission::SwitchesEngage)), "{role}");
    }
    // Staff need no proof to halt, and are told apart from everybody else.
    let mut staff = world.person("staff@rtv.example").await;
    (staff.is_staff, staff.proved_at) = (true, None);
    let staff = world.context(Actor::Person(Arc::new(staff)));
    for scope in [Scope::GLOBAL, Scope::Everything, on(Platform::X), whole(&other)] {
        assert!(
            !switch::engage(Side::Operator(&staff), &scope, &Why::default()).await.unwrap().was_engaged,
            "{scope:?}"
        );
    }
    assert_eq!(switch::engage(Side::Operator(&staff), &Scope::Drill, &Why::default()).await, Err(Error::NotFound));
    let outsider = Side::Operator(admin.context());
    assert_eq!(switch::engage(outsider, &Scope::GLOBAL, &Why::default()).await, Err(Error::NotFound));
    assert_eq!(switch::list(outsider).await, Err(Error::NotFound));
}

#[tokio::test]
async fn what_staff_halted_only_staff_resume_and_what_a_tenant_halted_only_the_tenant() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let admin = world.member(&acme, Role::Admin).await;
    let staff = world.staff("staff@rtv.example").await;
    let (inside, above) = (Side::Tenant(&admin), Side::Operator(&staff));
    let id = switch::engage(above, &scope, &why("staff")).await.unwrap().switch;
    assert!(matches!(release(inside, id, "The acme / page").await, Err(Error::Conflict(_))));
    assert!(matches!(release(above, id, "The acme / page").await, Ok(Asked::Released(_))));
    switch::engage(inside, &scope, &why("tenant")).await.unwrap();
    assert!(matches!(release(above, id, "The acme / page").await, Err(Error::Conflict(_))));
    assert!(matches!(release(inside, id, "The acme / page").await, Ok(Asked::Released(_))));
    // A guard of the tenant's is the tenant's to resume.
    switch::engage_by_automation(&world.gate(), &scope, ReasonKind::WrongAccount, "author differs").await.unwrap();
    let editor = world.member(&acme, Role::Editor).await;
    let refused = release(Side::Tenant(&editor), id, "The acme / page").await;
    assert_eq!(refused, Err(Error::Forbidden(Permission::SwitchesRelease)));
    assert!(matches!(release(inside, id, "The acme / page").await, Ok(Asked::Released(_))));
    // Staff who halt what a tenant has halted keep it halted until staff resume it.
    let first = switch::engage(inside, &scope, &why("first")).await.unwrap();
    let joined = switch::engage(above, &scope, &why("second")).await.unwrap();
    assert!(joined.was_engaged);
    assert_eq!((joined.halt, &joined.by), (first.halt, &first.by));
    assert!(matches!(release(inside, id, "The acme / page").await, Err(Error::Conflict(_))));
    assert!(matches!(release(above, id, "The acme / page").await, Ok(Asked::Released(_))));
    // The operator's own switches are not a tenant's to resume.
    let global = switch::engage(above, &Scope::GLOBAL, &Why::default()).await.unwrap().switch;
    assert!(matches!(release(inside, global, "Global").await, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn engaging_what_is_engaged_keeps_the_first_facts_and_says_who_it_was() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let first = switch::engage(Side::Tenant(&one), &whole(&acme), &why("first")).await.unwrap();
    let again = switch::engage(Side::Tenant(&two), &whole(&acme), &why("second")).await.unwrap();
    assert!(!first.was_engaged && again.was_engaged);
    assert_eq!((again.switch, again.halt, again.epoch), (first.switch, first.halt, first.epoch + 1));
    assert_eq!(again.by, person_of(&one).email.to_string());
    let auto = switch::engage_by_automation(&world.gate(), &whole(&acme), ReasonKind::Other, "x").await.unwrap();
    assert_eq!((auto.was_engaged, auto.halt), (true, first.halt));
    let found = switch::list(Side::Tenant(&two)).await.unwrap().remove(0);
    assert_eq!((found.facts.note.as_deref(), found.epoch), (Some("first"), 2));
}

#[tokio::test]
async fn a_release_takes_two_people_who_have_both_just_proved_who_they_are() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let id = switch::engage(Side::Tenant(&one), &whole(&acme), &why("")).await.unwrap().switch;
    let stale = {
        let mut person = person_of(&one);
        person.proved_at = Some(world.clock.now() - TimeDelta::minutes(6));
        world.enter(&person, &acme).await
    };
    assert_eq!(release(Side::Tenant(&stale), id, "The acme").await, Err(Error::NotFresh));
    let Ok(Asked::Waits { release: asked, expires_at }) = release(Side::Tenant(&one), id, "the ACME").await else {
        panic!("one person was enough")
    };
    assert_eq!(expires_at, world.clock.now() + TimeDelta::minutes(10));
    // The same person in another session, and one who has not proved who they are.
    let again = {
        let mut person = person_of(&one);
        person.session = Uuid::now_v7();
        world.enter(&person, &acme).await
    };
    for own in [&one, &again] {
        let refused = switch::approve_release(Side::Tenant(own), asked, NO_RAMP).await;
        assert!(matches!(&refused, Err(Error::Conflict(text)) if text.contains("second person")), "{refused:?}");
        assert!(switch::asked(Side::Tenant(own), asked).await.unwrap().is_own);
    }
    let stale = {
        let mut person = person_of(&two);
        person.proved_at = None;
        world.enter(&person, &acme).await
    };
    assert_eq!(switch::approve_release(Side::Tenant(&stale), asked, NO_RAMP).await, Err(Error::NotFresh));
    let editor = world.member(&acme, Role::Editor).await;
    let refused = switch::approve_release(Side::Tenant(&editor), asked, NO_RAMP).await;
    assert_eq!(refused, Err(Error::Forbidden(Permission::SwitchesRelease)));
    assert_eq!(engaged(Side::Tenant(&one)).await, ["The acme"]);
    let done = switch::approve_release(Side::Tenant(&two), asked, NO_RAMP).await;
    assert!(matches!(done, Ok(Asked::Released(_))), "{done:?}");
    assert_eq!(engaged(Side::Tenant(&one)).await, Vec::<String>::new());
    assert_eq!(switch::approve_release(Side::Tenant(&two), asked, NO_RAMP).await, Err(Error::NotFound));
    let page = switch::history(Side::Tenant(&one), None).await.unwrap();
    assert_eq!(page.items[0].released_by, Some(person_of(&one).email.to_string()));
    assert_eq!(page.items[0].approved_by, Some(person_of(&two).email.to_string()));
}

#[tokio::test]
async fn an_approval_holds_for_that_switch_at_that_epoch_and_for_ten_minutes() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let (side, other) = (Side::Tenant(&one), Side::Tenant(&two));
    let id = switch::engage(side, &whole(&acme), &why("")).await.unwrap().switch;
    let ask = async || match release(side, id, "The acme").await.unwrap() {
        Asked::Waits { release, .. } => release,
        Asked::Released(_) => panic!("one person was enough"),
    };
    let first = ask().await;
    let second = ask().await;
    assert_eq!(switch::approve_release(other, first, NO_RAMP).await, Err(Error::NotFound), "it was replaced");
    // Released and engaged again by others: the approval is of another epoch.
    let mut tx = world.marked("gate", None, None).await;
    sqlx::query("update kill_switch set epoch = epoch + 2 where id = $1")
        .bind(id.uuid())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(switch::approve_release(other, second, NO_RAMP).await, Err(Error::NotFound));
    let third = ask().await;
    switch::withdraw_release(other, third).await.unwrap();
    assert_eq!(switch::approve_release(other, third, NO_RAMP).await, Err(Error::NotFound));
    let fourth = ask().await;
    let late = {
        let mut person = person_of(&two);
        let now = world.clock.now() + TimeDelta::minutes(10);
        person.proved_at = Some(now);
        let ctx = world.context_at(now, Actor::Person(Arc::new(person)));
        access::enter(&ctx, "acme").await.unwrap()
    };
    assert_eq!(switch::approve_release(Side::Tenant(&late), fourth, NO_RAMP).await, Err(Error::NotFound));
    assert_eq!(engaged(side).await, ["The acme"]);
    assert!(matches!(switch::approve_release(other, fourth, NO_RAMP).await, Ok(Asked::Released(_))));
}

#[tokio::test]
async fn whoever_halts_what_is_halted_voids_a_release_that_was_asked_for_before() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let id = switch::engage(Side::Tenant(&one), &whole(&acme), &why("first")).await.unwrap().switch;
    let Ok(Asked::Waits { release: asked, .. }) = release(Side::Tenant(&one), id, "The acme").await else {
        panic!("one was enough")
    };
    // A guard repeats itself and voids nothing; a person does.
    switch::engage_by_automation(&world.gate(), &whole(&acme), ReasonKind::Other, "").await.unwrap();
    assert!(switch::asked(Side::Tenant(&two), asked).await.is_ok());
    assert!(switch::engage(Side::Tenant(&two), &whole(&acme), &why("again")).await.unwrap().was_engaged);
    assert_eq!(switch::approve_release(Side::Tenant(&two), asked, NO_RAMP).await, Err(Error::NotFound));
    assert_eq!(engaged(Side::Tenant(&one)).await, ["The acme"]);
    record::record(&world.gate()).await.unwrap();
    assert_eq!(switch::history(Side::Tenant(&one), None).await.unwrap().items.len(), 1, "it is one halt");
}

#[tokio::test]
async fn what_became_of_a_request_is_told_to_those_who_could_see_it() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let (side, second) = (Side::Tenant(&one), Side::Tenant(&two));
    let name = |ctx: &TenantContext| person_of(ctx).email.to_string();
    let halt = switch::engage(side, &whole(&acme), &why("first")).await.unwrap();
    record::record(&world.gate()).await.unwrap();
    let ask = async || match release(side, halt.switch, "The acme").await.unwrap() {
        Asked::Waits { release, .. } => release,
        Asked::Released(_) => panic!("one person was enough"),
    };
    let replaced = ask().await;
    assert_eq!(switch::ended(side, replaced).await, Err(Error::NotFound), "it waits still");
    let withdrawn = ask().await;
    let found = switch::ended(second, replaced).await.unwrap();
    assert_eq!((found.name.as_str(), found.by.as_str(), found.is_engaged), ("The acme", name(&one).as_str(), true));
    assert_eq!((found.halt, found.switch), (Some(halt.halt), halt.switch));
    assert!(
        matches!(&found.end, End::Replaced { by, newest, .. } if *by == name(&one) && *newest == Some(withdrawn)),
        "{found:?}"
    );
    switch::withdraw_release(second, withdrawn).await.unwrap();
    let found = switch::ended(side, withdrawn).await.unwrap();
    assert!(matches!(&found.end, End::Withdrawn { by, .. } if *by == name(&two)), "{found:?}");
    // Whoever halts what is halted voids it, and time does.
    let voided = ask().await;
    switch::engage(second, &whole(&acme), &why("again")).await.unwrap();
    assert_eq!(switch::ended(side, voided).await.unwrap().end, End::HaltedAgain);
    let waiting = ask().await;
    let later = {
        let now = world.clock.now() + TimeDelta::minutes(10);
        let ctx = world.context_at(now, Actor::Person(Arc::new(person_of(&two))));
        access::enter(&ctx, "acme").await.unwrap()
    };
    let found = switch::ended(Side::Tenant(&later), waiting).await.unwrap();
    assert_eq!(found.end, End::Expired { at: found.at + TimeDelta::minutes(10) });
    assert_eq!(switch::ended(side, waiting).await, Err(Error::NotFound), "now it waits");
    assert!(matches!(switch::approve_release(second, waiting, NO_RAMP).await, Ok(Asked::Released(_))));
    for side in [side, Side::Tenant(&later)] {
        let found = switch::ended(side, waiting).await.unwrap();
        let End::Released { first, by, .. } = &found.end else { panic!("{found:?}") };
        assert_eq!((first.clone(), by.clone(), found.is_engaged), (Some(name(&one)), name(&two), false));
    }
    // To others it never was, nor to whoever may not look.
    let stranger = world.member(&other, Role::Owner).await;
    assert_eq!(switch::ended(Side::Tenant(&stranger), waiting).await, Err(Error::NotFound));
    let viewer = world.member(&acme, Role::Viewer).await;
    assert_eq!(switch::ended(Side::Tenant(&viewer), waiting).await, Err(Error::Forbidden(Permission::SwitchesRead)));
    assert_eq!(switch::ended(side, Uuid::now_v7().into()).await, Err(Error::NotFound));
    let staff = world.staff("operator@rtv.example").await;
    assert!(switch::ended(Side::Operator(&staff), waiting).await.is_ok());
}

#[tokio::test]
async fn a_request_that_a_person_overtook_says_so() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let id = switch::engage(Side::Tenant(&one), &scope, &why("")).await.unwrap().switch;
    // A request that waits, as a program makes one; one person releases the switch meanwhile.
    let request = Uuid::now_v7();
    let mut tx = world.as_tenant(&acme).await;
    sqlx::query(
        "insert into switch_release (tenant_id, id, switch_id, epoch, reason, plan, asked_at, expires_at, asked_by, is_staff)
         select tenant_id, $2, id, epoch, 'It is over', '{}', $3, $3 + interval '10 minutes', 'key', false
         from kill_switch where id = $1",
    )
    .bind(id.uuid())
    .bind(request)
    .bind(world.clock.now())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let name = switch::one(Side::Tenant(&one), id).await.unwrap().name;
    assert!(matches!(release(Side::Tenant(&two), id, &name).await, Ok(Asked::Released(_))));
    let found = switch::ended(Side::Tenant(&one), request.into()).await.unwrap();
    assert!(matches!(&found.end, End::Overtaken { by, .. } if *by == person_of(&two).email.to_string()), "{found:?}");
}

#[tokio::test]
async fn inside_a_tenant_its_whole_is_wider_than_a_platform_of_all() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let staff = world.staff("operator@rtv.example").await;
    let operator = Side::Operator(&staff);
    for scope in [on(Platform::X), whole(&acme)] {
        switch::engage(operator, &scope, &why("")).await.unwrap();
    }
    assert_eq!(engaged(Side::Tenant(&owner)).await, ["The acme", "X"]);
    assert_eq!(engaged(operator).await, ["X", "The acme"]);
    switch::engage(operator, &Scope::GLOBAL, &why("")).await.unwrap();
    assert_eq!(engaged(Side::Tenant(&owner)).await, ["Global", "The acme", "X"]);
}

#[tokio::test]
async fn automation_halts_and_never_resumes() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let gate = world.gate();
    let done =
        switch::engage_by_automation(&gate, &scope, ReasonKind::WrongAccount, "it answers as another").await.unwrap();
    let side = Side::Operator(&gate);
    assert_eq!(release(side, done.switch, "The acme / page").await, Err(Error::NotFound));
    assert_eq!(switch::approve_release(side, Uuid::now_v7().into(), NO_RAMP).await, Err(Error::NotFresh));
    let admin = world.member(&acme, Role::Admin).await;
    let found = switch::one(Side::Tenant(&admin), done.switch).await.unwrap();
    assert!(found.facts.is_automatic && !found.facts.is_staff);
    // Whoever is no machine of ours has no such way.
    let refused = switch::engage_by_automation(admin.context(), &scope, ReasonKind::Other, "").await;
    assert_eq!(refused, Err(Error::NotFound));
}

#[tokio::test]
async fn switches_that_overlap_are_independent() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let staff = world.staff("staff@rtv.example").await;
    let (inside, above) = (Side::Tenant(&admin), Side::Operator(&staff));
    let narrow = Scope::Account { tenant: acme.id, account: page.into() };
    switch::engage(above, &on(Platform::X), &Why::default()).await.unwrap();
    switch::engage(inside, &whole(&acme), &Why::default()).await.unwrap();
    let id = switch::engage(inside, &narrow, &Why::default()).await.unwrap().switch;
    assert_eq!(engaged(inside).await, ["The acme", "X", "The acme / page"]);
    release(inside, id, "The acme / page").await.unwrap();
    assert_eq!(engaged(inside).await, ["The acme", "X"]);
}

#[tokio::test]
async fn a_halt_works_in_a_suspended_tenant_and_during_maintenance_and_a_release_does_not() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let person = person_of(&world.member(&acme, Role::Admin).await);
    life_cycle::take(&world.operator(), &acme.slug, life_cycle::Step::Suspend, Some("Bill"), None).await.unwrap();
    let suspended = world.enter(&person, &acme).await;
    let id = switch::engage(Side::Tenant(&suspended), &scope, &Why::default()).await.unwrap().switch;
    assert!(matches!(release(Side::Tenant(&suspended), id, "The acme / page").await, Err(Error::ReadOnly(_))));
    life_cycle::take(&world.operator(), &acme.slug, life_cycle::Step::Resume, None, None).await.unwrap();
    maintenance::switch_on(&world.operator(), "New disks", None).await.unwrap();
    let inside = world.enter(&person, &acme).await;
    switch::engage(Side::Tenant(&inside), &whole(&acme), &Why::default()).await.unwrap();
    let operator = world.operator();
    switch::engage(Side::Operator(&operator), &Scope::GLOBAL, &Why::default()).await.unwrap();
    switch::engage_by_automation(&world.gate(), &on(Platform::X), ReasonKind::Other, "").await.unwrap();
    record::record(&world.gate()).await.unwrap();
    assert!(matches!(release(Side::Tenant(&inside), id, "The acme / page").await, Err(Error::ReadOnly(_))));
    maintenance::switch_off(&world.operator()).await.unwrap();
    let inside = world.enter(&person, &acme).await;
    assert!(matches!(release(Side::Tenant(&inside), id, "The acme / page").await, Ok(Asked::Released(_))));
}

#[tokio::test]
async fn a_flip_stays_in_its_page_and_writes_no_index() {
    let world = World::new().await;
    let operator = world.operator();
    let side = Side::Operator(&operator);
    let stands = async |scope: &str| -> (String, i64) {
        let mut tx = world.marked("gate", None, None).await;
        let in_block = sqlx::query_scalar(
            "select split_part(trim(both '()' from ctid::text), ',', 1) from kill_switch where scope = $1",
        )
        .bind(scope)
        .fetch_one(&mut *tx)
        .await
        .unwrap();
        let bytes: i64 =
            sqlx::query_scalar("select pg_total_relation_size('kill_switch')").fetch_one(&mut *tx).await.unwrap();
        (in_block, bytes)
    };
    // The longest note that people can write, in letters that are no shorter when packed.
    let mut letters = String::new();
    let mut number = 7_u64;
    while letters.chars().count() < 500 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        letters.extend(char::from_u32(0x4E00 + u32::try_from(number >> 50).unwrap()));
    }
    let long = Why { note: letters, ticket: format!("https://{}", "t".repeat(190)), ..Why::default() };
    let ordinary = why("The client asks us to stop until the matter is cleared up");
    // While a long transaction is open, no older version of a row can be cleared away.
    let mut open = world.as_tenant(&world.tenant("acme", "UTC").await).await;
    sqlx::query("select pg_current_xact_id()").execute(&mut *open).await.unwrap();
    for (scope, key, why, flips) in
        [(Scope::Everything, "everything", &long, 1), (on(Platform::X), "part:x:*", &ordinary, 6)]
    {
        let before = stands(key).await;
        for _ in 0..flips {
            let id = switch::engage(side, &scope, why).await.unwrap().switch;
            let mut tx = world.marked("gate", None, None).await;
            sqlx::query("update kill_switch set is_engaged = false, epoch = epoch + 1, recorded_epoch = epoch + 1 where id = $1")
                .bind(id.uuid())
                .execute(&mut *tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        switch::engage(side, &scope, why).await.unwrap();
        assert_eq!(stands(key).await, before, "{key}");
    }
    drop(open);
    let indexed: Vec<String> = sqlx::query_scalar(
        r"
        select distinct attname::text
        from pg_index
        join pg_attribute on attrelid = indrelid and attnum = any (indkey)
        where indrelid = 'kill_switch'::regclass
        order by 1
        ",
    )
    .fetch_all(&world.app)
    .await
    .unwrap();
    assert_eq!(indexed, ["id", "scope", "tenant_id"], "an index holds what a flip changes");
}

#[tokio::test]
async fn flips_do_not_wait_for_each_other_nor_for_whoever_reads_records_or_releases() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    // Another flip and the recorder are under way and do not end.
    let mut open = world.marked("gate", None, None).await;
    sqlx::query(
        "update kill_switch set epoch = epoch + 1, recorded_epoch = epoch + 1 where scope in ('part:x:*', 'retired')",
    )
    .execute(&mut *open)
    .await
    .unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('rtv switch recorder', 0))")
        .execute(&mut *open)
        .await
        .unwrap();
    let (scope, quiet) = (whole(&acme), Why::default());
    let flip = switch::engage(Side::Tenant(&admin), &scope, &quiet);
    tokio::time::timeout(Duration::from_secs(5), flip).await.expect("the flip waited").unwrap();
    let (reader, other) = (SenderIdentity::new("one"), world.operator());
    assert_eq!(world.read(&reader).await.engaged.len(), 1);
    let flip = switch::engage(Side::Operator(&other), &Scope::Everything, &quiet);
    tokio::time::timeout(Duration::from_secs(5), flip).await.expect("the flip waited").unwrap();
    // The recorder that finds another one at work comes back.
    assert!(record::record(&world.gate()).await.unwrap());
    open.commit().await.unwrap();
}

#[tokio::test]
async fn the_rule_of_the_database_is_the_rule_of_scopes() {
    let world = World::new().await;
    let tenants = [world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await];
    let mut accounts = Vec::new();
    let mut campaigns = Vec::new();
    for tenant in &tenants {
        for platform in [Platform::X, Platform::Sandbox] {
            accounts.push((tenant.id, platform, account(&world, tenant, platform, platform.key()).await));
        }
        campaigns.push((tenant.id, campaign(&world, tenant, "Spring").await));
    }
    let mut all: Vec<Scope> = vec![Scope::Everything, Scope::Drill];
    all.extend(accounts.iter().map(|(tenant, _, id)| Scope::Account { tenant: *tenant, account: (*id).into() }));
    all.extend(campaigns.iter().map(|(tenant, id)| Scope::Campaign { tenant: *tenant, campaign: (*id).into() }));
    for tenant in [None, Some(tenants[0].id), Some(tenants[1].id)] {
        for platform in [None, Some(Platform::X), Some(Platform::Sandbox)] {
            for action in [None, Some(Action::Publish), Some(Action::Reply), Some(Action::Delete)] {
                all.push(Scope::Part { tenant, platform, action });
            }
        }
    }
    let mut operations = Vec::new();
    for (tenant, platform, id) in &accounts {
        for action in Action::ALL {
            for campaign in [None, campaigns.iter().find(|(of, _)| of == tenant).map(|(_, id)| *id)] {
                operations.push(Operation {
                    tenant: *tenant,
                    platform: *platform,
                    action,
                    account: (*id).into(),
                    campaign: campaign.map(Into::into),
                });
            }
        }
    }
    let mut number = 42_u64;
    let mut next = |below: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(number >> 33).unwrap() % below
    };
    for round in 0..60 {
        let count = if round == 0 { 0 } else { 1 + next(4) };
        let set: Vec<Scope> = (0..count).map(|_| all[next(all.len())]).collect();
        let mut ids = std::collections::HashMap::new();
        for scope in &set {
            let done = switch::engage_by_automation(&world.gate(), scope, ReasonKind::Other, "").await.unwrap();
            ids.insert(done.switch.uuid(), *scope);
        }
        let mut tx = world.marked("sender", None, None).await;
        for operation in &operations {
            let found: Option<Uuid> = sqlx::query_scalar("select rtv_covering_switch($1, $2, $3, $4, $5)")
                .bind(operation.tenant.uuid())
                .bind(operation.platform.key())
                .bind(operation.action.key())
                .bind(operation.account.uuid())
                .bind(operation.campaign.map(rtv_core::CampaignId::uuid))
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            let expect = set.iter().any(|scope| scope.covers(operation));
            assert_eq!(found.is_some(), expect, "{operation:?} under {set:?}");
            if let Some(found) = found {
                assert!(ids[&found].covers(operation), "{operation:?} is not covered by {:?}", ids[&found]);
            }
            let counted: i64 = sqlx::query_scalar(
                r"
                select count(*)
                from kill_switch
                where is_engaged
                  and rtv_switch_covers(kind, tenant_id, platform, action, account_id, campaign_id, $1, $2, $3, $4, $5)
                ",
            )
            .bind(operation.tenant.uuid())
            .bind(operation.platform.key())
            .bind(operation.action.key())
            .bind(operation.account.uuid())
            .bind(operation.campaign.map(rtv_core::CampaignId::uuid))
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            let expect = ids.values().filter(|scope| scope.covers(operation)).count();
            assert_eq!(usize::try_from(counted).unwrap(), expect, "{operation:?} under {set:?}");
        }
        drop(tx);
        let mut tx = world.marked("gate", None, None).await;
        sqlx::query("update kill_switch set is_engaged = false where is_engaged").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_reading_grows_with_every_flip_also_when_a_flipped_switch_goes() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let sender = SenderIdentity::new("one");
    let admin = world.member(&acme, Role::Admin).await;
    let start = world.read(&sender).await.epoch;
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let id = switch::engage(Side::Tenant(&admin), &scope, &Why::default()).await.unwrap().switch;
    let engaged = world.read(&sender).await;
    assert_eq!((engaged.epoch, &engaged.engaged[..]), (start + 1, &[(id, scope)][..]));
    release(Side::Tenant(&admin), id, "The acme / page").await.unwrap();
    let released = world.read(&sender).await;
    assert_eq!((released.epoch, released.engaged.len()), (start + 2, 0));
    assert_eq!(world.execute(&acme, "delete from account").await, 1);
    let gone = world.read(&sender).await.epoch;
    assert!(gone > released.epoch, "{gone}");
    // One that was never flipped leaves nothing behind.
    account(&world, &acme, Platform::X, "other").await;
    world.execute(&acme, "delete from account").await;
    assert_eq!(world.read(&sender).await.epoch, gone);
    let mut tx = world.db.owner_pool().await.begin().await.unwrap();
    set_markers(&mut tx, "gate", None, None).await;
    sqlx::query("select set_config('rtv.tenant_id', $1, true)")
        .bind(acme.id.uuid().to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("delete from membership").execute(&mut *tx).await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "select count(*) from kill_switch where tenant_id <> '00000000-0000-0000-0000-000000000000'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(left, 48);
}

#[tokio::test]
async fn nothing_is_halted_before_every_sender_knows_or_may_not_send() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    let staff = world.staff("staff@rtv.example").await;
    let (one, two) = (SenderIdentity::new("one"), SenderIdentity::new("two"));
    world.read(&one).await;
    world.read(&two).await;
    let done = switch::engage(Side::Tenant(&admin), &whole(&acme), &Why::default()).await.unwrap();
    let state = async |side: Side<'_>| switch::one(side, done.switch).await.unwrap().state;
    let sides = [Side::Tenant(&admin), Side::Operator(&staff)];
    for side in sides {
        assert_eq!(state(side).await, State::Halting { in_flight: 0, unaware: 2 });
    }
    world.read(&one).await;
    assert_eq!(state(sides[1]).await, State::Halting { in_flight: 0, unaware: 1 });
    // A tenant sees no epoch of everything, so until the halt is recorded it cannot know.
    assert_eq!(state(sides[0]).await, State::Halting { in_flight: 0, unaware: 2 });
    assert!(record::record(&world.gate()).await.unwrap(), "it is not at rest");
    assert_eq!(state(sides[0]).await, State::Halting { in_flight: 0, unaware: 1 });
    // The other one is frozen, and its lease lapses.
    let began = std::time::Instant::now();
    loop {
        match state(sides[1]).await {
            State::Halted { .. } => break,
            State::Halting { in_flight: 0, unaware: 1 } => tokio::time::sleep(Duration::from_millis(50)).await,
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(10), "its lease does not lapse");
        lease::renew(&world.gate(), &one, |_| ()).await.unwrap();
    }
    assert!(!record::record(&world.gate()).await.unwrap());
    let receipt = switch::receipt(sides[0], done.halt).await.unwrap();
    let (State::Halted { at }, Some(halted_at)) = (receipt.state, receipt.halted_at) else { panic!("{receipt:?}") };
    assert_eq!(at, halted_at);
    let [one, two] = &receipt.senders[..] else { panic!("{:?}", receipt.senders) };
    assert!(one.acknowledged_at.is_some() && one.lapsed_at.is_none());
    assert_eq!((two.acknowledged_at, two.lapsed_at), (None, Some(halted_at)));
    assert!(
        receipt.click_to_halt_ms.is_some_and(|ms| (1_000.0..3_000.0).contains(&ms)),
        "{:?}",
        receipt.click_to_halt_ms
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_is_installed_before_it_is_acknowledged() {
    let world = World::new().await;
    let sender = SenderIdentity::new("one");
    let before = world.read(&sender).await;
    let operator = world.operator();
    switch::engage(Side::Operator(&operator), &Scope::GLOBAL, &Why::default()).await.unwrap();
    let seen = std::sync::Mutex::new(None);
    // Who is asked to take the copy and fails is as good as dead: nothing of it may be acknowledged.
    let database = world.database.clone();
    let ctx = world.gate();
    let sender_id = sender.id.uuid();
    let reading = lease::renew(&ctx, &sender, |reading| {
        let acknowledged: i64 = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let mut tx = world.marked("gate", None, None).await;
                sqlx::query_scalar("select acknowledged_epoch from sender where id = $1")
                    .bind(sender_id)
                    .fetch_one(&mut *tx)
                    .await
                    .unwrap()
            })
        });
        *seen.lock().unwrap() = Some((acknowledged, reading.epoch));
    })
    .await
    .unwrap();
    drop(database);
    assert_eq!(*seen.lock().unwrap(), Some((before.epoch, reading.epoch)));
    assert_eq!(reading.epoch, before.epoch + 1);
}

#[tokio::test]
async fn calls_under_way_are_counted_and_their_outcome_stands_in_the_receipt() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::X, "page").await;
    let foreign = account(&world, &other, Platform::X, "foreign").await;
    let now = world.clock.now();
    let sender = SenderIdentity::new("one");
    world.read(&sender).await;
    let sending = delivery(&world, &acme, page, "sending", now, None).await;
    attempt(&world, &acme, sending, page, &sender).await;
    let theirs = delivery(&world, &other, foreign, "sending", now, None).await;
    attempt(&world, &other, theirs, foreign, &sender).await;
    let staff = world.staff("staff@rtv.example").await;
    let (above, member) = (Side::Operator(&staff), world.member(&acme, Role::Admin).await);
    let inside = Side::Tenant(&member);
    let done = switch::engage(above, &on(Platform::X), &why("both")).await.unwrap();
    delivery(&world, &acme, page, "held", now, Some(done.switch)).await;
    delivery(&world, &acme, page, "scheduled", now + TimeDelta::hours(23), None).await;
    delivery(&world, &acme, page, "scheduled", now + TimeDelta::hours(25), None).await;
    world.read(&sender).await;
    assert!(record::record(&world.gate()).await.unwrap());
    let of = async |side: Side<'_>| switch::one(side, done.switch).await.unwrap();
    assert_eq!(of(above).await.state, State::Halting { in_flight: 2, unaware: 0 });
    assert_eq!((of(inside).await.state, of(inside).await.held), (State::Halting { in_flight: 1, unaware: 0 }, 1));
    let early = switch::receipt(inside, done.halt).await.unwrap();
    assert_eq!((early.completed_at, early.part.calls_in_flight), (None, 1));
    // The calls come to their end.
    for tenant in [&acme, &other] {
        let mut tx = world.as_tenant(tenant).await;
        sqlx::query(
            "update attempt set state = 'accepted', answered_at = clock_timestamp(), last_byte_at = clock_timestamp(), outcome = 'accepted'",
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
    }
    assert!(!record::record(&world.gate()).await.unwrap());
    let receipts =
        [switch::receipt(above, done.halt).await.unwrap(), switch::receipt(inside, done.halt).await.unwrap()];
    let [whole, part] = &receipts;
    assert!(whole.completed_at.is_some() && matches!(whole.state, State::Halted { .. }));
    assert_eq!((whole.part.calls_in_flight, whole.part.held, whole.part.due_within_a_day), (2, 1, 1));
    let [call] = &part.part.calls[..] else { panic!("{:?}", part.part.calls) };
    assert_eq!(
        (call.delivery, call.account.as_str(), call.state.as_str()),
        (DeliveryId::from(sending), "page", "accepted")
    );
    assert_eq!(part.part.last_outbound_byte_at, call.last_byte_at);
    // It says the same whatever happens afterwards, and also once the switch is released.
    let mut tx = world.as_tenant(&acme).await;
    sqlx::query("delete from attempt").execute(&mut *tx).await.unwrap();
    sqlx::query("delete from delivery").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    record::record(&world.gate()).await.unwrap();
    assert_eq!(switch::receipt(above, done.halt).await.unwrap(), receipts[0]);
    assert_eq!(switch::receipt(inside, done.halt).await.unwrap(), receipts[1]);
    // A tenant that nothing was held of knows of the halt, and of nobody's figures.
    let third = world.tenant("third", "UTC").await;
    let third = world.member(&third, Role::Admin).await;
    let theirs = switch::receipt(Side::Tenant(&third), done.halt).await.unwrap();
    assert_eq!((theirs.part, theirs.facts.note.as_deref()), (switch::Part::default(), Some("both")));
    let line = switch::history(Side::Tenant(&third), None).await.unwrap().items.remove(0);
    assert_eq!((line.held, line.late, line.is_complete), (Some(0), Some(0), true));
    let line = switch::history(above, None).await.unwrap().items.remove(0);
    assert_eq!((line.held, line.late), (Some(1), Some(0)));
}

#[tokio::test]
async fn a_receipt_is_there_from_the_first_moment_and_the_event_is_written_from_the_row() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    let side = Side::Tenant(&admin);
    let done = switch::engage(side, &whole(&acme), &why("stop")).await.unwrap();
    let early = switch::receipt(side, done.halt).await.unwrap();
    assert!(early.is_engaged && early.completed_at.is_none());
    assert_eq!(switch::newest_halt(side, done.switch).await.unwrap(), done.halt);
    assert!(!world.audit(Some(&acme)).await.iter().any(|(action, ..)| action.starts_with("switch.")));
    for _ in 0..3 {
        assert!(!record::record(&world.gate()).await.unwrap());
    }
    let events: Vec<_> =
        world.audit(Some(&acme)).await.into_iter().filter(|(action, ..)| action == "switch.engage").collect();
    assert_eq!(events.len(), 1);
    let mut tx = world.as_tenant(&acme).await;
    let (who, kind, address, note): (String, String, String, String) = sqlx::query_as(
        "select actor_label, actor_kind, host(address), after ->> 'note' from audit_event where action = 'switch.engage'",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!((who, kind.as_str()), (person_of(&admin).email.to_string(), "user"));
    assert_eq!((address.as_str(), note.as_str()), ("203.0.113.9", "stop"));
    let receipt = switch::receipt(side, done.halt).await.unwrap();
    assert!(receipt.completed_at.is_some(), "nobody sends, so it is at rest");
    assert_eq!(receipt.halted_at, Some(receipt.clicked_at));
    assert_eq!((receipt.name.as_str(), receipt.part.held, receipt.state.key()), ("The acme", 0, "halted"));
    assert_eq!(switch::receipt(side, Uuid::now_v7().into()).await.map(drop), Err(Error::NotFound));
}

#[tokio::test]
async fn a_halt_that_a_tenant_released_at_once_is_at_rest_only_when_every_sender_knew_of_it() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::X, "page").await;
    let foreign = account(&world, &other, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let gate = world.gate();
    // The epoch of everything is far above what the tenant sees of it.
    let elsewhere = Scope::Account { tenant: other.id, account: foreign.into() };
    switch::engage_by_automation(&gate, &elsewhere, ReasonKind::Other, "").await.unwrap();
    let mut tx = world.marked("gate", None, None).await;
    sqlx::query("update kill_switch set epoch = 100, recorded_epoch = 100, is_engaged = false where is_engaged")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let sender = SenderIdentity::new("one");
    assert_eq!(world.read(&sender).await.epoch, 100);
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let done = switch::engage(Side::Tenant(&admin), &scope, &Why::default()).await.unwrap();
    release(Side::Tenant(&admin), done.switch, "The acme / page").await.unwrap();
    assert!(record::record(&gate).await.unwrap(), "the sender has not read since");
    let receipt = switch::receipt(Side::Tenant(&admin), done.halt).await.unwrap();
    assert_eq!((receipt.halted_at, receipt.state), (None, State::Running));
    assert_eq!(world.read(&sender).await.epoch, 102);
    assert!(!record::record(&gate).await.unwrap());
    assert!(switch::receipt(Side::Tenant(&admin), done.halt).await.unwrap().completed_at.is_some());
}

#[tokio::test]
async fn a_release_names_what_is_overdue_and_has_no_choice() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (page, other) =
        (account(&world, &acme, Platform::X, "page").await, account(&world, &acme, Platform::Mastodon, "other").await);
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let side = Side::Tenant(&one);
    let id = switch::engage(side, &whole(&acme), &Why::default()).await.unwrap().switch;
    let now = world.clock.now();
    delivery(&world, &acme, page, "held", now - TimeDelta::minutes(3), Some(id)).await;
    // Came due and nobody has looked at it yet; and one that is not due.
    delivery(&world, &acme, other, "scheduled", now - TimeDelta::minutes(1), None).await;
    delivery(&world, &acme, other, "scheduled", now + TimeDelta::minutes(1), None).await;
    let plan = switch::resume_plan(side, id).await.unwrap();
    assert!(plan.takes_two);
    let groups: Vec<_> = plan.groups.iter().map(|group| (group.account_name.as_str(), group.overdue)).collect();
    assert_eq!(groups, [("other", 1), ("page", 1)]);
    let fields = async |typed: &str, reason: &str, plan: PlanWords| {
        let request = ReleaseRequest { typed: typed.into(), reason: reason.into(), plan };
        match switch::ask_release(side, id, &request, NO_RAMP).await {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let (page, other) = (rtv_core::AccountId::from(page), rtv_core::AccountId::from(other));
    let none = PlanWords::default();
    assert_eq!(
        fields("Acme", "", none).await,
        ["typed".into(), "reason".into(), format!("plan-{other}"), format!("plan-{page}")]
    );
    let drop = ChoiceWords { what: "drop".into(), ..ChoiceWords::default() };
    let part = PlanWords { groups: vec![(page.to_string(), drop.clone())], ..PlanWords::default() };
    assert_eq!(fields("The acme", "Over", part.clone()).await, [format!("plan-{other}")]);
    // What becomes overdue between asking and approving has to be decided over too.
    let mut full = part;
    full.groups.push((other.to_string(), drop));
    let request = ReleaseRequest { typed: "The acme".into(), reason: "Over".into(), plan: full };
    let Ok(Asked::Waits { release, .. }) = switch::ask_release(side, id, &request, NO_RAMP).await else { panic!() };
    let third = account(&world, &acme, Platform::X, "third").await;
    delivery(&world, &acme, third, "held", now, Some(id)).await;
    let refused = switch::approve_release(Side::Tenant(&two), release, NO_RAMP).await;
    assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].message.contains("third")), "{refused:?}");
    assert_eq!(engaged(side).await, ["The acme"], "it is halted still");
    let mut tx = world.as_tenant(&acme).await;
    let states: Vec<String> =
        sqlx::query_scalar("select state from delivery order by state").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(states, ["held", "held", "scheduled", "scheduled"]);
}

/// Senders hold rows in the order of their ids. A release that took another order would wait for one of them while it waits for the
/// release, and the database would break one of the two off.
#[tokio::test]
async fn a_release_and_a_sender_that_hold_the_same_deliveries_do_not_wait_for_each_other() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let id = switch::engage(Side::Tenant(&admin), &scope, &Why::default()).await.unwrap().switch;
    let now = world.clock.now();
    // The one with the smaller id is due later, so that the order of the ids is not that of the times.
    let first = delivery(&world, &acme, page, "held", now - TimeDelta::minutes(10), Some(id)).await;
    let second = delivery(&world, &acme, page, "held", now - TimeDelta::minutes(20), Some(id)).await;
    assert!(first < second, "ids grow");
    let mut sender = world.as_tenant(&acme).await;
    sqlx::query("select id from delivery where id = $1 for update").bind(first).execute(&mut *sender).await.unwrap();
    let releasing = tokio::spawn({
        let admin = admin.clone();
        async move { release(Side::Tenant(&admin), id, "The acme / page").await }
    });
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&world.app).await.unwrap() == 0 {
        assert!(!releasing.is_finished(), "it went on without the row that the sender holds");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    sqlx::query("set local lock_timeout = '5s'").execute(&mut *sender).await.unwrap();
    sqlx::query("select id from delivery where id = $1 for update").bind(second).execute(&mut *sender).await.unwrap();
    sender.rollback().await.unwrap();
    let Ok(Asked::Released(done)) = releasing.await.unwrap() else { panic!() };
    assert_eq!(done.dropped, 2);
}

#[tokio::test]
async fn what_is_overdue_goes_the_way_that_was_chosen_for_it() {
    let world = World::new().await;
    let acme = world.tenant("acme", "Europe/Berlin").await;
    let names = ["spread", "later", "again", "never"];
    let mut accounts = Vec::new();
    for name in names {
        accounts.push(account(&world, &acme, Platform::X, name).await);
    }
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let side = Side::Tenant(&one);
    let id = switch::engage(side, &whole(&acme), &Why::default()).await.unwrap().switch;
    let now = world.clock.now();
    let mut held = Vec::new();
    for account in &accounts {
        let mut two = Vec::new();
        for minutes in [30, 20] {
            two.push(delivery(&world, &acme, *account, "held", now - TimeDelta::minutes(minutes), Some(id)).await);
        }
        held.push(two);
    }
    let choice =
        |what: &str, minutes: &str, at: &str| ChoiceWords { what: what.into(), minutes: minutes.into(), at: at.into() };
    let choices = [
        choice("spread", "10", ""),
        choice("reschedule", "", "2026-11-25T09:00"),
        choice("approval", "", ""),
        choice("drop", "", ""),
    ];
    let groups = accounts.iter().zip(choices);
    let groups = groups.map(|(account, choice)| (rtv_core::AccountId::from(*account).to_string(), choice)).collect();
    let plan = PlanWords { all: ChoiceWords::default(), groups };
    let request = ReleaseRequest { typed: "The acme".into(), reason: "Over".into(), plan };
    let Ok(Asked::Waits { release, .. }) = switch::ask_release(side, id, &request, NO_RAMP).await else { panic!() };
    let asked = switch::asked(Side::Tenant(&two), release).await.unwrap();
    assert_eq!(asked.plan.choice(accounts[3].into()), Some(Choice::Drop));
    let Ok(Asked::Released(done)) = switch::approve_release(Side::Tenant(&two), release, NO_RAMP).await else {
        panic!()
    };
    assert_eq!((done.resumed, done.returned, done.dropped), (4, 2, 2));
    let mut found = Vec::new();
    for id in held.iter().flatten() {
        let (state, due_at, not_before) = state_of(&world, &acme, *id).await;
        found.push((state, (due_at - now).num_minutes(), not_before.map(|at| at == due_at)));
    }
    let berlin: DateTime<Utc> = "2026-11-25T08:00:00Z".parse().unwrap();
    let later = (berlin - now).num_minutes();
    let goes = |minutes| ("scheduled".to_owned(), minutes, Some(true));
    let stays = |state: &str, minutes| (state.to_owned(), minutes, None);
    assert_eq!(
        found,
        [
            goes(0),
            goes(5),
            goes(later),
            goes(later + 10),
            stays("in_review", -30),
            stays("in_review", -20),
            stays("dropped", -30),
            stays("dropped", -20),
        ]
    );
    let mut tx = world.as_tenant(&acme).await;
    let (approved, events): (i64, i64) = sqlx::query_as(
        "select (select count(*) from delivery where state = 'in_review' and approved_sha256 is not null), (select count(*) from delivery_event where what = 'resumed')",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!((approved, events), (0, 8), "what returns to approval is not approved");
}

#[tokio::test]
async fn sending_begins_again_slowly_and_what_comes_due_meanwhile_waits_too() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let side = Side::Tenant(&admin);
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let id = switch::engage(side, &scope, &Why::default()).await.unwrap().switch;
    let now = world.clock.now();
    for number in 0..30 {
        delivery(&world, &acme, page, "held", now - TimeDelta::minutes(60 - number), Some(id)).await;
    }
    let soon = delivery(&world, &acme, page, "scheduled", now + TimeDelta::seconds(30), None).await;
    let later = delivery(&world, &acme, page, "scheduled", now + TimeDelta::minutes(30), None).await;
    let all = ChoiceWords { what: "spread".into(), minutes: "1".into(), at: String::new() };
    let request = ReleaseRequest {
        typed: "The acme / page".into(),
        reason: "Over".into(),
        plan: PlanWords { all, groups: Vec::new() },
    };
    switch::ask_release(side, id, &request, Ramp::default()).await.unwrap();
    let mut tx = world.as_tenant(&acme).await;
    let due: Vec<DateTime<Utc>> =
        sqlx::query_scalar("select ready_at from delivery where scheduled_at <= $1 order by ready_at")
            .bind(now)
            .fetch_all(&mut *tx)
            .await
            .unwrap();
    let minute = |number: i64| due.iter().filter(|at| (**at - now).num_minutes() == number).count();
    assert_eq!((due[0], minute(0), minute(1), minute(2)), (now, 1, 3, 26), "{due:?}");
    drop(tx);
    let (_, due_at, not_before) = state_of(&world, &acme, soon).await;
    assert_eq!(due_at, now + TimeDelta::seconds(30), "its time stands");
    assert!(not_before.is_some_and(|at| at >= now + TimeDelta::minutes(2)), "{not_before:?}");
    assert_eq!(state_of(&world, &acme, later).await.2, None);
}

#[tokio::test]
async fn what_a_claim_held_while_its_switch_was_released_is_taken_up() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let page = account(&world, &acme, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let side = Side::Tenant(&admin);
    let scope = Scope::Account { tenant: acme.id, account: page.into() };
    let id = switch::engage(side, &scope, &Why::default()).await.unwrap().switch;
    let now = world.clock.now();
    let held = delivery(&world, &acme, page, "held", now, Some(id)).await;
    assert_eq!(record::take_up(&world.gate(), NO_RAMP).await.unwrap(), 0, "its switch is engaged");
    release(side, id, "The acme / page").await.unwrap();
    assert_eq!(state_of(&world, &acme, held).await.0, "dropped");
    let late = delivery(&world, &acme, page, "held", now, Some(id)).await;
    assert_eq!(record::take_up(&world.gate(), NO_RAMP).await.unwrap(), 1);
    assert_eq!(state_of(&world, &acme, late).await.0, "dropped", "the plan of the release holds");
    assert_eq!(record::take_up(&world.gate(), NO_RAMP).await.unwrap(), 0);
}

#[tokio::test]
async fn a_preview_counts_what_a_halt_would_stop() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::X, "page").await;
    let second = account(&world, &acme, Platform::Mastodon, "second").await;
    let foreign = account(&world, &other, Platform::X, "foreign").await;
    let now = world.clock.now();
    for (tenant, account, hours) in
        [(&acme, page, 1), (&acme, page, 2), (&acme, page, 30), (&acme, second, 1), (&other, foreign, 1)]
    {
        delivery(&world, tenant, account, "scheduled", now + TimeDelta::hours(hours), None).await;
    }
    let sender = SenderIdentity::new("one");
    world.read(&sender).await;
    let sending = delivery(&world, &acme, page, "sending", now, None).await;
    attempt(&world, &acme, sending, page, &sender).await;
    let staff = world.staff("staff@rtv.example").await;
    let member = world.member(&acme, Role::Editor).await;
    let (above, inside) = (Side::Operator(&staff), Side::Tenant(&member));
    let of = async |side: Side<'_>, scope: Scope| {
        let found = switch::preview(side, &scope).await.unwrap();
        (found.tenants, found.accounts, found.due_within_a_day, found.in_flight)
    };
    assert_eq!(of(above, Scope::GLOBAL).await, (2, 3, 5, 1));
    assert_eq!(of(above, on(Platform::X)).await, (2, 2, 4, 1));
    assert_eq!(of(inside, whole(&acme)).await, (1, 2, 4, 1));
    assert_eq!(of(inside, Scope::Account { tenant: acme.id, account: second.into() }).await, (1, 1, 1, 0));
    let reply = Scope::Part { tenant: Some(acme.id), platform: None, action: Some(Action::Reply) };
    assert_eq!(of(inside, reply).await, (1, 2, 0, 0), "nothing of it is due");
    for scope in [Scope::GLOBAL, whole(&other), Scope::Account { tenant: acme.id, account: foreign.into() }] {
        assert_eq!(switch::preview(inside, &scope).await.map(drop), Err(Error::NotFound), "{scope:?}");
    }
    let viewer = world.member(&acme, Role::Viewer).await;
    let refused = switch::preview(Side::Tenant(&viewer), &whole(&acme)).await.map(drop);
    assert_eq!(refused, Err(Error::Forbidden(Permission::SwitchesRead)));
}

#[tokio::test]
async fn a_matrix_says_of_each_cell_what_decides_over_it() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::Mastodon, "page").await;
    let staff = world.staff("staff@rtv.example").await;
    let above = Side::Operator(&staff);
    let member = world.member(&other, Role::Admin).await;
    let narrow = Scope::Part { tenant: Some(acme.id), platform: Some(Platform::X), action: Some(Action::Publish) };
    for scope in [on(Platform::X), narrow, Scope::Account { tenant: acme.id, account: page.into() }] {
        switch::engage(above, &scope, &Why::default()).await.unwrap();
    }
    switch::engage(Side::Tenant(&member), &whole(&other), &Why::default()).await.unwrap();
    let matrix = switch::matrix(above).await.unwrap();
    let check =
        |tenant: Option<TenantId>, platform, action, deciding: Option<&str>, own: bool, partial: Option<&str>| {
            let cell = matrix.cell(tenant, platform, action);
            let name = |one: Option<&switch::EngagedSwitch>| one.map(|one| one.name.clone());
            let place = format!("{tenant:?} {platform:?} {action:?}");
            assert_eq!(name(cell.deciding).as_deref(), deciding, "{place}");
            assert_eq!(cell.own.is_some(), own, "{place}");
            assert_eq!(name(cell.partial).as_deref(), partial, "{place}");
            assert_eq!(cell.state == State::Running, deciding.is_none(), "{place}");
        };
    let (a, o) = (Some(acme.id), Some(other.id));
    let (x, mastodon) = (Some(Platform::X), Some(Platform::Mastodon));
    let (publish, delete) = (Some(Action::Publish), Some(Action::Delete));
    check(None, x, None, Some("X"), true, None);
    check(a, x, publish, Some("X"), true, None);
    check(a, x, None, Some("X"), false, None);
    check(a, x, delete, None, false, None);
    check(a, mastodon, publish, None, false, Some("The acme / page"));
    check(a, None, None, None, false, Some("X"));
    check(o, mastodon, publish, Some("The other"), false, None);
    check(o, None, None, Some("The other"), true, None);
    check(o, None, delete, None, false, None);
    // A tenant sees its row, with the operator's switches over it and nobody else's.
    let own = switch::matrix(Side::Tenant(&member)).await.unwrap();
    assert_eq!(own.tenants.iter().map(|tenant| tenant.slug.as_str()).collect::<Vec<_>>(), ["other"]);
    assert_eq!(own.engaged.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["The other", "X"]);
    let banner = switch::banner(Side::Tenant(&world.member(&other, Role::Viewer).await)).await.unwrap();
    assert_eq!(banner.engaged.len(), 2, "also who may not see switches is told");
}

#[tokio::test]
async fn who_can_release_is_reminded_when_it_is_time_and_every_four_hours_and_nothing_resumes() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    let editor = world.member(&acme, Role::Editor).await;
    let staff = world.staff("staff@rtv.example").await;
    let day = Why { review: "24h".into(), ..Why::default() };
    switch::engage(Side::Tenant(&admin), &whole(&acme), &Why::default()).await.unwrap();
    let global = switch::engage(Side::Operator(&staff), &Scope::GLOBAL, &day).await.unwrap().switch;
    let at = |hours: i64, minutes: i64| {
        let now = world.clock.now() + TimeDelta::hours(hours) + TimeDelta::minutes(minutes);
        world.context_at(now, Actor::System("switch recorder"))
    };
    let remind = async |hours: i64, minutes: i64| reminder::remind(&at(hours, minutes), &outbox()).await.unwrap();
    assert_eq!(remind(3, 59).await, 0);
    assert_eq!(remind(4, 0).await, 1);
    assert_eq!((remind(4, 1).await, remind(7, 59).await, remind(8, 0).await), (0, 0, 1));
    let mails = |email: String| {
        let world = &world;
        async move {
            let all = rtv_domain::mail::list(&world.operator()).await.unwrap();
            all.iter().filter(|mail| mail.to == email && mail.subject.contains("Still halted")).count()
        }
    };
    let (of_admin, of_editor) = (person_of(&admin).email.to_string(), person_of(&editor).email.to_string());
    assert_eq!((mails(of_admin.clone()).await, mails(of_editor).await), (2, 0));
    assert_eq!(mails("staff@rtv.example".into()).await, 0);
    assert_eq!(remind(24, 0).await, 2);
    assert_eq!(mails("staff@rtv.example".into()).await, 1);
    assert_eq!(engaged(Side::Operator(&staff)).await, ["Global", "The acme"], "it is halted as it was");
    // A review moves the time, and a tenant does not review what staff engaged.
    let next = switch::review(Side::Operator(&staff), global, "2d").await.unwrap();
    assert_eq!(next, world.clock.now() + TimeDelta::days(2));
    assert_eq!(remind(28, 0).await, 1, "the tenant's alone");
    assert_eq!(switch::review(Side::Tenant(&admin), global, "2d").await, Err(Error::NotFound));
}

#[tokio::test]
async fn a_local_file_is_taken_over_once_and_stays_staffs_to_release() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    let staff = world.staff("staff@rtv.example").await;
    let second = world.staff("staff2@rtv.example").await;
    let sender = SenderIdentity::new("one");
    world.read(&sender).await;
    let file = |name: &str, scope: Scope, note: &str| local_file::LocalFile {
        name: name.into(),
        halt: Ok(local_file::LocalHalt {
            scope,
            reason: ReasonKind::Security,
            note: note.into(),
            by: "root".into(),
            at: Some(world.clock.now()),
        }),
    };
    let gate = world.context(Actor::System("local file"));
    let gone = Scope::Account { tenant: acme.id, account: Uuid::now_v7().into() };
    let files = [file("a.json", whole(&acme), "stop"), file("b.json", gone, "")];
    local_file::show(&gate, &sender, &files).await.unwrap();
    assert_eq!(local_file::take_over(&gate, &files, None).await.unwrap(), 1);
    assert_eq!(local_file::take_over(&gate, &files, None).await.unwrap(), 0);
    let found = switch::list(Side::Operator(&staff)).await.unwrap().remove(0);
    assert!(found.facts.is_automatic && found.facts.is_staff);
    assert!(found.facts.note.as_deref().is_some_and(|note| note.contains("stop") && note.contains("a.json")));
    assert!(matches!(release(Side::Tenant(&admin), found.id, "The acme").await, Err(Error::Conflict(_))));
    let Ok(Asked::Waits { release: asked, .. }) = release(Side::Operator(&staff), found.id, "The acme").await else {
        panic!()
    };
    switch::approve_release(Side::Operator(&second), asked, NO_RAMP).await.unwrap();
    // It still lies there: it stops its sender, which is shown, and engages nothing again, also for a sender that starts now or that
    // saw it come a moment later than the one that took it over.
    let look = |files: &[local_file::LocalFile], before: TimeDelta| local_file::Look {
        at: world.clock.now() - before,
        files: files.to_vec(),
    };
    for last in [None, Some(look(&files, TimeDelta::zero())), Some(look(&[], TimeDelta::seconds(1)))] {
        assert_eq!(local_file::take_over(&gate, &files, last.as_ref()).await.unwrap(), 0, "{last:?}");
    }
    assert_eq!(engaged(Side::Operator(&staff)).await, Vec::<String>::new());
    let names = async |side: Side<'_>| {
        let senders = switch::senders(side).await.unwrap();
        senders[0].local_files.iter().map(|file| file.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(Side::Operator(&staff)).await, ["a.json", "b.json"]);
    assert_eq!(names(Side::Tenant(&admin)).await, ["a.json", "b.json"]);
    let other = world.tenant("other", "UTC").await;
    let other = world.member(&other, Role::Admin).await;
    assert_eq!(names(Side::Tenant(&other)).await, Vec::<String>::new());
    // One that nobody can read stops everything, everywhere.
    let broken = [local_file::LocalFile { name: "stop".into(), halt: Err("it is empty".into()) }];
    local_file::show(&gate, &sender, &broken).await.unwrap();
    assert_eq!(local_file::take_over(&gate, &broken, Some(&look(&files, TimeDelta::zero()))).await.unwrap(), 1);
    assert_eq!(engaged(Side::Tenant(&other)).await, ["Everything"]);
    assert_eq!(names(Side::Tenant(&other)).await, ["stop"]);
    // A file of the same words that was taken away and is put there again halts again.
    let later = world.context_at(world.clock.now() + TimeDelta::hours(1), Actor::System("local file"));
    let without = local_file::Look { at: later.now() - TimeDelta::seconds(1), files: Vec::new() };
    assert_eq!(local_file::take_over(&later, &files[..1], Some(&without)).await.unwrap(), 1);
    assert_eq!(engaged(Side::Tenant(&admin)).await, ["Everything", "The acme"]);
    assert_eq!(local_file::take_over(&later, &files[..1], Some(&without)).await.unwrap(), 0, "and once");
}

#[tokio::test]
async fn a_halt_whose_receipt_cannot_be_written_keeps_none_of_the_others_back() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let admin = world.member(&acme, Role::Admin).await;
    let side = Side::Tenant(&admin);
    let mut done = Vec::new();
    for platform in [Platform::X, Platform::LinkedIn, Platform::Sandbox] {
        let scope = Scope::Part { tenant: Some(acme.id), platform: Some(platform), action: None };
        done.push(switch::engage(side, &scope, &Why::default()).await.unwrap().halt);
    }
    // The database refuses the receipt of the second one.
    let owner = world.db.owner_pool().await;
    let refuse = format!(
        "create function refuse() returns trigger language plpgsql as $$
         begin
           if new.halt_id = '{}' then raise exception 'refused'; end if;
           return new;
         end $$",
        done[1].uuid()
    );
    sqlx::query(sqlx::AssertSqlSafe(refuse)).execute(&owner).await.unwrap();
    sqlx::query("create trigger refuse before insert on halt_receipt for each row execute function refuse()")
        .execute(&owner)
        .await
        .unwrap();
    assert_eq!(record::record(&world.gate()).await, Err(Error::Internal));
    let mut complete = Vec::new();
    for halt in &done {
        complete.push(switch::receipt(side, *halt).await.unwrap().completed_at.is_some());
    }
    assert_eq!(complete, [true, false, true]);
    let told = world.audit(Some(&acme)).await.into_iter().filter(|(action, ..)| action == "switch.engage").count();
    assert_eq!(told, 3, "that they were engaged is written down");
    sqlx::query("drop trigger refuse on halt_receipt").execute(&owner).await.unwrap();
    assert!(!record::record(&world.gate()).await.unwrap());
    assert!(switch::receipt(side, done[1]).await.unwrap().completed_at.is_some());
    owner.close().await;
}

#[tokio::test]
async fn a_review_that_somebody_halted_anew_meanwhile_stands_all_the_same() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (one, two) = (world.member(&acme, Role::Admin).await, world.member(&acme, Role::Owner).await);
    let id = switch::engage(Side::Tenant(&one), &whole(&acme), &why("")).await.unwrap().switch;
    let (scope, again) = (whole(&acme), why("again"));
    for _ in 0..20 {
        let (reviewed, again) = tokio::join!(
            switch::review(Side::Tenant(&one), id, "2h"),
            switch::engage(Side::Tenant(&two), &scope, &again)
        );
        assert_eq!(reviewed, Ok(world.clock.now() + TimeDelta::hours(2)));
        assert!(again.unwrap().was_engaged);
    }
    let found = switch::one(Side::Tenant(&one), id).await.unwrap();
    assert_eq!(found.facts.review_at, world.clock.now() + TimeDelta::hours(2));
}

#[tokio::test]
async fn a_drill_measures_a_flip_that_stops_nothing() {
    let world = World::new().await;
    let staff = world.staff("staff@rtv.example").await;
    let operator = world.operator();
    assert!(matches!(switch::drill(&operator, 1).await, Err(Error::Conflict(_))), "nobody sends");
    assert_eq!(switch::drill(&staff, 1).await.map(drop), Err(Error::NotFound), "it is for the command line");
    let sender = SenderIdentity::new("one");
    world.read(&sender).await;
    let gate = world.gate();
    let reading = async {
        loop {
            lease::renew(&gate, &sender, |reading| {
                assert!(reading.engaged.iter().all(|(_, scope)| *scope == Scope::Drill));
            })
            .await
            .unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let drill = tokio::select! {
        () = reading => unreachable!("it reads for ever"),
        drill = switch::drill(&operator, 3) => drill.unwrap(),
    };
    assert_eq!((drill.rounds, drill.senders, drill.by.as_str()), (3, 1, "root@ops-1"));
    assert!(
        drill.p50_ms >= 0.0 && drill.p50_ms <= drill.p95_ms && drill.p95_ms <= drill.most_ms && drill.most_ms < 2_000.0
    );
    assert_eq!(switch::drills(Side::Operator(&staff)).await.unwrap(), [drill]);
    assert_eq!(engaged(Side::Operator(&staff)).await, Vec::<String>::new());
    assert!(switch::history(Side::Operator(&staff), None).await.unwrap().items.is_empty(), "a drill is no halt");
    let events = world.audit(None).await;
    assert_eq!(events.iter().filter(|(action, ..)| action == "switch.drill").count(), 1);
}

#[tokio::test]
async fn a_scope_in_words_is_found_or_told_what_is_wrong() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let page = account(&world, &acme, Platform::X, "page").await;
    let admin = world.member(&acme, Role::Admin).await;
    let operator = world.operator();
    let (above, inside) = (Side::Operator(&operator), Side::Tenant(&admin));
    let text = |text: &str| Some(text.to_owned());
    let id = rtv_core::AccountId::from(page).to_string();
    let words = ScopeWords { account: text(&id), ..ScopeWords::default() };
    let expect = Scope::Account { tenant: acme.id, account: page.into() };
    assert_eq!(switch::find_scope(above, &words).await, Ok(expect), "whose it is goes without saying");
    assert_eq!(switch::find_scope(inside, &words).await, Ok(expect));
    let words = ScopeWords { tenant: text("other"), platform: text("x"), ..ScopeWords::default() };
    let expect = Scope::Part { tenant: Some(other.id), platform: Some(Platform::X), action: None };
    assert_eq!(switch::find_scope(above, &words).await, Ok(expect));
    assert_eq!(switch::find_scope(inside, &words).await, Err(Error::NotFound));
    assert_eq!(switch::find_scope(above, &ScopeWords::default()).await, Ok(Scope::GLOBAL));
    assert_eq!(switch::find_scope(inside, &ScopeWords::default()).await, Ok(whole(&acme)));
    let everything = ScopeWords { everything: true, ..ScopeWords::default() };
    assert_eq!(switch::find_scope(above, &everything).await, Ok(Scope::Everything));
    assert!(matches!(switch::find_scope(inside, &everything).await, Err(Error::Invalid(_))));
    let nobody = ScopeWords { tenant: text("nobody"), ..ScopeWords::default() };
    assert_eq!(switch::find_scope(above, &nobody).await, Err(Error::NotFound));
}

#[tokio::test]
async fn a_tenant_sees_its_own_switches_and_the_operators_and_nobody_elses() {
    let world = World::new().await;
    let (acme, other) = (world.tenant("acme", "UTC").await, world.tenant("other", "UTC").await);
    let admin = world.member(&acme, Role::Admin).await;
    let foreign = world.member(&other, Role::Admin).await;
    let staff = world.staff("staff@rtv.example").await;
    let id = switch::engage(Side::Tenant(&foreign), &whole(&other), &why("secret")).await.unwrap();
    switch::engage(Side::Operator(&staff), &on(Platform::X), &why("known")).await.unwrap();
    record::record(&world.gate()).await.unwrap();
    let asked = release(Side::Tenant(&foreign), id.switch, "The other").await.unwrap();
    let Asked::Waits { release: asked, .. } = asked else { panic!("one was enough") };
    let side = Side::Tenant(&admin);
    assert_eq!(engaged(side).await, ["X"]);
    assert_eq!(switch::one(side, id.switch).await, Err(Error::NotFound));
    assert_eq!(switch::receipt(side, id.halt).await.map(drop), Err(Error::NotFound));
    assert_eq!(switch::newest_halt(side, id.switch).await, Err(Error::NotFound));
    assert_eq!(switch::resume_plan(side, id.switch).await, Err(Error::NotFound));
    assert_eq!(release(side, id.switch, "The other").await, Err(Error::NotFound));
    assert_eq!(switch::approve_release(side, asked, NO_RAMP).await, Err(Error::NotFound));
    assert_eq!(switch::withdraw_release(side, asked).await, Err(Error::NotFound));
    assert_eq!(switch::history(side, None).await.unwrap().items.len(), 1);
    // Whatever a query forgets.
    let mut tx = world.as_tenant(&acme).await;
    for table in ["kill_switch", "halt", "halt_receipt", "switch_release", "sender_file", "halt_file"] {
        let rows: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table} where tenant_id = $1")))
                .bind(other.id.uuid())
                .fetch_one(&mut *tx)
                .await
                .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let operators = sqlx::query("update kill_switch set is_engaged = false where kind = 'part' and tenant_id = '00000000-0000-0000-0000-000000000000'")
        .execute(&mut *tx)
        .await
        .unwrap();
    assert_eq!(operators.rows_affected(), 0, "a tenant changes no switch of the operator");
    let hidden: i64 = sqlx::query_scalar("select count(*) from kill_switch where kind in ('drill', 'retired')")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(hidden, 0);
    let halt: HaltId = id.halt;
    assert_eq!(
        switch::history(Side::Tenant(&foreign), None).await.unwrap().items.iter().filter(|one| one.id == halt).count(),
        1
    );
}
