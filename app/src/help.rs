//! `/help/keyboard`: all keyboard shortcuts, and the switch for those that are pressed alone. Open to everybody; who is
//! signed in sees the keys of the places that they may open.

use leptos::prelude::*;
use rtv_core::Preference;
use rtv_ui::{Card, ChoiceForm, KeyList, PageHeader};
use serde::{Deserialize, Serialize};

use crate::error::AppError;
use crate::not_found::FailedPage;
use crate::page::{Around, PersonPage};
use crate::{keyboard, palette, preference};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyboardHelp {
    around: Around,
    /// Of a person who is signed in.
    preference: Option<Preference>,
    has_mac_keys: bool,
}

/// Whose keys they are.
#[server(prefix = "/fn", endpoint = "help-keyboard", input = server_fn::codec::Json)]
pub async fn read_keyboard_help() -> Result<KeyboardHelp, AppError> {
    let request = crate::request::current();
    let preference = request.context.person().map(|person| person.preference);
    let around = match preference {
        Some(_) => crate::request::around(None).await?,
        None => Around::Nothing(request.flash.clone(), String::new()),
    };
    Ok(KeyboardHelp { around, preference, has_mac_keys: request.has_mac_keys() })
}

/// The page.
#[component]
pub fn KeyboardHelpPage() -> impl IntoView {
    let help = Resource::new(|| (), |()| read_keyboard_help());
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match help.await {
                    Ok(help) => view! { <Keys help /> }.into_any(),
                    Err(error) => view! { <FailedPage error /> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Keys(help: KeyboardHelp) -> impl IntoView {
    let KeyboardHelp { around, preference, has_mac_keys } = help;
    let groups = keyboard::groups(around.frame().map(|frame| &*frame.places).unwrap_or_default(), has_mac_keys);
    let switch = preference.map(|preference| {
        view! { <ChoiceForm choice=preference::single_keys(preference) action=preference::ACTION back=palette::HELP /> }
    });
    view! {
        <PersonPage around title="Keyboard shortcuts">
            <PageHeader
                title="Keyboard shortcuts"
                subtitle="They act on pages whose program has loaded, never while you type in a field, and none of them changes or deletes anything."
                actions=view! { {switch} }.into_any()
            />
            <Card>
                <KeyList groups />
            </Card>
        </PersonPage>
    }
}
