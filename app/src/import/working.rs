//! How far the work on an import is. The page that arrives says it once; without a script it asks again by itself, and
//! a page that is hydrated asks for the figures alone.

use leptos::prelude::*;
use rtv_ui::{LinkButton, Notice, Progress, Tone};
use serde::{Deserialize, Serialize};

/// Seconds after which a page without a script loads itself again.
const AGAIN: u32 = 3;

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressView {
    /// State of the import: a page that shows another one is out of date.
    pub(super) state: String,
    pub(super) label: String,
    pub(super) thousandths: Option<u32>,
    pub(super) text: String,
    /// What is not as it should be.
    pub(super) trouble: Option<String>,
}

/// The bar, and what keeps it up to date.
#[component]
pub fn Working(
    progress: ProgressView,
    tenant: String,
    import: String,
    /// Address of the page.
    path: String,
    /// Shows the page anew, in the state that the import has come to.
    reload: Callback<()>,
) -> impl IntoView {
    let label = progress.label.clone();
    let now = RwSignal::new(progress);
    // Said now and then and not every second: a voice that never stops is no help.
    let said = RwSignal::new(String::new());
    #[cfg(feature = "hydrate")]
    watch(now, said, tenant, import, reload);
    #[cfg(not(feature = "hydrate"))]
    let _ = (tenant, import, reload);
    // As text: inside of a page with a script browsers take it for text too, and hydration would look for elements.
    let again = format!("<meta http-equiv=\"refresh\" content=\"{AGAIN}\">");
    view! {
        <noscript inner_html=again></noscript>
        <Progress
            label
            id="progress"
            thousandths=Signal::derive(move || now.read().thousandths)
            text=Signal::derive(move || now.read().text.clone())
        />
        {move || now.read().trouble.clone().map(|text| view! { <Notice tone=Tone::Warning>{text}</Notice> })}
        <p class="u-visually-hidden" role="status">{move || said.get()}</p>
        <div class="l-cluster">
            <LinkButton href=path small=true external=true>"Refresh"</LinkButton>
            <p class="u-muted u-small">"You may leave this page. The work goes on, and the list of imports shows how it ended."</p>
        </div>
    }
}

/// Asks every second until the import is in another state.
#[cfg(feature = "hydrate")]
fn watch(now: RwSignal<ProgressView>, said: RwSignal<String>, tenant: String, import: String, reload: Callback<()>) {
    use core::time::Duration;

    /// Every how many questions the answer is said aloud.
    const SAID: u32 = 10;

    let shown = now.get_untracked().state;
    Effect::new(move || {
        let (tenant, import, shown) = (tenant.clone(), import.clone(), shown.clone());
        let is_asking = StoredValue::new(false);
        let asked = StoredValue::new(0_u32);
        let ask = move || {
            if is_asking.try_get_value().unwrap_or(true) {
                return;
            }
            is_asking.set_value(true);
            let (tenant, import, shown) = (tenant.clone(), import.clone(), shown.clone());
            leptos::task::spawn_local(async move {
                let answer = crate::import::api::read_import_progress(tenant, import).await;
                // The page may have been left meanwhile.
                if is_asking.try_set_value(false).is_some() {
                    return;
                }
                match answer {
                    Ok(progress) if progress.state == shown => {
                        asked.update_value(|asked| *asked += 1);
                        if asked.get_value() % SAID == 1 {
                            said.set(progress.text.clone());
                        }
                        now.set(progress);
                    }
                    Ok(_) => reload.run(()),
                    Err(error) => now.update(|now| now.trouble = Some(error.error.explanation())),
                }
            });
        };
        if let Ok(timer) = set_interval_with_handle(ask, Duration::from_secs(1)) {
            on_cleanup(move || timer.clear());
        }
    });
}
