//! How far a figure is towards its target. The bar is a drawing, whose widths are attributes and no styles; the words
//! beside it say the same.

use leptos::prelude::*;

/// A bar with a mark where the target lies. What is reached beyond the target is drawn beyond the mark.
#[component]
pub fn TargetBar(
    /// What is measured.
    #[prop(into)]
    label: String,
    /// The reached share of the target: 0.91; more than 1 is more than was wanted.
    share: f64,
    /// In words: "912 of 1,000 (91%)".
    #[prop(into)]
    text: String,
    /// Whether that is enough, which for a ceiling is another question than whether the bar is long.
    is_met: bool,
) -> impl IntoView {
    let (filled, mark) = widths(share);
    let word = if is_met { "on target" } else { "short of target" };
    view! {
        <div class="c-target" data-state=if is_met { "met" } else { "short" }>
            <div class="c-target__words">
                <span class="c-target__label">{label}</span>
                <span class="c-target__text">{text} <span class="u-visually-hidden">", "{word}</span></span>
            </div>
            <svg class="c-target__bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect class="c-target__track" width="100" height="8"></rect>
                <rect class="c-target__fill" width=format!("{filled:.1}") y="2" height="4"></rect>
                <rect class="c-target__mark" x=format!("{mark:.1}") width="1" height="8"></rect>
            </svg>
        </div>
    }
    .into_any()
}

/// Width of the fill and place of the mark in a bar of 100. The longer of the two takes nearly all of it.
fn widths(share: f64) -> (f64, f64) {
    const END: f64 = 98.0;
    let share = if share.is_finite() { share.max(0.0) } else { 0.0 };
    let scale = END / share.max(1.0);
    (share * scale, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_where_the_target_is_reached() {
        let check = |share: f64, filled: f64, mark: f64| {
            let found = widths(share);
            assert!((found.0 - filled).abs() < 0.05 && (found.1 - mark).abs() < 0.05, "{share}: {found:?}");
        };
        check(0.0, 0.0, 98.0);
        check(0.5, 49.0, 98.0);
        check(1.0, 98.0, 98.0);
        check(2.0, 98.0, 49.0);
        check(-1.0, 0.0, 98.0);
        check(f64::NAN, 0.0, 98.0);
    }
}
