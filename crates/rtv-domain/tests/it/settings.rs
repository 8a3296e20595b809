//! What a tenant decides about itself does what it says: days move with the zone, ranges and time-outs keep people out, and
//! nothing is overwritten unseen.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use rtv_core::{Error, Permission, Role};
use rtv_domain::import::Options;
use rtv_domain::settings::{self, Branding, Days, General, Security};
use rtv_domain::zone::{self, MoveDays};
use rtv_domain::{
    Actor, Context, RequestInfo, Tenant, TenantContext, access, import, kpi_daily, logo, post_hour, tenant,
};

use crate::world::World;

const HEADER: &str = "platform,account_id,post_id,published_at,reactions,revenue";

fn fields(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(errors) => errors.iter().map(|error| error.field.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

async fn version(ctx: &TenantContext) -> String {
    settings::read(ctx).await.unwrap().revision.version.to_string()
}

/// The form as the page shows it.
async fn general(ctx: &TenantContext) -> General {
    let now = settings::read(ctx).await.unwrap();
    General {
        name: now.tenant.name.clone(),
        zone: now.next_zone.unwrap_or(now.tenant.zone).name().into(),
        locale: now.tenant.locale.clone(),
        currency: now.tenant.currency.clone(),
        week_start: now.tenant.week_start.to_string(),
        is_relabelled: false,
        version: now.revision.version.to_string(),
    }
}

/// The same person with a request of their own making.
fn from(world: &World, ctx: &TenantContext, address: &str) -> Context {
    let request = RequestInfo { address: Some(address.parse().unwrap()), ..RequestInfo::default() };
    Context::new(world.database.clone(), world.clock, request, ctx.context().actor().clone())
}

async fn again(world: &World, ctx: &TenantContext) -> TenantContext {
    world.enter(ctx.context().person().unwrap(), ctx.tenant()).await
}

async fn days(world: &World, tenant: &Tenant) -> Vec<(String, NaiveDate, NaiveDate)> {
    let mut tx = world.as_tenant(tenant).await;
    sqlx::query_as("select external_id, published_from, published_to from post order by external_id")
        .fetch_all(&mut *tx)
        .await
        .unwrap()
}

#[track_caller]
fn check_days(days: &[(String, NaiveDate, NaiveDate)], expect: &[(&str, &str)]) {
    let shown: Vec<(String, String)> = days
        .iter()
        .map(|(id, from, to)| (id.clone(), format!("{from}{}", if from == to { "" } else { " span" })))
        .collect();
    let expect: Vec<(String, String)> = expect.iter().map(|(id, day)| ((*id).to_owned(), (*day).to_owned())).collect();
    assert_eq!(shown, expect);
}

async fn check_roll_ups(ctx: &TenantContext) {
    assert_eq!(kpi_daily::verify(ctx).await.unwrap(), []);
    assert_eq!(post_hour::verify(ctx).await.unwrap(), []);
}

#[tokio::test]
async fn a_zone_takes_the_days_and_hours_of_posts_along() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let rows = "x,page,late,2026-11-20T20:30:00Z,5,\nx,page,noon,2026-11-20T12:00:00Z,6,\nx,page,early,2026-11-20T01:00:00Z,7,";
    world.import_text(&owner, &format!("{HEADER}\n{rows}\n"), Options::default()).await.unwrap();
    // Its posts are changed by a second import, whose roll-back must find the days of the new zone.
    let second = format!("{HEADER}\nx,page,late,2026-11-20T20:30:00Z,50,\n");
    let second = world.import_text(&owner, &second, Options::default()).await.unwrap().id.unwrap();
    check_days(&days(&world, &acme).await, &[("early", "2026-11-20"), ("late", "2026-11-20"), ("noon", "2026-11-20")]);

    let form = General { zone: "Asia/Bangkok".into(), ..general(&owner).await };
    assert_eq!(settings::change_general(&owner, &form).await, Ok(Days::Moved));
    let owner = again(&world, &owner).await;
    assert_eq!(owner.tenant().zone, chrono_tz::Asia::Bangkok);
    check_days(&days(&world, &acme).await, &[("early", "2026-11-20"), ("late", "2026-11-21"), ("noon", "2026-11-20")]);
    check_roll_ups(&owner).await;
    let mut tx = world.as_tenant(&acme).await;
    let hours: Vec<i16> =
        sqlx::query_scalar("select hour from post_hour order by hour").fetch_all(&mut *tx).await.unwrap();
    assert_eq!(hours, [3, 8, 19], "03:30, 08:00 and 19:00 in Bangkok");
    drop(tx);

    import::roll_back(&owner, second).await.unwrap();
    check_days(&days(&world, &acme).await, &[("early", "2026-11-20"), ("late", "2026-11-21"), ("noon", "2026-11-20")]);
    check_roll_ups(&owner).await;
    let form = General { zone: "America/Los_Angeles".into(), ..general(&owner).await };
    settings::change_general(&owner, &form).await.unwrap();
    check_days(&days(&world, &acme).await, &[("early", "2026-11-19"), ("late", "2026-11-20"), ("noon", "2026-11-20")]);
    check_roll_ups(&owner).await;
}

#[tokio::test]
async fn an_import_and_a_change_of_zone_never_mix_their_days() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let form = General { zone: "Asia/Bangkok".into(), ..general(&owner).await };
    // As an import holds it.
    let mut import = world.as_tenant(&acme).await;
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('import ' || $1, 0))")
        .bind(acme.id.to_string())
        .execute(&mut *import)
        .await
        .unwrap();
    let refused = settings::change_general(&owner, &form).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(text) if text.contains("when the import is done")), "{refused:?}");
    drop(import);
    settings::change_general(&owner, &form).await.unwrap();
    // Somebody who entered before still has the old zone, and would store its days.
    let file = format!("{HEADER}\nx,page,late,2026-11-20T20:30:00Z,5,\n");
    let stale = world.import_text(&owner, &file, Options::default()).await.unwrap_err();
    assert!(matches!(&stale, Error::Unavailable(text) if text.contains("time zone")), "{stale:?}");
    assert!(days(&world, &acme).await.is_empty());
    world.import_text(&again(&world, &owner).await, &file, Options::default()).await.unwrap();
    check_days(&days(&world, &acme).await, &[("late", "2026-11-21")]);
}

