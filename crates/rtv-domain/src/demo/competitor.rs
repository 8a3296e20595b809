//! Brands that an organisation of the demo compares itself with. Their figures follow its own at a distance, so that they have the
//! same seasons, and one of them lacks a month, as entered figures do.

use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::Error;
use rtv_core::period::Grain;

use crate::demo::deliver::lasting_id;
use crate::demo::story::Story;
use crate::transaction::{Tx, failed};

/// Where the ids of competitors begin among the lasting ones of an organisation.
const FIRST: u8 = 95;

/// A competitor: its name, what it has of the organisation's followers, posts and interactions in percent, and how many months
/// back from the last one is missing.
struct Rival(&'static str, [i64; 3], Option<usize>);

const OUTDOOR: [Rival; 3] = [
    Rival("Ridgeline Gear", [140, 90, 118], None),
    Rival("Polar & Pine", [75, 60, 64], Some(2)),
    Rival("Trailhead Supply", [42, 110, 31], None),
];

const COFFEE: [Rival; 2] =
    [Rival("Bean Harbour", [85, 70, 92], None), Rival("Third Crack Roasters", [30, 45, 38], Some(1))];

fn rivals(story: &Story) -> &'static [Rival] {
    match (story.is_house, story.crisis.is_some()) {
        (true, _) => &[],
        (false, true) => &OUTDOOR,
        (false, false) => &COFFEE,
    }
}

/// Writes them into the tenant of the transaction, after its posts.
pub(super) async fn write(tx: &mut Tx, story: &Story, today: NaiveDate, now: DateTime<Utc>) -> Result<(), Error> {
    let this_month = Grain::Month.floor(today, 0);
    let own = sqlx::query!(
        r#"
        with own as (
          select
            account.platform, date_trunc('month', post.published_from)::date as month, count(*) as posts,
            sum(coalesce(post.reactions, 0) + coalesce(post.comments, 0) + coalesce(post.shares, 0))::bigint as interactions
          from post
          join account on account.tenant_id = post.tenant_id and account.id = post.account_id
          where post.is_sample and post.published_from < $1 and account.platform <> 'sandbox'
          group by 1, 2
        )
        select
          own.platform, own.month as "month!", own.posts as "posts!", own.interactions as "interactions!",
          (
            select sum(last.followers)::bigint
            from account
            cross join lateral (
              select account_daily.followers
              from account_daily
              where account_daily.tenant_id = account.tenant_id and account_daily.account_id = account.id
                and account_daily.day < (own.month + interval '1 month')::date
              order by account_daily.day desc
              limit 1
            ) as last
            where account.platform = own.platform
          ) as followers
        from own
        order by 1, 2 desc
        "#,
        this_month
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let author = format!("editor@{}.example", story.slug);
    for (place, Rival(name, shares, missing)) in (FIRST..).zip(rivals(story)) {
        let id = lasting_id(story, place);
        let is_new = sqlx::query!(
            r#"
            insert into competitor (tenant_id, id, name, created_at, created_by, updated_at, changed_by, is_sample)
            values (rtv_tenant(), $1, $2, $3, $4, $3, $4, true)
            on conflict do nothing
            "#,
            id,
            name,
            now,
            author,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected()
            > 0;
        // Somebody has gone on with it: it is theirs now.
        if !is_new {
            continue;
        }
        let mut months: [Vec<i64>; 3] = Default::default();
        let (mut platforms, mut firsts): (Vec<String>, Vec<NaiveDate>) = (Vec::new(), Vec::new());
        let last = own.iter().map(|row| row.month).max();
        for (index, row) in own.iter().enumerate() {
            let back = last.and_then(|last| months_between(row.month, last)).unwrap_or_default();
            if *missing == Some(back) {
                continue;
            }
            platforms.push(row.platform.clone());
            firsts.push(row.month);
            let of = [row.followers.unwrap_or(0), row.posts, row.interactions];
            for (figure, (value, share)) in of.into_iter().zip(shares).enumerate() {
                // Steady brands sway by a few percent; followers hardly.
                let sway = i64::try_from((index * 7 + usize::from(place) * 5 + figure * 3) % 13).unwrap_or(0) - 6;
                let sway = if figure == 0 { sway / 4 } else { sway };
                months[figure].push(value * (share + sway) / 100);
            }
        }
        sqlx::query!(
            r#"
            insert into competitor_month (
              tenant_id, competitor_id, platform, month, followers, posts, interactions, changed_at, changed_by, is_sample
            )
            select rtv_tenant(), $1, new.*, $7, $8, true
            from unnest($2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[]) as new
            "#,
            id,
            &platforms,
            &firsts,
            &months[0],
            &months[1],
            &months[2],
            now,
            author,
        )
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// Whole months from one first day to a later one.
fn months_between(from: NaiveDate, to: NaiveDate) -> Option<usize> {
    use chrono::Datelike as _;
    let months = |day: NaiveDate| day.year() * 12 + i32::try_from(day.month0()).unwrap_or(0);
    usize::try_from(months(to) - months(from)).ok()
}
