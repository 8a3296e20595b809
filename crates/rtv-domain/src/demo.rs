//! The demo: three organisations with people, accounts, campaigns and 18 months of posts and daily figures that look
//! like life. Drawing them is `script.rs`'s, what they are `story.rs`'s; here stands when a tenant may be touched, and
//! that each is loaded whole or not at all. What is written is marked and goes by `sample_data.rs`.

mod competitor;
mod deliver;
mod dice;
mod report;
mod script;
mod story;
mod words;
mod write;

use chrono::NaiveDate;
use rtv_core::{Email, Error, Role, Slug, UserId};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::access::{self, stored};
use crate::audit::Event;
use crate::context::{Access, Context, Tenant, TenantContext};
use crate::demo::script::Script;
use crate::demo::story::{ROLES, STAFF, STORIES, Story};
use crate::kpi_daily;
use crate::password::Passwords;
use crate::sample_data::{self, Removed};
use crate::tenant::{self, NewTenant};
use crate::transaction::{StaffPermission, Tx, failed};
use crate::user::{self, NewPerson};

pub use crate::demo::story::PASSWORD;
pub use crate::demo::write::Written;

/// Most posts of the largest tenant: what fits a disk of ordinary size.
const MOST_POSTS: u32 = 5_000_000;

/// A tenant of the demo and its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Name in addresses.
    pub slug: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Addresses and roles of its people.
    pub people: Vec<(String, Role)>,
}

/// What became of a tenant of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Name in addresses.
    pub slug: &'static str,
    /// Last day of its data.
    pub until: NaiveDate,
    /// What was done.
    pub outcome: Outcome,
}

/// What was done to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It held what was asked for.
    Unchanged,
    /// It held no sample data.
    Loaded(Written),
    /// It held data of an earlier day or another size, which the new one has taken the place of.
    Replaced(Written),
}

/// The tenants and people of the demo, whether they are loaded or not.
pub fn members() -> Vec<Member> {
    STORIES
        .iter()
        .map(|story| Member {
            slug: story.slug,
            name: story.name,
            people: ROLES.iter().map(|role| (address(story, *role), *role)).collect(),
        })
        .collect()
}

/// Addresses of the operator's people of the demo.
pub fn staff() -> [&'static str; 2] {
    STAFF.map(|(email, _)| email)
}

fn address(story: &Story, role: Role) -> String {
    format!("{role}@{}.example", story.slug)
}

/// How far loading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Which tenant.
    pub slug: &'static str,
    /// Posts written.
    pub posts: i64,
    /// Posts of the tenant.
    pub of_posts: i64,
}

/// Loads the demo. What is there already stays; data of an earlier day is moved to today by drawing it anew. `posts` is
/// the number of posts of the largest tenant; the others keep their size. Before anything is written everything is
/// looked at: a tenant or a person of the same name that is not the demo's refuses the whole of it.
pub async fn load(
    ctx: &Context,
    passwords: &Passwords,
    posts: Option<u32>,
    mut progress: impl FnMut(Progress),
) -> Result<Vec<Loaded>, Error> {
    if posts.is_some_and(|posts| !(1..=MOST_POSTS).contains(&posts)) {
        return Err(Error::invalid("posts", format!("use a number from 1 to {MOST_POSTS}")));
    }
    let mut plans = Vec::new();
    for story in &STORIES {
        plans.push(judge(ctx, story, posts.filter(|_| story.slug == STORIES[0].slug)).await?);
    }
    refuse_strangers(ctx).await?;

    add_staff(ctx, passwords).await?;
    let mut loaded = Vec::new();
    for plan in plans {
        loaded.push(plan.carry_out(ctx, passwords, &mut progress).await?);
    }
    Ok(loaded)
}