#[tokio::test]
async fn many_posts_are_moved_by_a_worker_and_shown_in_the_old_zone_until_then() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let mut file = format!("{HEADER}\n");
    for post in 0..20_001 {
        writeln!(file, "x,page,p{post},2026-11-{:02}T20:30:00Z,5,", post % 20 + 1).unwrap();
    }
    world.import_text(&owner, &file, Options::default()).await.unwrap();
    let form = General { zone: "Asia/Bangkok".into(), name: "Acme Asia".into(), ..general(&owner).await };
    assert_eq!(settings::change_general(&owner, &form).await, Ok(Days::Moving));
    let now = settings::read(&owner).await.unwrap();
    assert_eq!((now.tenant.zone, now.next_zone), (chrono_tz::UTC, Some(chrono_tz::Asia::Bangkok)));
    assert_eq!(now.tenant.name, "Acme Asia", "what does not move is changed at once");
    check_roll_ups(&again(&world, &owner).await).await;

    // Saving something else meanwhile leaves the move alone.
    let form = General { name: "Acme".into(), ..general(&owner).await };
    assert_eq!(settings::change_general(&owner, &form).await, Ok(Days::Kept));
    let job = MoveDays { tenant: acme.id };
    zone::carry_out(&world.context(Actor::System("time zone")), &job).await.unwrap();
    let owner = again(&world, &owner).await;
    assert_eq!((owner.tenant().zone, owner.tenant().name.as_str()), (chrono_tz::Asia::Bangkok, "Acme"));
    assert!(days(&world, &acme).await.iter().any(|(id, day, _)| id == "p0" && day.to_string() == "2026-11-02"));
    check_roll_ups(&owner).await;
    assert_eq!(settings::read(&owner).await.unwrap().next_zone, None);
    // A job that comes twice, or after the old zone was chosen again, does nothing.
    let before = world.state(&acme, &[]).await;
    zone::carry_out(&world.context(Actor::System("time zone")), &job).await.unwrap();
    assert_eq!(world.state(&acme, &[]).await, before);
}

