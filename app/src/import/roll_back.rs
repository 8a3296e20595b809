//! `/t/{tenant}/imports/{import}/roll-back`: says what taking an import back will do, and asks once.

use leptos::prelude::*;
use rtv_ui::{Button, Card, Crumb, LinkButton, PageHeader, Variant};

use crate::page::{Drawn, Framed};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollBack {
    pub(super) file_name: String,
    /// Address of the import.
    pub(super) import: String,
    /// What will happen, a sentence each.
    pub(super) effects: Vec<String>,
    /// The words of the button.
    pub(super) button: String,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<RollBack>) -> Drawn {
    let RollBack { file_name, import, effects, button } = page.content;
    let action = format!("{import}/roll-back");
    let crumbs = vec![
        Crumb { label: file_name.clone(), href: Some(import.clone()) },
        Crumb { label: "Roll back".into(), href: None },
    ];
    let effects = effects.into_iter().map(|effect| view! { <li>{effect}</li> }).collect_view();
    let html = view! {
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
    };
    Drawn::new(crumbs, false, html)
}
