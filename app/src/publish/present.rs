//! Words and addresses that the pages of content, deliveries and accounts write alike: what was chosen in an address, states, texts
//! and times. Runs on the server only.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, TimeZone as _, Utc};
use rtv_core::delivery::State;
use rtv_core::{AccountId, FieldError, Platform};
use rtv_domain::TenantContext;
use rtv_domain::content::Choices;
use rtv_ui::Tone;

use super::StateView;
use crate::dashboard::ChoiceView;

/// The parameters of an address.
pub(crate) type Pairs = [(String, String)];

/// The first value of a parameter; empty where there is none.
pub(crate) fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

/// A parameter that names one of a list; what names none of it is refused under its name.
pub(crate) fn parsed<T: core::str::FromStr>(pairs: &Pairs, name: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    let text = value(pairs, name);
    if text.is_empty() {
        return None;
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        errors
            .push(FieldError {
                field: name.into(), message: format!("choose from the list; “{text}” is not in it.")
            });
    }
    parsed
}

/// Choices of a menu with “All” before them; what is chosen and not among them stands last, so that the form says what the
/// address says.
pub(crate) fn choices(chosen: &str, all: &str, list: impl IntoIterator<Item = (String, String)>) -> Vec<ChoiceView> {
    let choice = |value: String, label: String| ChoiceView { is_chosen: value == chosen, value, label };
    let mut choices: Vec<ChoiceView> = core::iter::once(choice(String::new(), all.into()))
        .chain(list.into_iter().map(|(value, label)| choice(value, label)))
        .collect();
    if !choices.iter().any(|one| one.is_chosen) {
        choices.push(choice(chosen.into(), chosen.into()));
    }
    choices
}

/// An address with the parameters that are not empty; they are words and ids, which need no escape.
pub(crate) fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// The beginning of a text, on one line.
pub(crate) fn beginning(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 90 {
        return line;
    }
    let mut cut: String = line.chars().take(89).collect();
    cut.push('…');
    cut
}

/// An account with its platform.
pub(crate) fn account_label(name: &str, platform: Platform) -> String {
    format!("{name} · {}", platform.label())
}

/// An instant as machines read it.
pub(crate) fn machine_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How a state looks.
pub(crate) fn state_view(state: State) -> StateView {
    let tone = match state {
        State::Draft | State::Dropped => Tone::Neutral,
        State::InReview | State::Approved | State::Scheduled | State::Claimed | State::Sending | State::Accepted => {
            Tone::Info
        }
        State::Confirmed => Tone::Success,
        State::Held | State::Missed | State::Unknown => Tone::Warning,
        State::Rejected | State::NeedsPerson => Tone::Danger,
    };
    StateView { key: state.key().into(), label: state.label().into(), tone }
}

/// Refuses an account that is not offered: of others as of nobody, neither is in the list.
pub(crate) fn refuse_account(chosen: Option<AccountId>, offered: &Choices, errors: &mut Vec<FieldError>) {
    if chosen.is_some_and(|id| !offered.accounts.iter().any(|one| one.id == id)) {
        let message = "there is no account like that; choose one from the list.".into();
        errors.push(FieldError { field: "account".into(), message });
    }
}

/// The accounts, for a menu.
pub(crate) fn account_choices(chosen: &str, offered: &Choices) -> Vec<ChoiceView> {
    let labels = offered.accounts.iter().map(|one| (one.id.to_string(), account_label(&one.name, one.platform)));
    choices(chosen, "All", labels)
}

/// What was refused, each under its field.
pub(crate) fn named(errors: Vec<FieldError>) -> Vec<(String, String)> {
    errors.into_iter().map(|error| (error.field, error.message)).collect()
}

/// A local time as fields hold it.
pub(crate) const LOCAL: &str = "%Y-%m-%dT%H:%M";

/// An instant as a field of the tenant's local time holds it.
pub(crate) fn local(ctx: &TenantContext, at: DateTime<Utc>) -> String {
    at.with_timezone(&ctx.tenant().zone).format(LOCAL).to_string()
}

/// What a field of local time can hold; browsers complain about a value that is no such time, and drop it.
pub(crate) fn local_time(typed: String) -> String {
    if NaiveDateTime::parse_from_str(&typed, LOCAL).is_ok() { typed } else { String::new() }
}

/// The zone of a field of local time, and what time it is there.
pub(crate) fn time_hint(ctx: &TenantContext) -> String {
    let zone = ctx.tenant().zone;
    let now = zone.from_utc_datetime(&ctx.now().naive_utc());
    format!("In {}, where it is {} now.", zone.name().replace('_', " "), now.format("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_stands_on_one_line() {
        assert_eq!(beginning("One\n two"), "One two");
        let cut = beginning(&"word ".repeat(40));
        assert!(cut.chars().count() == 90 && cut.ends_with('…'), "{cut}");
    }

    #[test]
    fn a_field_of_time_holds_local_times_only() {
        let check = |typed: &str, expect: &str| assert_eq!(local_time(typed.into()), expect, "{typed}");
        check("2026-11-25T09:00", "2026-11-25T09:00");
        check("2026-02-30T09:00", "");
        check("2026-11-25T09:00+01:00", "");
        check("tomorrow", "");
    }

    #[test]
    fn an_address_holds_what_is_chosen() {
        assert_eq!(address("/a", &[("state", ""), ("account", "acc_1"), ("after", "x")]), "/a?account=acc_1&after=x");
        assert_eq!(address("/a", &[("state", "")]), "/a");
    }

    #[test]
    fn what_is_chosen_is_in_the_menu_even_when_the_list_has_it_not() {
        let shown = choices("b", "All", [("a".to_owned(), "A".to_owned())]);
        assert_eq!(
            shown.iter().map(|one| (one.value.as_str(), one.is_chosen)).collect::<Vec<_>>(),
            [("", false), ("a", false), ("b", true)]
        );
    }
}
