//! `/t/{tenant}/imports/{import}/roll-back`: says what taking an import back will do, and asks once.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use rtv_ui::{Button, Card, Crumb, LinkButton, PageHeader, Variant};
use serde::{Deserialize, Serialize};

use crate::import::api;
use crate::page::{Framed, GuardedPage, Place, TenantPage};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollBack {
    pub(super) file_name: String,
    /// Address of the import.
    pub(super) import: String,
    /// What will happen, a sentence each.
    pub(super) effects: Vec<String>,
    /// The words of the button.
    pub(super) button: String,
}

/// The page.
#[component]
pub fn RollBackPage() -> impl IntoView {
    let params = use_params_map();
    let page = Resource::new(
        move || {
            let params = params.read();
            (params.get("tenant").unwrap_or_default(), params.get("import").unwrap_or_default())
        },
        |(tenant, import)| api::read_roll_back(tenant, import),
    );
    let show = |page| view! { <Page page /> }.into_any();
    view! { <GuardedPage page place=Place::Imports show /> }
}

#[component]
fn Page(page: Framed<RollBack>) -> impl IntoView {
    let Framed { frame, content } = page;
    let RollBack { file_name, import, effects, button } = content;
    let action = format!("{import}/roll-back");
    let crumbs = vec![
        Crumb { label: file_name.clone(), href: Some(import.clone()) },
        Crumb { label: "Roll back".into(), href: None },
    ];
    let effects = effects.into_iter().map(|effect| view! { <li>{effect}</li> }).collect_view();
    view! {
        <TenantPage frame place=Place::Imports crumbs>
            <PageHeader title=format!("Roll back “{file_name}”?") />
            <Card title="What will happen">
                <div class="l-stack">
                    <ul class="c-import-notes">{effects}</ul>
                    <form method="post" action=action class="l-cluster">
                        <Button variant=Variant::Danger>{button}</Button>
                        <LinkButton href=import>"Keep it"</LinkButton>
                    </form>
                </div>
            </Card>
        </TenantPage>
    }
}