#[tokio::test]
async fn amounts_are_not_given_another_currency_unawares() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let euros = General { currency: "eur".into(), ..general(&owner).await };
    settings::change_general(&owner, &euros).await.unwrap();
    assert_eq!(again(&world, &owner).await.tenant().currency, "EUR", "without amounts it is a word");
    let file = format!("{HEADER}\nx,page,p1,2026-11-20T20:30:00Z,5,12.50\n");
    world.import_text(&owner, &file, Options::default()).await.unwrap();
    let form = General { currency: "THB".into(), ..general(&owner).await };
    let refused = settings::change_general(&owner, &form).await.unwrap_err();
    assert_eq!(fields(&refused), ["currency"]);
    assert!(refused.to_string().contains("amounts in EUR, and they are not converted"), "{refused}");
    settings::change_general(&owner, &General { is_relabelled: true, ..form }).await.unwrap();
    assert_eq!(again(&world, &owner).await.tenant().currency, "THB");
}

#[tokio::test]
async fn every_field_that_is_refused_is_named_and_nothing_is_changed() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let bad = General {
        name: " ".into(),
        zone: "Mars/Olympus".into(),
        locale: "tlh".into(),
        currency: "money".into(),
        week_start: "7".into(),
        ..General::default()
    };
    let refused = settings::change_general(&owner, &bad).await.unwrap_err();
    assert_eq!(fields(&refused), ["name", "zone", "locale", "currency", "week_start"]);
    let bad = Security { session_timeout: "4".into(), ip_ranges: "office".into(), version: version(&owner).await };
    assert_eq!(fields(&settings::change_security(&owner, &bad).await.unwrap_err()), ["session_timeout", "ip_ranges"]);
    let bad = Branding { is_on: true, hue: "blue".into(), version: version(&owner).await };
    assert_eq!(fields(&settings::change_branding(&owner, &bad).await.unwrap_err()), ["hue"]);
    let fine = general(&owner).await;
    let unversioned = General { version: String::new(), name: "Other".into(), ..fine.clone() };
    assert_eq!(fields(&settings::change_general(&owner, &unversioned).await.unwrap_err()), ["version"]);
    assert_eq!(settings::read(&owner).await.unwrap().tenant, *owner.tenant());
    // The form as it is says nothing new.
    settings::change_general(&owner, &fine).await.unwrap();
    assert_eq!(world.audit(Some(&acme)).await.len(), 1, "that it was created, and no more");
}

#[tokio::test]
async fn the_later_of_two_editors_is_told_who_changed_what() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (owner, admin) = (world.member(&acme, Role::Owner).await, world.member(&acme, Role::Admin).await);
    let opened = general(&owner).await;
    let theirs = General { locale: "de-DE".into(), ..general(&admin).await };
    settings::change_general(&admin, &theirs).await.unwrap();
    let mine = General { name: "Acme & Co".into(), ..opened };
    let refused = settings::change_general(&owner, &mine).await.unwrap_err();
    let admin = admin.context().actor().label();
    assert!(
        matches!(&refused, Error::Conflict(text) if text.contains(&admin) && text.contains("locale from “en-US” to “de-DE”")),
        "{refused:?}"
    );
    let now = settings::read(&owner).await.unwrap().tenant;
    assert_eq!((now.name.as_str(), now.locale.as_str()), ("The acme", "de-DE"));
    let log = world.audit(Some(&acme)).await;
    assert_eq!(log.last().unwrap().0, "settings.general");
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (editor, viewer) = (world.member(&acme, Role::Editor).await, world.member(&acme, Role::Viewer).await);
    assert_eq!(settings::read(&viewer).await, Err(Error::Forbidden(Permission::SettingsRead)));
    let form = General { name: "Mine".into(), ..general(&editor).await };
    let refused = Error::Forbidden(Permission::SettingsUpdate);
    assert_eq!(settings::change_general(&editor, &form).await, Err(refused.clone()));
    assert_eq!(settings::change_security(&editor, &Security::default()).await, Err(refused.clone()));
    assert_eq!(settings::change_branding(&editor, &Branding::default()).await, Err(refused));
}

