//! How much of what was asked for reports a KPI, in words: the same on the dashboard and in reports. Runs over figures that were
//! read already.

use rtv_core::kpi::{Basis, Kpi};
use rust_decimal::Decimal;

use crate::format::Format;
use crate::kpi::Figure;

/// `4 of 6 platforms report this, 812 of 900 posts`. `None` where nothing reports it, and of publications, which are counted and
/// not reported.
pub fn words(format: &Format, figure: &Figure) -> Option<String> {
    let coverage = figure.coverage;
    if coverage.platforms == 0 || figure.kpi == Kpi::Published {
        return None;
    }
    let platforms = if coverage.of_platforms == 1 { "platform reports" } else { "platforms report" };
    let posts = match figure.basis {
        _ if coverage.posts >= coverage.of_posts => String::new(),
        Basis::Lifetime => format!(", {} of {} posts", format.count(coverage.posts), format.count(coverage.of_posts)),
        // Days of posts are many; how many of them are there says more than the two numbers. Cut off and not rounded:
        // all but one of them are not 100 %.
        Basis::Period => {
            let share = Decimal::from(coverage.posts) / Decimal::from(coverage.of_posts) * Decimal::ONE_HUNDRED;
            format!(", {}% of daily figures", format.decimal(share.trunc_with_scale(1), 1))
        }
    };
    Some(format!("{} of {} {platforms} this{posts}", coverage.platforms, coverage.of_platforms))
}

/// The same as a sentence, where not all of it reports the KPI.
pub(crate) fn gap(format: &Format, figure: &Figure) -> Option<String> {
    let coverage = figure.coverage;
    let is_whole = coverage.platforms >= coverage.of_platforms && coverage.posts >= coverage.of_posts;
    // Why a figure is missing is said by itself.
    words(format, figure).filter(|_| figure.value.is_some() && !is_whole).map(|words| format!("{words}."))
}

/// What is to be known of a total to which not every post gives something.
pub(crate) fn gap_of_posts(format: &Format, posts: i64, of_posts: i64) -> Option<String> {
    let is_part = posts > 0 && posts < of_posts;
    is_part.then(|| format!("{} of {} posts report this.", format.count(posts), format.count(of_posts)))
}
