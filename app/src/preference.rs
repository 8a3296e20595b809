//! How RTV looks and behaves for the person who asks: the attributes that the server writes on `<html>`, so that the
//! first byte has the right theme already, and the choices of the person's menu. The forms are answered by the server's
//! `http/preference.rs`.

use rtv_core::{Density, Preference, Theme};
use rtv_ui::{Choice, ChoiceOption};

/// The preferences of who asks; of somebody unknown the defaults.
#[cfg(feature = "ssr")]
pub fn current() -> Preference {
    use leptos::prelude::use_context;
    use_context::<crate::request::Request>()
        .and_then(|request| request.context.person().map(|person| person.preference))
        .unwrap_or_default()
}

/// Where a choice is posted.
pub const ACTION: &str = "/me/preferences";

fn choice(label: &str, name: &str, options: Vec<ChoiceOption>) -> Choice {
    Choice { label: label.into(), name: name.into(), options }
}

fn option(value: &str, label: &str, chosen: bool) -> ChoiceOption {
    ChoiceOption { value: value.into(), label: label.into(), chosen }
}

/// Whether keys act that are pressed alone.
pub fn single_keys(preference: Preference) -> Choice {
    let is_on = preference.has_single_keys;
    choice("Single-key shortcuts", "single_keys", vec![option("on", "On", is_on), option("off", "Off", !is_on)])
}

/// What a person may choose, with what is in force.
pub fn choices(preference: Preference) -> Vec<Choice> {
    vec![
        choice(
            "Theme",
            "theme",
            Theme::ALL.iter().map(|one| option(one.key(), one.label(), *one == preference.theme)).collect(),
        ),
        choice(
            "Density",
            "density",
            Density::ALL.iter().map(|one| option(one.key(), one.label(), *one == preference.density)).collect(),
        ),
        single_keys(preference),
    ]
}
