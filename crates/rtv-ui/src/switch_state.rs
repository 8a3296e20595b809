//! How a kill switch stands, told four times: by colour, by a shape, by a word and by the way it is filled. Each alone
//! is enough, so that it survives grey paper and eyes that see colours otherwise.

use leptos::prelude::*;

use crate::Words;

/// How a switch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchState {
    /// Work goes on.
    Running,
    /// Stopped, and something is still under way.
    Halting,
    /// Stopped, and nothing is under way.
    Halted,
    /// Stopped by a switch above it.
    Inherited,
    /// Nobody has heard of it for too long.
    Unknown,
}

impl SwitchState {
    /// Every state, the quietest first.
    pub const ALL: [Self; 5] = [Self::Running, Self::Halting, Self::Halted, Self::Inherited, Self::Unknown];

    /// The word, where nothing more exact is known.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Halting => "Halting",
            Self::Halted | Self::Inherited => "Halted",
            Self::Unknown => "Unknown",
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Halting => "halting",
            Self::Halted => "halted",
            Self::Inherited => "inherited",
            Self::Unknown => "unknown",
        }
    }

    /// The shape in a box of 16 by 16.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Running => "M4 2.5v11l9.5-5.5z",
            Self::Halting => "M8 1.5a6.5 6.5 0 1 0 0 13zm1.5 0a6.5 6.5 0 0 1 0 13v-1.6a5 5 0 0 0 0-9.8z",
            Self::Halted => "M3 3h10v10H3z",
            Self::Inherited => "M4.5 1 8.5 5.5H5.75V8h-2.5V5.5H.5zM8 8h7v7H8z",
            Self::Unknown => {
                "M7.1 10.6h1.8c0-2.2 2.9-2.3 2.9-5 0-2-1.6-3.4-3.8-3.4S4.3 3.5 4.2 5.6H6c.1-1 .9-1.7 2-1.7s2 .7 2 1.7c0 1.8-2.9 2-2.9 5zM7 12h2v2H7z"
            }
        }
    }
}

/// A switch's state as a badge.
#[component]
pub fn SwitchBadge(
    /// How it stands.
    state: SwitchState,
    /// More than the word: "Halting, 3 left", "Halted by Global", "Unknown since 14:02". Must begin with the word.
    #[prop(optional, into)]
    text: Words,
) -> impl IntoView {
    view! {
        <span class="c-switch" data-state=state.as_str()>
            <svg class="c-switch__shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
                <path d=state.path()></path>
            </svg>
            <span>{text.into_option().unwrap_or_else(|| state.word().to_owned())}</span>
        </span>
    }
    .into_any()
}
