//! The demo in a database: its figures are right, loading it again changes nothing, and it goes without a trace.

use std::collections::BTreeMap;

use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::Period;
use rtv_core::{Error, Permission, Platform, Role};
use rtv_domain::demo::{self, Loaded, Outcome};
use rtv_domain::import::Options;
use rtv_domain::kpi::{self, Figure, Filter, Query, Summary};
use rtv_domain::sample_data::{self, Removed};
use rtv_domain::target::{self, NewTarget};
use rtv_domain::user::{self, Belongs};
use rtv_domain::{Actor, Tenant, TenantContext, access, account, import, kpi_daily, post, post_hour, tenant};
use serde_json::Value;

use crate::world::{PASSWORD, World, at, passwords, secret};

/// A Saturday: the last day of the sample is a Friday.
const TODAY: &str = "2026-11-21T09:00:00Z";

impl World {
    async fn load(&self, now: &str, posts: Option<u32>) -> Result<Vec<Loaded>, Error> {
        let ctx = self.context_at(at(now), Actor::Operator("root@ops-1".into()));
        demo::load(&ctx, passwords(), posts, |_| {}).await
    }

    async fn tenant_of_demo(&self, slug: &str) -> Tenant {
        tenant::list(&self.operator())
            .await
            .unwrap()
            .into_iter()
            .find(|one| one.tenant.slug.as_str() == slug)
            .unwrap()
            .tenant
    }

    async fn inside(&self, slug: &str) -> TenantContext {
        access::enter_as_operator(&self.operator(), &slug.parse().unwrap(), "test").await.unwrap()
    }

    /// Rows of every table of the tenant but the audit log, which grows.
    async fn data(&self, tenant: &Tenant) -> Vec<(String, Vec<Value>)> {
        self.state(tenant, &["audit_event"]).await
    }
}

async fn check_roll_ups(ctx: &TenantContext) {
    assert_eq!(kpi_daily::verify(ctx).await.unwrap(), [], "{}", ctx.tenant().slug);
    assert_eq!(post_hour::verify(ctx).await.unwrap(), [], "{}", ctx.tenant().slug);
}

fn query(from: &str, to: &str) -> Query {
    let period = Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap();
    Query { period, previous: None, filter: Filter::default(), metric: Kpi::Reach, grain: None }
}

fn figure(summary: &Summary, kpi: Kpi) -> &Figure {
    summary.figures.iter().find(|figure| figure.kpi == kpi).unwrap()
}

/// Without ids and instants of writing, which differ between databases.
fn plain(rows: Vec<Value>) -> Vec<Value> {
    let mut rows: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            for column in ["tenant_id", "created_at", "updated_at", "measured_at"] {
                row.as_object_mut().unwrap().remove(column);
            }
            row
        })
        .collect();
    rows.sort_by_cached_key(Value::to_string);
    rows
}

