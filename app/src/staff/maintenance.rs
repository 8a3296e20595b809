//! `/staff/maintenance`: whether it is on, and the switch.

use leptos::prelude::*;
use rtv_core::Error;
use rtv_ui::{Badge, Button, Card, Definition, DefinitionList, Field, PageHeader, Tone, Variant};

use super::console::{Page, Section, time};
use crate::request::Request;

const PATH: &str = "/staff/maintenance";

pub(super) async fn page(request: &Request) -> Result<Page, Error> {
    let on = rtv_domain::maintenance::current(&request.context).await?;
    let flash = request.flash.clone().unwrap_or_default();
    let state = match &on {
        Some(on) => {
            let mut facts = vec![
                Definition::new("Reason", on.reason.clone()),
                Definition::new("Since", time(on.since)),
                Definition::new("Switched on by", on.by.clone()),
            ];
            facts.extend(on.expected_until.map(|at| Definition::new("Expected until", time(at))));
            view! {
                <Card title="Now" text="Every page says so, and nothing can be changed.">
                    <div class="l-stack" data-gap="4">
                        <p data-maintenance="on"><Badge tone=Tone::Warning>"On"</Badge></p>
                        <DefinitionList items=facts />
                        <form method="post" action=format!("{PATH}/off")>
                            <Button variant=Variant::Primary>"Switch maintenance off"</Button>
                        </form>
                    </div>
                </Card>
            }
            .into_any()
        }
        None => view! {
            <Card title="Now" text="Everything works as usual.">
                <p data-maintenance="off"><Badge tone=Tone::Success>"Off"</Badge></p>
            </Card>
        }
        .into_any(),
    };
    let (title, verb, variant) = match &on {
        Some(_) => ("Announce something else", "Change what is announced", Variant::Neutral),
        None => ("Switch it on", "Switch maintenance on", Variant::Danger),
    };
    let kept = |name: &str, now: Option<String>| flash.value(name).or(now);
    let reason = kept("reason", on.as_ref().map(|on| on.reason.clone()));
    let until =
        kept("until", on.as_ref().and_then(|on| on.expected_until).map(|at| at.format("%Y-%m-%d %H:%M").to_string()));
    let (reason_error, until_error) = (flash.error("reason"), flash.error("until"));
    let body = view! {
        <PageHeader
            title="Maintenance"
            subtitle="While it is on, everything can be read and exported and nothing changes, on every instance. Signing in and out goes on, and so do mail and the sealing of audit logs; imports wait."
        />
        <div class="l-grid" data-columns="2">
            {state}
            <Card title>
                <form class="l-stack" data-gap="4" method="post" action=PATH autocomplete="off">
                    <Field
                        label="Reason"
                        name="reason"
                        hint="Everybody reads it, also who is not signed in."
                        value=reason
                        error=reason_error
                        maxlength="500"
                        required=true
                    />
                    <Field
                        label="Expected until (UTC)"
                        name="until"
                        hint="Like 2026-11-22 06:00. Announced and no more: switch it off yourself."
                        value=until
                        error=until_error
                        maxlength="25"
                    />
                    <div>
                        <Button variant>{verb}</Button>
                    </div>
                </form>
            </Card>
        </div>
    };
    Ok(Page { section: Section::Maintenance, crumbs: Vec::new(), body: body.into_any() })
}
