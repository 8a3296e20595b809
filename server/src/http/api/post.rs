//! `/api/v1/posts`: the posts behind the figures of a period.

use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use rtv_core::{Error, PostId};
use rtv_domain::post::{self, Cursor, Figures, Post, Query};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::kpi::{FilterParams, Money, covered, filter, narrowed};
use super::list::{Ask, ListParams, Page, next};

/// An account that a post belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Account", example = json!({ "id": "acc_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "acme-page", "platform": "facebook" }))]
pub struct AccountObject {
    id: String,
    name: String,
    platform: String,
}

/// Figures of a post; null is missing, never zero.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "PostFigures")]
pub struct FiguresObject {
    reach: Option<i64>,
    impressions: Option<i64>,
    reactions: Option<i64>,
    comments: Option<i64>,
    shares: Option<i64>,
    clicks: Option<i64>,
    /// Sum of the four before, of those that are known.
    engagements: Option<i64>,
    conversions: Option<i64>,
    revenue: Option<Money>,
}

impl FiguresObject {
    fn of(figures: Figures, currency: &str) -> Self {
        Self {
            reach: figures.reach,
            impressions: figures.impressions,
            reactions: figures.reactions,
            comments: figures.comments,
            shares: figures.shares,
            clicks: figures.clicks,
            engagements: figures.engagements,
            conversions: figures.conversions,
            revenue: figures.revenue.map(|amount| Money::of(amount, currency)),
        }
    }
}

/// A post.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Post", example = json!({
    "id": "post_0192f3c4a1b27d3e8f9a0b1c2d3e4f50",
    "account": { "id": "acc_0192f3c4a1b27d3e8f9a0b1c2d3e4f50", "name": "acme-page", "platform": "facebook" },
    "external_id": "1220093", "kind": "photo", "text": "New in the shop.", "published_at": "2026-11-20T10:00:00Z",
    "published_on": "2026-11-20", "basis": "lifetime",
    "figures": { "reach": 900, "impressions": 1200, "reactions": 31, "comments": 4, "shares": 2, "clicks": 18,
        "engagements": 55, "conversions": null, "revenue": null }
}))]
pub struct PostObject {
    /// Its id.
    id: String,
    /// Its account.
    account: AccountObject,
    /// The platform's own id of it.
    external_id: String,
    /// Photo, video, …, as the platform calls it.
    kind: Option<String>,
    /// The text.
    text: Option<String>,
    /// When it was published; null where only the month is known.
    published_at: Option<DateTime<Utc>>,
    /// First day on which it may have been published, in the tenant's zone.
    published_on: NaiveDate,
    /// What the figures count: `lifetime`, totals to date; `period`, what it gained in the period.
    basis: String,
    /// Its figures.
    figures: FiguresObject,
}

impl PostObject {
    fn of(post: Post, basis: &str, currency: &str) -> Self {
        Self {
            id: post.id.to_string(),
            account: AccountObject {
                id: post.account.to_string(),
                name: post.account_name,
                platform: post.platform.key().into(),
            },
            external_id: post.external_id,
            kind: post.kind,
            text: post.body,
            published_at: post.published_at,
            published_on: post.first_day,
            basis: basis.into(),
            figures: FiguresObject::of(post.figures, currency),
        }
    }
}

/// From which figure the posts are asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub struct MetricParams {
    /// The figure that the posts are behind, such as `published`: what was published in the period are other posts than those
    /// that gained something in it.
    metric: Option<String>,
}

const LIST: &str = "posts";

/// A place of the list as it travels: day, instant, id.
fn written(cursor: Cursor) -> String {
    let at = cursor.published_at.map(|at| at.to_rfc3339()).unwrap_or_default();
    format!("{} {at} {}", cursor.day, cursor.id)
}

fn read(place: &str) -> Option<Cursor> {
    let mut parts = place.split(' ');
    let (day, at, id) = (parts.next()?, parts.next()?, parts.next()?);
    let published_at = match at {
        "" => None,
        at => Some(DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc)),
    };
    Some(Cursor { day: day.parse().ok()?, published_at, id: id.parse::<PostId>().ok()? })
}

/// Posts of a period
///
/// The newest first. They add up to the figures of the same period. Needs analytics:read.
#[utoipa::path(get, path = "/api/v1/posts", tag = "Figures", operation_id = "listPosts",
    params(FilterParams, MetricParams, ListParams),
    responses((status = 200, description = "Posts.", body = Page<PostObject>)))]
pub async fn list(caller: Caller) -> Response {
    let page = async {
        let ask = Ask::parse(&caller, LIST)?;
        let asked = filter(&caller)?;
        let after = match ask.after.as_deref().map(read) {
            Some(None) => return Err(Error::invalid("after", "use the “next” of the page before, as it was.")),
            place => place.flatten(),
        };
        let ctx = &narrowed(&caller, &asked).await?;
        let query = Query {
            period: asked.period(ctx.today(), ctx.tenant().week_start)?,
            filter: covered(&asked),
            metric: asked.metric,
            after,
        };
        let found = post::list_some(ctx, &query, ask.rows()).await?;
        let (basis, currency) = (found.basis.key(), &ctx.tenant().currency);
        Ok(Page {
            items: found.posts.into_iter().map(|post| PostObject::of(post, basis, currency)).collect(),
            next: found.next.map(|cursor| next(LIST, &written(cursor))),
        })
    };
    caller.answer(page.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        let id: PostId = "post_0192f3c4a1b27d3e8f9a0b1c2d3e4f50".parse().unwrap();
        for published_at in [None, Some("2026-11-20T10:00:00.123456Z".parse().unwrap())] {
            let cursor = Cursor { day: "2026-11-20".parse().unwrap(), published_at, id };
            assert_eq!(read(&written(cursor)), Some(cursor));
        }
        assert_eq!(read("2026-11-20 post_1"), None);
    }
}