#[tokio::test]
async fn the_figures_of_the_demo_are_right_and_look_like_life() {
    let world = World::new().await;
    let loaded = world.load(TODAY, None).await.unwrap();
    assert_eq!(loaded.iter().map(|one| one.slug).collect::<Vec<_>>(), ["northwind-outdoor", "kaffa-coffee", "house"]);
    for one in &loaded {
        assert!(matches!(one.outcome, Outcome::Loaded(written) if written.posts > 200), "{one:?}");
        check_roll_ups(&world.inside(one.slug).await).await;
        let tenant = world.tenant_of_demo(one.slug).await;
        assert!(!world.rows(&tenant, "post_hour").await.is_empty(), "{}", one.slug);
    }

    let northwind = world.inside("northwind-outdoor").await;
    let month = query("2026-10-25", "2026-11-21");
    let summary = kpi::summary(&northwind, &month).await.unwrap();
    assert_eq!(summary.basis, Basis::Period);
    for kpi in Kpi::ALL {
        assert!(figure(&summary, kpi).value.is_some(), "{kpi} is missing");
    }
    let coverage = figure(&summary, Kpi::Impressions).coverage;
    assert_eq!((coverage.platforms, coverage.of_platforms), (4, 6), "Bluesky and Mastodon do not tell");
    let late: Vec<_> = summary.late.iter().map(|one| (one.platform, one.until.to_string())).collect();
    assert_eq!(late, [(Platform::LinkedIn, "2026-11-18".to_owned())]);

    let sentiment = async |from: &str, to: &str| {
        let summary = kpi::summary(&northwind, &query(from, to)).await.unwrap();
        figure(&summary, Kpi::Sentiment).value.unwrap()
    };
    let (before, during) = (sentiment("2026-09-01", "2026-10-20").await, sentiment("2026-10-28", "2026-10-31").await);
    assert!(
        before > "0.2".parse().unwrap() && during < "-0.2".parse().unwrap(),
        "{before} before, {during} in the crisis"
    );

    let listing = post::list(
        &northwind,
        &post::Query { period: month.period, filter: Filter::default(), metric: Some(Kpi::Published), after: None },
    )
    .await
    .unwrap();
    assert_eq!(Some(listing.count.into()), figure(&summary, Kpi::Published).value);
    let hours: BTreeMap<u32, usize> = listing.posts.iter().fold(BTreeMap::new(), |mut hours, post| {
        let local = post.published_at.unwrap().with_timezone(&chrono_tz::Europe::Berlin);
        *hours.entry(chrono::Timelike::hour(&local)).or_default() += 1;
        hours
    });
    assert!(hours.keys().all(|hour| (6..23).contains(hour)) && hours.len() > 5, "{hours:?}");

    let kaffa = kpi::summary(&world.inside("kaffa-coffee").await, &month).await.unwrap();
    assert!(figure(&kaffa, Kpi::Revenue).value.is_some());
    assert_eq!(figure(&kaffa, Kpi::Roi).value, None, "it does not know what was paid");
    let house = kpi::summary(&world.inside("house").await, &month).await.unwrap();
    assert_eq!(figure(&house, Kpi::Revenue).value, None);
}

#[tokio::test]
async fn two_databases_get_the_same_demo_and_weeks_later_it_is_the_same_weeks_later() {
    let (one, other) = (World::new().await, World::new().await);
    one.load(TODAY, Some(200)).await.unwrap();
    other.load(TODAY, Some(200)).await.unwrap();
    for slug in ["northwind-outdoor", "kaffa-coffee", "house"] {
        let (left, right) = (one.tenant_of_demo(slug).await, other.tenant_of_demo(slug).await);
        for table in ["account", "campaign", "post", "post_daily", "account_daily", "kpi_daily", "post_hour"] {
            let (left, right) = (plain(one.rows(&left, table).await), plain(other.rows(&right, table).await));
            assert!(!left.is_empty());
            assert_eq!(left, right, "{table} of {slug}");
        }
    }
    other.load("2027-01-02T09:00:00Z", Some(200)).await.unwrap();
    let sums = async |world: &World, slug: &str, from: &str, to: &str| {
        let summary = kpi::summary(&world.inside(slug).await, &query(from, to)).await.unwrap();
        summary.figures.into_iter().map(|figure| (figure.kpi, figure.value, figure.coverage)).collect::<Vec<_>>()
    };
    for slug in ["northwind-outdoor", "kaffa-coffee"] {
        let now = sums(&one, slug, "2026-10-25", "2026-11-21").await;
        assert_eq!(now, sums(&other, slug, "2026-12-06", "2027-01-02").await, "six weeks later, {slug}");
    }
}

#[tokio::test]
async fn loading_again_changes_nothing_and_a_day_later_adds_a_day() {
    let world = World::new().await;
    world.load(TODAY, Some(200)).await.unwrap();
    let northwind = world.tenant_of_demo("northwind-outdoor").await;
    let before = world.state(&northwind, &[]).await;
    for posts in [None, Some(200)] {
        let again = world.load(TODAY, posts).await.unwrap();
        assert!(again.iter().all(|one| one.outcome == Outcome::Unchanged), "{again:?}");
    }
    assert_eq!(world.state(&northwind, &[]).await, before, "not even an event");

    let later = world.load("2026-11-22T09:00:00Z", None).await.unwrap();
    assert!(later.iter().all(|one| matches!(one.outcome, Outcome::Replaced(_))), "{later:?}");
    for slug in ["northwind-outdoor", "kaffa-coffee", "house"] {
        let ctx = world.inside(slug).await;
        check_roll_ups(&ctx).await;
    }
    let count = async |table: &str| world.rows(&northwind, table).await.len();
    assert_eq!((count("account").await, count("campaign").await), (10, 8), "nothing is there twice");
    let ids = |rows: Vec<Value>| -> Vec<Value> { rows.into_iter().map(|row| row["id"].clone()).collect() };
    let accounts = before.iter().find(|(table, _)| table == "account").unwrap().1.clone();
    assert_eq!(ids(world.rows(&northwind, "account").await), ids(accounts), "links to accounts live on");
    assert_eq!(world.rows(&northwind, "membership").await.len(), 4);

    let smaller = world.load("2026-11-22T09:00:00Z", Some(50)).await.unwrap();
    assert!(matches!(smaller[0].outcome, Outcome::Replaced(written) if written.posts == 50), "{smaller:?}");
    assert_eq!(smaller[1].outcome, Outcome::Unchanged, "a size is one of the largest tenant");
    assert_eq!(count("post").await, 50, "exactly as many as were asked for");
}

