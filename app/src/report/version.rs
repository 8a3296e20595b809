//! The versions of a report: who saved what, how two of them differ, and how to get one back.

use leptos::prelude::*;
use rtv_ui::{
    Badge, Button, Card, Crumb, Diff, FieldChange, PageHeader, SelectField, SelectOption, Table, Tone, Variant,
};

use crate::dashboard::AddressForm;
use crate::page::{Drawn, Framed};

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    pub(super) report: String,
    pub(super) name: String,
    /// Number of the newest.
    pub(super) newest: i64,
    pub(super) can_build: bool,
    /// Number, what was done, by whom and when.
    pub(super) rows: Vec<(i64, String, String)>,
    /// Where one is, in a list of several pages.
    pub(super) pager: Option<super::list::Pager>,
    pub(super) from: Vec<SelectOption>,
    pub(super) to: Vec<SelectOption>,
    /// How the two that are chosen differ: what, before, after.
    pub(super) differences: Option<(String, Vec<FieldChange>)>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<Versions>) -> Drawn {
    let Framed { frame, content } = page;
    let Versions { report, name, newest, can_build, rows, pager, from, to, differences } = content;
    let path = format!("/t/{}/reports/{report}", frame.slug);
    let crumbs = vec![Crumb { label: name, href: Some(path.clone()) }, Crumb { label: "Versions".into(), href: None }];
    let difference = differences.map(|(caption, changes)| {
        if changes.is_empty() {
            view! { <p class="u-muted">"They are the same."</p> }.into_any()
        } else {
            view! { <Diff caption changes /> }.into_any()
        }
    });
    let lines = rows
        .into_iter()
        .map(|(number, what, who)| {
            let action = if number == newest {
                view! { <Badge tone=Tone::Success>"Newest"</Badge> }.into_any()
            } else if can_build {
                view! {
                    <form method="post" action=format!("{path}/restore")>
                        <input type="hidden" name="version" value=newest />
                        <input type="hidden" name="number" value=number />
                        <Button small=true variant=Variant::Quiet label=format!("Restore version {number}")>"Restore"</Button>
                    </form>
                }
                .into_any()
            } else {
                ().into_any()
            };
            view! {
                <tr data-row=number>
                    <th scope="row">{number}</th>
                    <td data-label="What was done">{what}<span class="c-table__detail">{who}</span></td>
                    <td data-label="">{action}</td>
                </tr>
            }
        })
        .collect_view();
    let html = view! {
        <PageHeader title="Versions" subtitle="Each save is one. A run remembers the version that it was made from." />
        <div class="l-stack" data-gap="4">
            <Card title="Compare">
                <div class="l-stack" data-gap="4">
                    <AddressForm action=format!("{path}/versions")>
                        <div class="l-cluster">
                            <SelectField label="Version" name="from" options=from />
                            <SelectField label="with" name="to" options=to />
                            <Button>"Compare"</Button>
                        </div>
                    </AddressForm>
                    {difference}
                </div>
            </Card>
            <Card flush=true>
                <Table caption="Versions, the newest first" id="versions">
                    <thead><tr><th scope="col">"Version"</th><th scope="col">"What was done"</th><th scope="col"><span class="u-visually-hidden">"Act"</span></th></tr></thead>
                    <tbody>{lines}</tbody>
                </Table>
                {pager.map(|pager| pager.drawn("Pages of versions"))}
            </Card>
        </div>
    };
    Drawn::new(crumbs, false, html)
}