/// Removes the sample data of every tenant of the demo that holds some.
pub async fn remove(ctx: &Context) -> Result<Vec<(Slug, Removed)>, Error> {
    let mut removed = Vec::new();
    for listed in tenant::list(ctx).await?.into_iter().filter(|listed| listed.tenant.has_sample_data) {
        let slug = listed.tenant.slug;
        let inside = access::enter_as_operator(ctx, &slug, "rtv demo --remove").await?;
        removed.push((slug, sample_data::remove(&inside).await?));
    }
    Ok(removed)
}

/// What is to be done with a tenant.
struct Plan {
    story: &'static Story,
    tenant: Tenant,
    is_new: bool,
    /// Data that is there.
    present: Option<(NaiveDate, i64)>,
    posts: Option<u32>,
}

/// Looks at the tenant of a story; one that is not the demo's, or that is in real use by now, is refused.
async fn judge(ctx: &Context, story: &'static Story, posts: Option<u32>) -> Result<Plan, Error> {
    let slug: Slug = stored(story.slug.parse())?;
    let known = tenant::list(ctx).await?.into_iter().find(|listed| listed.tenant.slug == slug);
    let Some(known) = known else {
        let tenant = tenant::checked(NewTenant {
            slug: story.slug.into(),
            name: story.name.into(),
            zone: Some(story.zone.into()),
            locale: Some(story.locale.into()),
            currency: Some(story.currency.into()),
            plan: Some(story.plan.into()),
            is_house: story.is_house,
        })?;
        return Ok(Plan { story, tenant, is_new: true, present: None, posts });
    };
    let mut tx = ctx.begin_staff(StaffPermission::SampleDataLoad, Some(known.tenant.id)).await?;
    let state = sample_data::read(&mut tx, known.tenant.id).await?.ok_or(Error::NotFound)?;
    tx.rollback().await?;
    if !state.is_sample {
        return Err(Error::Conflict(format!(
            "the tenant “{slug}” is not the demo’s, so nothing was changed. Give the demo a database of its own, or call your tenant otherwise."
        )));
    }
    if state.loaded.is_none() && state.holds_real_data {
        return Err(Error::Conflict(format!(
            "the sample data of “{slug}” was removed and real data has come in, so nothing was changed. Give the demo a database of its own."
        )));
    }
    Ok(Plan { story, tenant: known.tenant, is_new: false, present: state.loaded, posts })
}

impl Plan {
    async fn carry_out(
        self,
        ctx: &Context,
        passwords: &Passwords,
        progress: &mut impl FnMut(Progress),
    ) -> Result<Loaded, Error> {
        let Self { story, tenant, is_new, present, posts } = self;
        let today = ctx.clock.today(tenant.zone);
        let script = Script::new(story, tenant.zone, today, posts);
        let until = script.last_day();
        let of_posts = script.posts();
        // Without a size any size will do.
        if let Some((there, size)) = present
            && there == until
            && (posts.is_none() || size == of_posts)
        {
            return Ok(Loaded { slug: story.slug, until, outcome: Outcome::Unchanged });
        }
        let hashes = if is_new { hash_for(passwords, ROLES.len()).await? } else { Vec::new() };
        let now = ctx.now();
        let mut tx = ctx.begin_staff(StaffPermission::SampleDataLoad, Some(tenant.id)).await?;
        tx.take_time().await?;
        kpi_daily::lock_facts(&mut tx, tenant.id).await?;
        if is_new {
            tenant::insert(&mut tx, &tenant, now).await?;
            for ((role, name), hash) in ROLES.into_iter().zip(story.people).zip(&hashes) {
                add_person(&mut tx, &tenant, story, role, name, hash, now).await?;
            }
        }
        let inside = TenantContext {
            context: ctx.clone(),
            tenant: tenant.clone().into(),
            access: Access::Operator,
            last_seen_at: None,
            read_only: crate::access::read_only(&tenant, &tx),
            narrowed: Vec::new(),
        };
        inside.refuse_read_only()?;
        let removed = match present {
            Some(_) => Some(sample_data::clear(&mut tx, tenant.id).await?),
            None => None,
        };
        let slug = story.slug;
        let written =
            write::write(&mut tx, story, &script, now, |posts| progress(Progress { slug, posts, of_posts })).await?;
        deliver::write(&mut tx, story, tenant.zone, today, now).await?;
        competitor::write(&mut tx, story, today, now).await?;
        report::write(&mut tx, story, &tenant, today, now).await?;
        sample_data::note(&mut tx, tenant.id, Some((until, of_posts))).await?;
        let after = json!({ "until": until, "written": written, "took_the_place_of": removed });
        tx.audit(Event::new("sample_data.load", "sample_data", "all").after(after)).await?;
        tx.commit().await?;
        let outcome = if removed.is_some() { Outcome::Replaced(written) } else { Outcome::Loaded(written) };
        Ok(Loaded { slug, until, outcome })
    }
}