#[tokio::test]
async fn removal_takes_the_sample_and_leaves_everything_else() {
    let world = World::new().await;
    let bystander = world.tenant("bystander", "UTC").await;
    let other = world.member(&bystander, Role::Editor).await;
    let header = "platform,account_id,post_id,published_at,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment";
    let rows = format!("{header}\nx,a,p1,2026-03-02T10:00:00Z,,,5,,,,,,,\n");
    world.import_text(&other, &rows, Options::default()).await.unwrap();
    let untouched = world.state(&bystander, &[]).await;

    world.load(TODAY, Some(200)).await.unwrap();
    let northwind = world.tenant_of_demo("northwind-outdoor").await;
    assert!(northwind.has_sample_data);
    let editor = world.member(&northwind, Role::Editor).await;
    let admin = world.member(&northwind, Role::Admin).await;
    // Real data: an account of one's own, a post beside those of a sample account, and one of the sample's that an
    // import has changed.
    let taken: String = {
        let mut tx = world.as_tenant(&northwind).await;
        sqlx::query_scalar(
            "select external_id from post where account_id = (select id from account where platform = 'mastodon') order by id limit 1",
        )
        .fetch_one(&mut *tx)
        .await
        .unwrap()
    };
    let rows = format!(
        "{header}\nx,mine,p1,2026-11-02T10:00:00Z,,,5,,,,,,,\nbluesky,sample-northwind,p2,2026-11-03T10:00:00Z,,,7,,,,,,,\nmastodon,sample-northwind,{taken},2026-11-04T10:00:00Z,,,9,,,,,,,\n"
    );
    let imported = world.import_text(&editor, &rows, Options::default()).await.unwrap();
    assert_eq!((imported.counts.new, imported.counts.changed), (2, 1));

    for account in account::list(&editor).await.unwrap() {
        let new = NewTarget { kpi: "reach".into(), aim: account.id.to_string(), amount: "500".into() };
        target::set(&admin, &new).await.unwrap();
    }
    let new = NewTarget { kpi: "reach".into(), aim: "all".into(), amount: "9000".into() };
    target::set(&admin, &new).await.unwrap();

    assert_eq!(sample_data::remove(&editor).await, Err(Error::Forbidden(Permission::ContentDelete)));
    let removed = sample_data::remove(&admin).await.unwrap();
    assert_eq!((removed.posts, removed.accounts), (199, 8));

    for (table, rows) in world.data(&northwind).await {
        assert!(rows.iter().all(|row| row.get("is_sample").is_none_or(|is_sample| is_sample == false)), "{table}");
    }
    let count = async |table: &str| world.rows(&northwind, table).await.len();
    assert_eq!((count("post").await, count("account").await, count("import").await), (3, 3, 1));
    assert_eq!((count("post_daily").await, count("account_daily").await, count("campaign").await), (0, 0, 0));
    assert_eq!(count("membership").await, 6, "people stay");
    let known = world.tenant_of_demo("northwind-outdoor").await;
    assert!(!known.has_sample_data);
    let ctx = world.inside("northwind-outdoor").await;
    check_roll_ups(&ctx).await;
    assert_eq!(count("post_hour").await, 3, "one for each post that stays");
    assert_eq!(
        count("target").await,
        4,
        "one for all and one for each account; those of accounts that are gone went along"
    );
    let accounts = account::list(&ctx).await.unwrap();
    assert!(accounts.iter().all(|one| one.basis == Basis::Lifetime && one.figures_until.is_none()), "{accounts:?}");
    let summary = kpi::summary(&ctx, &query("2026-11-01", "2026-11-30")).await.unwrap();
    assert_eq!(figure(&summary, Kpi::Engagements).value, Some(21.into()), "what was imported, and nothing else");
    assert_eq!(world.state(&bystander, &[]).await, untouched);
    let events = world.audit(Some(&northwind)).await;
    let of = |action: &str, result: &str| events.iter().filter(|event| event.0 == action && event.1 == result).count();
    assert_eq!(
        (of("sample_data.load", "success"), of("sample_data.remove", "success"), of("permission.refused", "denied")),
        (1, 1, 1)
    );

    let state = world.state(&northwind, &[]).await;
    assert_eq!(sample_data::remove(&admin).await, Ok(Removed::default()));
    assert_eq!(world.state(&northwind, &[]).await, state, "there is nothing more to remove");
    let refused = world.load(TODAY, None).await;
    assert!(matches!(refused, Err(Error::Conflict(ref message)) if message.contains("real data")), "{refused:?}");
    assert_eq!(world.state(&northwind, &[]).await, state);

    // Taking the import back does not bring the sample's post back.
    import::roll_back(&editor, imported.id.unwrap()).await.unwrap();
    assert_eq!((count("post").await, count("kpi_daily").await, count("post_hour").await), (0, 0, 0));
}

