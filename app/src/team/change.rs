//! `/t/{tenant}/team/members/{user}/change`: what a member would gain and lose, before it is saved. The change stands in the
//! address, so the page can be loaded again and sent to somebody who may save it.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, Crumb, Definition, DefinitionList, Diff, FieldChange, LinkButton, Notice, PageHeader, Tone, Variant,
};

use crate::page::{Drawn, Framed};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) facts: Vec<(String, String)>,
    /// Each with its key and what it allows.
    pub(super) gains: Vec<(String, String)>,
    pub(super) losses: Vec<(String, String)>,
    /// What the form sends.
    pub(super) fields: Vec<(String, String)>,
    pub(super) refusal: Option<String>,
    /// Whether it would change nothing at all.
    pub(super) is_same: bool,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<ChangeView>) -> Drawn {
    let Framed { frame, content } = page;
    let member = format!("/t/{}/team/members/{}", frame.slug, content.id);
    let crumbs = vec![
        Crumb { label: content.name.clone(), href: Some(member.clone()) },
        Crumb { label: "Review the change".into(), href: None },
    ];
    let facts = content.facts.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>();
    let counts = (content.gains.len(), content.losses.len());
    let changes = {
        let word = |(key, description): (String, String)| format!("{key}: {description}");
        let gains = content.gains.into_iter().map(|one| FieldChange {
            field: word(one),
            before: None::<String>.into(),
            after: "held".into(),
        });
        let losses = content.losses.into_iter().map(|one| FieldChange {
            field: word(one),
            before: "held".into(),
            after: None::<String>.into(),
        });
        losses.chain(gains).collect::<Vec<_>>()
    };
    let diff = if changes.is_empty() {
        let text = if content.is_same {
            "This is what they have now; there is nothing to save."
        } else {
            "Everything that they may do stays as it is; only the name of the role or the way it is given changes."
        };
        view! { <p class="u-muted">{text}</p> }.into_any()
    } else {
        view! { <Diff caption="What is gained and lost" changes /> }.into_any()
    };
    let action = member.clone();
    let title = format!("What {} gains and loses", content.name);
    let subtitle = match counts {
        (0, 0) => "Nothing is gained or lost.".to_owned(),
        (gains, losses) => format!("{gains} gained, {losses} lost. It holds with their next request."),
    };
    let hidden = content
        .fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    let can_save = content.refusal.is_none() && !content.is_same;
    let refusal = content.refusal.map(|text| {
        view! { <Notice tone=Tone::Danger><strong>"This cannot be saved: "</strong>{text}</Notice> }
    });
    let save = can_save.then(|| view! { <Button variant=Variant::Primary>"Save the change"</Button> });
    let html = view! {
            <PageHeader title subtitle />
            {refusal}
            <Card title="The change">
                <DefinitionList items=facts />
            </Card>
            <Card title="Gained and lost">
                <div class="l-stack" data-gap="4">
                    {diff}
                    <form method="post" action=action class="l-cluster">
                        {hidden}
                        {save}
                        <LinkButton href=member>"Back without saving"</LinkButton>
                    </form>
                </div>
            </Card>
    };
    Drawn::new(crumbs, false, html)
}