/// A hash for each person. They have the same password, but a hash of one's own hides even that; it takes a tenth of a
/// second each, two at a time.
async fn hash_for(passwords: &Passwords, people: usize) -> Result<Vec<String>, Error> {
    let password = SecretString::from(PASSWORD);
    futures::future::try_join_all((0..people).map(|_| passwords.hash(&password))).await
}

/// Everybody knows the demo's password: nobody who exists may come to have a place in the demo, or the demo one of
/// theirs.
async fn refuse_strangers(ctx: &Context) -> Result<(), Error> {
    let addresses: Vec<String> = members()
        .into_iter()
        .flat_map(|member| member.people)
        .map(|(address, _)| address)
        .chain(staff().map(str::to_owned))
        .collect();
    let mut tx = ctx.begin_staff(StaffPermission::SampleDataLoad, None).await?;
    let strangers = sqlx::query_scalar!(
        "select email from app_user where email = any($1) and not is_sample order by email",
        &addresses
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    tx.rollback().await?;
    match strangers.first() {
        Some(stranger) => Err(Error::Conflict(format!(
            "{stranger} is a person who is not the demo’s, so nothing was changed. Give the demo a database of its own."
        ))),
        None => Ok(()),
    }
}

async fn add_person(
    tx: &mut Tx,
    tenant: &Tenant,
    story: &Story,
    role: Role,
    name: &str,
    hash: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Error> {
    let email: Email = stored(address(story, role).parse())?;
    let id = UserId::from(Uuid::now_v7());
    user::insert(tx, NewPerson { id, email: &email, name, hash, is_sample: true }, now).await?;
    user::add_member(tx, tenant, id, role, now).await?;
    let after = json!({ "email": email, "name": name, "role": role, "is_new": true });
    tx.audit(Event::new("member.add", "user", id.to_string()).after(after)).await
}

/// Makes the operator's people who are not there yet.
async fn add_staff(ctx: &Context, passwords: &Passwords) -> Result<(), Error> {
    let mut tx = ctx.begin_staff(StaffPermission::SampleDataLoad, None).await?;
    let known = sqlx::query_scalar!("select email from app_user where is_sample")
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    tx.rollback().await?;
    let missing: Vec<_> = STAFF.iter().filter(|(email, _)| !known.iter().any(|one| one == email)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let hashes = hash_for(passwords, missing.len()).await?;
    let mut tx = ctx.begin_staff(StaffPermission::SampleDataLoad, None).await?;
    for ((email, name), hash) in missing.into_iter().zip(&hashes) {
        let email: Email = stored(email.parse())?;
        let id = UserId::from(Uuid::now_v7());
        user::insert(&mut tx, NewPerson { id, email: &email, name, hash, is_sample: true }, ctx.now()).await?;
        user::add_staff(&mut tx, id).await?;
        let after = json!({ "email": email, "name": name, "is_new": true });
        tx.audit(Event::new("staff.add", "user", id.to_string()).after(after)).await?;
    }
    tx.commit().await
}