#[tokio::test]
async fn what_was_removed_is_loaded_again_on_request() {
    let world = World::new().await;
    world.load(TODAY, Some(200)).await.unwrap();
    let house = world.tenant_of_demo("house").await;
    let before = plain(world.rows(&house, "post").await);
    let states: Vec<Value> = world.rows(&house, "delivery").await.iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states.len(), 7, "posts on their way, each in another state: {states:?}");
    let removed = demo::remove(&world.operator()).await.unwrap();
    assert_eq!(removed.len(), 3);
    assert_eq!(demo::remove(&world.operator()).await.unwrap(), [], "there is none left");
    for table in [
        "account",
        "campaign",
        "post",
        "post_daily",
        "account_daily",
        "kpi_daily",
        "post_hour",
        "content",
        "delivery",
        "attempt",
        "delivery_event",
    ] {
        assert_eq!(world.rows(&house, table).await, Vec::<Value>::new(), "{table}");
    }
    let again = world.load(TODAY, Some(200)).await.unwrap();
    assert!(again.iter().all(|one| matches!(one.outcome, Outcome::Loaded(_))), "{again:?}");
    assert_eq!(plain(world.rows(&house, "post").await), before);
}

#[tokio::test]
async fn tenants_and_people_who_are_not_the_demos_are_not_touched() {
    let world = World::new().await;
    let check = async |expect: &str| {
        let tenants = tenant::list(&world.operator()).await.unwrap();
        let people = user::list(&world.operator(), None).await.unwrap();
        match world.load(TODAY, None).await {
            Err(Error::Conflict(message)) => assert!(message.contains(expect), "{message}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(tenant::list(&world.operator()).await.unwrap(), tenants, "nothing was changed");
        assert_eq!(user::list(&world.operator(), None).await.unwrap(), people);
    };
    let create = async |email: &str, belongs: Belongs| {
        user::create(&world.operator(), passwords(), email, None, &secret(PASSWORD), belongs).await.unwrap();
    };
    world.tenant("acme", "UTC").await;
    create("staff@rtv.example", Belongs::Tenant { slug: "acme".into(), role: "viewer".into() }).await;
    check("staff@rtv.example is a person").await;
    world.tenant("kaffa-coffee", "UTC").await;
    check("“kaffa-coffee” is not the demo’s").await;
    let refused = world.load(TODAY, Some(0)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn everybody_of_the_demo_can_sign_in() {
    let world = World::new().await;
    world.load(TODAY, Some(50)).await.unwrap();
    let password = secret(demo::PASSWORD);
    let mut addresses: Vec<String> =
        demo::members().into_iter().flat_map(|member| member.people).map(|(address, _)| address).collect();
    assert_eq!(addresses.len(), 12);
    addresses.extend(demo::staff().map(str::to_owned));
    for address in addresses {
        let ctx = world.context(Actor::Anonymous);
        let verified = rtv_domain::sign_in::verify(&ctx, passwords(), &address, &password).await;
        assert!(verified.is_ok_and(|verified| verified.is_sample()), "{address}");
    }
    let staff = user::list(&world.operator(), None).await.unwrap();
    assert_eq!(staff.iter().filter(|one| one.is_staff).count(), 2);
}