#[tokio::test]
async fn allowed_ranges_keep_everybody_else_out_and_say_so() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let form = async |ranges: &str| Security {
        session_timeout: "720".into(),
        ip_ranges: ranges.into(),
        version: version(&owner).await,
    };
    // The world's people come from 203.0.113.9.
    let refused = settings::change_security(&owner, &form("198.51.100.0/24").await).await.unwrap_err();
    assert_eq!(fields(&refused), ["ip_ranges"]);
    assert!(refused.to_string().contains("your own address, 203.0.113.9, is in none of them"), "{refused}");
    settings::change_security(&owner, &form("203.0.113.0/24\n2001:db8::/32").await).await.unwrap();

    for inside in ["203.0.113.77", "2001:db8::7", "::ffff:203.0.113.9"] {
        assert!(access::enter(&from(&world, &owner, inside), "acme").await.is_ok(), "{inside}");
    }
    for outside in ["198.51.100.7", "2001:db9::7"] {
        let refused = access::enter(&from(&world, &owner, outside), "acme").await.unwrap_err();
        assert_eq!(refused, Error::AddressNotAllowed(outside.into()));
        assert!(refused.explanation().contains(outside));
    }
    let nowhere = world.context(owner.context().actor().clone());
    let nowhere = Context::new(world.database.clone(), world.clock, RequestInfo::default(), nowhere.actor().clone());
    assert!(matches!(access::enter(&nowhere, "acme").await, Err(Error::AddressNotAllowed(_))));
    let log = world.audit(Some(&acme)).await;
    let denied: Vec<_> =
        log.iter().filter(|(action, result, _)| action == "tenant.enter" && result == "denied").collect();
    assert_eq!(denied.len(), 3);
    assert!(denied[0].2.as_ref().unwrap().contains("198.51.100.7"), "{denied:?}");

    // Who belongs to another tenant learns nothing of the ranges.
    let other = world.tenant("other", "UTC").await;
    let stranger = world.member(&other, Role::Owner).await;
    let outside = from(&world, &stranger, "198.51.100.7");
    assert_eq!(access::enter(&outside, "acme").await.unwrap_err(), Error::NotFound);
    assert!(access::enter(&outside, "other").await.is_ok());

    let cleared = settings::clear_ip_ranges(&world.operator(), &acme.slug).await.unwrap();
    assert_eq!(cleared.len(), 2);
    assert!(access::enter(&from(&world, &owner, "198.51.100.7"), "acme").await.is_ok());
    assert_eq!(settings::clear_ip_ranges(&world.operator(), &acme.slug).await.unwrap(), []);
    let nobody = world.context(Actor::Anonymous);
    assert_eq!(settings::clear_ip_ranges(&nobody, &acme.slug).await, Err(Error::NotFound));
}

#[tokio::test]
async fn ranges_and_time_outs_want_a_fresh_proof() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let form = Security { session_timeout: "30".into(), version: version(&owner).await, ..Security::default() };
    let mut stale = owner.context().person().unwrap().clone();
    stale.proved_at = Some(world.clock.now() - TimeDelta::minutes(6));
    let stale = world.enter(&stale, &acme).await;
    assert_eq!(settings::change_security(&stale, &form).await, Err(Error::NotFresh));
    settings::change_security(&owner, &form).await.unwrap();
    assert_eq!(again(&world, &owner).await.tenant().session_timeout, TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_pause_that_a_tenant_does_not_allow_closes_that_tenant_alone() {
    let world = World::new().await;
    let (strict, lax) = (world.tenant("strict", "UTC").await, world.tenant("lax", "UTC").await);
    world.execute(&strict, "update tenant set session_timeout_minutes = 15").await;
    let mut person = world.person("dana@example.org").await;
    world.join(&person, &strict, Role::Viewer).await;
    world.join(&person, &lax, Role::Viewer).await;
    for (pause, may_enter) in [(0, true), (900, true), (901, false), (7_200, false)] {
        person.longest_idle = TimeDelta::seconds(pause);
        let ctx = world.context(Actor::Person(Arc::new(person.clone())));
        let outcome = access::enter(&ctx, "strict").await;
        let expect = if may_enter { None } else { Some(Error::SessionIdle) };
        assert_eq!(outcome.err(), expect, "{pause}");
        assert!(access::enter(&ctx, "lax").await.is_ok(), "{pause}");
    }
}

#[tokio::test]
async fn a_colour_is_turned_on_and_off() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let owner = world.member(&acme, Role::Owner).await;
    let form = async |is_on, hue: &str| Branding { is_on, hue: hue.into(), version: version(&owner).await };
    settings::change_branding(&owner, &form(true, "145").await).await.unwrap();
    let brand = again(&world, &owner).await.tenant().brand.unwrap();
    assert!((brand.hue() - 145.0).abs() < 0.01 && (brand.chroma() - 0.15).abs() < 0.001);
    settings::change_branding(&owner, &form(false, "145").await).await.unwrap();
    assert_eq!(again(&world, &owner).await.tenant().brand, None);
    let stored = tenant::list(&world.operator()).await.unwrap();
    assert_eq!(stored[0].tenant.brand, None);
}

