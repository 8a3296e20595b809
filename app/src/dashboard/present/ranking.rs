//! Words of the best and weakest posts.

use rtv_core::kpi::Kpi;
use rtv_domain::format::{Format, machine};
use rtv_domain::post::Post;
use rtv_domain::ranking::{Ranked, Ranking};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::dashboard::ranking::{RankedView, RankingView};

/// The panel for a page that looks at `metric`.
pub(super) fn ranking(format: &Format, metric: Kpi, ranking: Ranking) -> RankingView {
    let label = ranking.kpi.label();
    let greatest = ranking.best.iter().chain(&ranking.worst).map(|ranked| ranked.value.abs()).max().unwrap_or_default();
    let row = |ranked: Ranked| view(format, ranking.kpi, ranked, greatest);
    let mut notes = Vec::new();
    if ranking.kpi != metric {
        notes.push(format!("No single post has a figure for {}, so posts are ranked by engagements.", metric.label()));
    }
    if ranking.unranked > 0 {
        let (posts, are) = if ranking.unranked == 1 { ("post", "is") } else { ("posts", "are") };
        notes.push(format!(
            "{} {posts} without {} {are} not ranked.",
            format.count(ranking.unranked),
            label.to_lowercase()
        ));
    }
    if ranking.worst.is_empty() && !ranking.best.is_empty() {
        notes.push("There are too few posts for a list of the weakest.".into());
    }
    RankingView {
        key: ranking.kpi.key().into(),
        label: label.into(),
        text: format!(
            "{} posts published in the period, by {} to date.",
            format.count(ranking.ranked),
            label.to_lowercase()
        ),
        best: ranking.best.into_iter().map(row).collect(),
        worst: ranking.worst.into_iter().map(row).collect(),
        notes,
    }
}

fn view(format: &Format, kpi: Kpi, ranked: Ranked, greatest: Decimal) -> RankedView {
    let percent = if greatest.is_zero() {
        0
    } else {
        (ranked.value.abs() / greatest * Decimal::ONE_HUNDRED).round().to_u32().unwrap_or(0)
    };
    let post = &ranked.post;
    let when = post.published_at.map_or_else(|| format.month(post.first_day), |at| format.clock(at));
    let detail: Vec<&str> =
        [Some(when.as_str()), Some(post.account_name.as_str()), post.kind.as_deref()].into_iter().flatten().collect();
    RankedView {
        id: post.id.to_string(),
        place: ranked.place.to_string(),
        title: title(post).chars().take(120).collect(),
        detail: detail.join(" · "),
        value: format.exact(kpi.unit(), ranked.value),
        exact: machine(ranked.value),
        percent,
    }
}

/// The text of a post, or its platform's id where it has none.
pub(super) fn title(post: &Post) -> &str {
    post.body.as_deref().map(str::trim).filter(|body| !body.is_empty()).unwrap_or(&post.external_id)
}
