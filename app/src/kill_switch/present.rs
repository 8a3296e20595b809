//! What the pages of the kill switches show, in words: how a switch stands, what a scope is called and how an address and a
//! form name it, and times as people of a tenant or of the operator read them.

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;
use rtv_core::{Action, Platform, ReasonKind};
use rtv_domain::format::Format;
use rtv_domain::kill_switch::State;
use rtv_domain::{Tenant, TenantContext};
use rtv_ui::{ErrorSummary, SelectOption, SwitchState};

use crate::page::{Flash, Place};

/// Where the pages stand, and how times are written there.
#[derive(Clone)]
pub(crate) enum House {
    /// In a tenant.
    Tenant { slug: String, name: String, format: Format },
    /// In the operator's console.
    Staff,
}

impl House {
    pub(crate) fn of(ctx: &TenantContext) -> Self {
        Self::of_tenant(ctx.tenant())
    }

    pub(crate) fn of_tenant(tenant: &Tenant) -> Self {
        Self::Tenant { slug: tenant.slug.to_string(), name: tenant.name.clone(), format: Format::of(tenant) }
    }

    /// Address of the place.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Tenant { slug, .. } => Place::Switches.address(slug),
            Self::Staff => "/staff/switches".into(),
        }
    }

    /// Address of a page below the place.
    pub(crate) fn below(&self, rest: impl core::fmt::Display) -> String {
        format!("{}/{rest}", self.path())
    }

    /// The page that halts, with a scope chosen already.
    pub(crate) fn halt(&self, scope: &ScopeText) -> String {
        format!("{}/halt?scope={}", self.path(), escaped(&scope.to_string()))
    }

    pub(crate) const fn is_staff(&self) -> bool {
        matches!(self, Self::Staff)
    }

    /// What was refused, above a form. The console says it above each of its pages.
    pub(crate) fn error_summary(&self, flash: &Flash) -> Option<impl IntoView + use<>> {
        let errors = flash.errors.clone();
        (!self.is_staff()).then(|| view! { <ErrorSummary errors /> })
    }

    /// Day and time with their zone.
    pub(crate) fn instant(&self, at: DateTime<Utc>) -> String {
        match self {
            Self::Tenant { format, .. } => format.instant(at),
            Self::Staff => at.format("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }

    /// Time of a day that is clear, with its zone.
    pub(crate) fn time(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
        if (now - at).abs() > TimeDelta::hours(18) {
            return self.instant(at);
        }
        match self {
            Self::Tenant { format, .. } => format.time(at),
            Self::Staff => at.format("%H:%M UTC").to_string(),
        }
    }

    /// Time to the second, for what a page says about itself.
    pub(crate) fn to_the_second(&self, at: DateTime<Utc>) -> String {
        match self {
            Self::Tenant { format, .. } => format.to_the_second(at),
            Self::Staff => at.format("%H:%M:%S UTC").to_string(),
        }
    }
}

/// A length of time, short: `12 min`, `3 h`, `2 days`.
pub(crate) fn age(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match minutes {
        ..=0 => "just now".into(),
        1..=99 => format!("{minutes} min"),
        100..=2_879 => format!("{} h", span.num_hours()),
        _ => format!("{} days", span.num_days()),
    }
}

/// Milliseconds as people read them: `180 ms`, `2.4 s`.
pub(crate) fn milliseconds(count: i64) -> String {
    if count < 1_000 {
        return format!("{count} ms");
    }
    let tenths = (count + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// Milliseconds from the press to the standstill, as far as they are known.
pub(crate) fn took(ms: Option<f64>) -> String {
    ms.map_or_else(|| rtv_domain::format::MISSING.to_owned(), |ms| milliseconds(rounded(ms)))
}

fn rounded(ms: f64) -> i64 {
    // Days have 86 million milliseconds; what does not fit is no time that anybody waited.
    #[allow(clippy::cast_possible_truncation)]
    let whole = ms.round() as i64;
    whole
}

/// A scope as addresses and forms name it: `global`, `everything`, `all` (the whole tenant whose page it is), or pairs like
/// `platform=x&action=publish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeText(String);

impl ScopeText {
    /// As typed or pressed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Of parts; what is left out means all. `tenant` is a slug.
    pub(crate) fn of_parts(
        tenant: Option<&str>,
        platform: Option<Platform>,
        action: Option<Action>,
        all: &str,
    ) -> Self {
        let pairs: Vec<String> = [
            tenant.map(|slug| format!("tenant={slug}")),
            platform.map(|platform| format!("platform={platform}")),
            action.map(|action| format!("action={action}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        Self(if pairs.is_empty() { all.to_owned() } else { pairs.join("&") })
    }

    /// What stands under a name; `None`: all.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.0.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether it is “global, everything”.
    pub fn is_everything(&self) -> bool {
        self.0 == "everything"
    }

    /// Whether it says nothing that a scope says.
    pub fn is_known(&self) -> bool {
        matches!(self.0.as_str(), "global" | "everything" | "all")
            || (!self.0.is_empty()
                && self.0.split('&').all(|pair| {
                    pair.split_once('=').is_some_and(|(name, value)| {
                        matches!(name, "tenant" | "platform" | "action" | "account" | "campaign") && !value.is_empty()
                    })
                }))
    }
}

impl core::fmt::Display for ScopeText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text for the query of an address.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The reasons to choose from.
pub(crate) fn reasons(chosen: &str) -> Vec<SelectOption> {
    ReasonKind::ALL
        .iter()
        .filter(|kind| **kind != ReasonKind::Drill)
        .map(|kind| SelectOption {
            value: kind.key().into(),
            label: kind.label().into(),
            selected: kind.key() == chosen,
        })
        .collect()
}

/// When a halt is looked at again, to choose from: what is sent, and what is read.
pub(crate) const REVIEWS: [(&str, &str); 4] =
    [("1h", "In 1 hour"), ("4h", "In 4 hours"), ("24h", "In 24 hours"), ("72h", "In 3 days")];

/// A word with its count: `1 delivery`, `3 deliveries`.
pub(crate) fn count(number: i64, one: &str, several: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {several}") }
}

/// How a switch stands, for the eye.
pub(crate) const fn switch_state(state: State) -> SwitchState {
    match state {
        State::Running => SwitchState::Running,
        State::Halting { .. } => SwitchState::Halting,
        State::Halted { .. } => SwitchState::Halted,
        State::Unknown => SwitchState::Unknown,
    }
}

/// The words of a state, with what is left of it.
pub(crate) fn state_words(state: SwitchState, in_flight: i64) -> String {
    match state {
        SwitchState::Halting if in_flight > 0 => format!("Halting, {in_flight} in flight"),
        _ => state.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_what_it_was_made_of() {
        let text = ScopeText::of_parts(Some("acme"), Some(Platform::X), None, "global");
        assert_eq!(text.to_string(), "tenant=acme&platform=x");
        assert_eq!((text.part("tenant"), text.part("platform"), text.part("action")), (Some("acme"), Some("x"), None));
        assert_eq!(ScopeText::of_parts(None, None, None, "all").to_string(), "all");
        for good in ["all", "global", "everything", "account=acc_1"] {
            assert!(ScopeText::new(good).is_known(), "{good}");
        }
        for bad in ["", "moon", "platform", "platform=", "moon=1"] {
            assert!(!ScopeText::new(bad).is_known(), "{bad}");
        }
    }

    #[test]
    fn lengths_of_time_are_short() {
        let check = |seconds, expect: &str| assert_eq!(age(TimeDelta::seconds(seconds)), expect);
        check(20, "just now");
        check(720, "12 min");
        check(7_200, "2 h");
        check(400_000, "4 days");
        assert_eq!((milliseconds(180), milliseconds(2_449)), ("180 ms".to_owned(), "2.4 s".to_owned()));
    }
}
