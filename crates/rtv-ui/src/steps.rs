//! Where one is in something that takes several pages. A step that is done may lead back.

use leptos::prelude::*;

use crate::{Icon, IconName};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Behind.
    Done,
    /// Here.
    Current,
    /// Ahead.
    Ahead,
}

impl StepState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Ahead => "ahead",
        }
    }
}

/// One of [`Steps`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The word.
    pub label: String,
    /// Where it stands.
    pub state: StepState,
    /// The page of a step that can be gone back to.
    pub href: Option<String>,
}

/// The steps in their order.
#[component]
pub fn Steps(
    /// What has these steps, for screen readers.
    #[prop(into)]
    label: String,
    /// The steps.
    steps: Vec<Step>,
) -> impl IntoView {
    let steps = steps
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let sign = if step.state == StepState::Done {
                view! { <Icon name=IconName::Check /> }.into_any()
            } else {
                (index + 1).to_string().into_any()
            };
            let words = match step.href {
                Some(href) => view! { <a class="c-steps__word" href=href>{step.label}</a> }.into_any(),
                None => view! { <span class="c-steps__word">{step.label}</span> }.into_any(),
            };
            let is_done = step.state == StepState::Done;
            let is_current = step.state == StepState::Current;
            view! {
                <li
                    class="c-steps__step"
                    data-state=step.state.as_str()
                    aria-current=is_current.then_some("step")
                >
                    <span class="c-steps__sign" aria-hidden="true">{sign}</span>
                    {words}
                    {is_done.then(|| view! { <span class="u-visually-hidden">", done"</span> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="c-steps" aria-label=label>{steps}</ol> }.into_any()
}