fn a_png(width: u32) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend(width.to_be_bytes());
    png.extend(64_u32.to_be_bytes());
    png.extend(b"\x08\x06\0\0\0....\0\0\0\0IEND\xae\x42\x60\x82");
    png
}

#[tokio::test]
async fn a_logo_is_seen_by_members_and_gone_when_it_is_removed() {
    let world = World::new().await;
    let acme = world.tenant("acme", "UTC").await;
    let (owner, viewer) = (world.member(&acme, Role::Owner).await, world.member(&acme, Role::Viewer).await);
    assert_eq!(logo::read(&viewer).await, Err(Error::NotFound));
    let refused = logo::set(&owner, b"<svg/>", &version(&owner).await).await.unwrap_err();
    assert_eq!(fields(&refused), ["logo"]);
    logo::set(&owner, &a_png(64), &version(&owner).await).await.unwrap();
    let first = again(&world, &owner).await.tenant().logo.clone().unwrap();
    let seen = logo::read(&viewer).await.unwrap();
    assert_eq!((seen.kind, seen.content), ("image/png", a_png(64)));
    logo::set(&owner, &a_png(65), &version(&owner).await).await.unwrap();
    assert_ne!(again(&world, &owner).await.tenant().logo.as_ref(), Some(&first), "its address is another");
    assert_eq!(logo::set(&viewer, &a_png(64), "1").await, Err(Error::Forbidden(Permission::SettingsUpdate)));
    logo::remove(&owner, &version(&owner).await).await.unwrap();
    assert_eq!(logo::read(&viewer).await, Err(Error::NotFound));
    assert_eq!(again(&world, &owner).await.tenant().logo, None);
    let log = world.audit(Some(&acme)).await;
    assert_eq!(log.iter().filter(|(action, ..)| action == "settings.logo").count(), 3);
}

#[tokio::test]
async fn sandbox_mode_is_switched_by_who_may_and_off_only_with_a_fresh_proof() {
    let world = World::new().await;
    let tenant = world.tenant("acme", "UTC").await;
    let owner = world.member(&tenant, Role::Owner).await;
    let editor = world.member(&tenant, Role::Editor).await;
    assert!(!tenant.is_sandbox, "a new tenant is live");
    let refused = settings::change_mode(&editor, true, &version(&owner).await).await;
    assert_eq!(refused, Err(Error::Forbidden(Permission::SettingsUpdate)));
    let seen = version(&owner).await;
    settings::change_mode(&owner, true, &seen).await.unwrap();
    assert!(again(&world, &owner).await.tenant().is_sandbox);
    assert!(
        matches!(settings::change_mode(&owner, false, &seen).await, Err(Error::Conflict(_))),
        "made from an older page"
    );

    let mut stale = owner.context().person().unwrap().clone();
    stale.proved_at = Some(world.clock.now() - TimeDelta::minutes(6));
    let stale = world.enter(&stale, &tenant).await;
    assert_eq!(settings::change_mode(&stale, false, &version(&owner).await).await, Err(Error::NotFresh));
    settings::change_mode(&stale, true, &version(&owner).await).await.unwrap();
    assert!(again(&world, &owner).await.tenant().is_sandbox);

    settings::change_mode(&owner, false, &version(&owner).await).await.unwrap();
    assert!(!again(&world, &owner).await.tenant().is_sandbox);
    let written = world.audit(Some(&tenant)).await;
    let modes: Vec<_> = written.iter().filter(|(action, ..)| action == "settings.mode").collect();
    assert_eq!(modes.len(), 2, "the change that changed nothing is not an event: {written:?}");
}
