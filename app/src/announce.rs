//! Says to people who listen what changed on a page that is open already. Everything that changes by itself goes
//! through `announce`: it speaks at most every five seconds and says together what came up meanwhile, because a
//! screen reader that is interrupted says nothing at all.

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Waits until the reader pauses: new figures, another page.
    Polite,
    /// Interrupts: something was halted or resumed, and nothing less.
    Assertive,
}

impl Urgency {
    /// Id of its region, which `App` keeps on every page.
    pub const fn region(self) -> &'static str {
        match self {
            Self::Polite => "live-polite",
            Self::Assertive => "live-assertive",
        }
    }
}

#[cfg(feature = "hydrate")]
pub use speaker::announce;

#[cfg(feature = "hydrate")]
mod speaker {
    use core::time::Duration;
    use std::cell::RefCell;

    use leptos::prelude::*;

    use super::Urgency;

    /// Between two messages of one region.
    const REST: Duration = Duration::from_secs(5);
    /// A region must be seen empty, or the same words twice are no change.
    const BLINK: Duration = Duration::from_millis(60);

    /// What waits to be said, and whether the region rests.
    #[derive(Default)]
    struct Speaker {
        waiting: Vec<String>,
        is_resting: bool,
    }

    thread_local! {
        static SPEAKERS: RefCell<[Speaker; 2]> = RefCell::default();
    }

    fn with<T>(urgency: Urgency, act: impl FnOnce(&mut Speaker) -> T) -> T {
        SPEAKERS.with_borrow_mut(|speakers| act(&mut speakers[usize::from(urgency == Urgency::Assertive)]))
    }

    /// Says something, now or with what else comes up in the next seconds. The same words are said once.
    pub fn announce(urgency: Urgency, text: impl Into<String>) {
        let text = text.into();
        let is_free = with(urgency, |speaker| {
            if !speaker.waiting.contains(&text) {
                speaker.waiting.push(text);
            }
            !speaker.is_resting
        });
        if is_free {
            speak(urgency);
        }
    }

    fn speak(urgency: Urgency) {
        let text = with(urgency, |speaker| {
            let text = core::mem::take(&mut speaker.waiting).join(". ");
            speaker.is_resting = !text.is_empty();
            text
        });
        if text.is_empty() {
            return;
        }
        if let Some(region) = document().get_element_by_id(urgency.region()) {
            region.set_text_content(None);
            set_timeout(move || region.set_text_content(Some(&text)), BLINK);
        }
        set_timeout(move || speak(urgency), REST);
    }
}
