//! One account, drawn: whose it is on its network, whether RTV may act as it, and what can be done about that.

use leptos::prelude::*;
use rtv_ui::{
    Button, Card, ConfirmPage, Crumb, Definition, DefinitionList, LinkButton, Notice, PageHeader, Tone, Variant,
};

use crate::page::{Drawn, Framed};
use crate::publish::StateView;

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    pub(super) name: String,
    pub(super) subtitle: String,
    pub(super) path: String,
    pub(super) state: StateView,
    pub(super) problem: Option<String>,
    pub(super) facts: Vec<(String, String)>,
    /// Lists of what belongs to it.
    pub(super) links: Vec<(String, String)>,
    pub(super) acts: Option<Acts>,
    /// Why the reader cannot change anything, or why nothing can be changed.
    pub(super) needed: Option<String>,
    /// Asked to confirm that the connection is cut.
    pub(super) disconnection: Option<Disconnection>,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acts {
    pub(super) is_connected: bool,
    /// What a token would do, and where one is given.
    pub(super) connect: Option<(&'static str, String)>,
}

/// What is asked before a connection is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnection {
    pub(super) version: String,
    pub(super) consequences: Vec<String>,
}

/// The page, drawn.
pub(super) fn drawn(page: Framed<AccountView>) -> Drawn {
    let content = page.content;
    let AccountView { name, subtitle, path, state, problem, facts, links, acts, needed, disconnection } = content;
    if let Some(Disconnection { version, consequences }) = disconnection {
        let crumbs = vec![
            Crumb { label: name.clone(), href: Some(path.clone()) },
            Crumb { label: "Disconnect".into(), href: None },
        ];
        let html = view! {
            <ConfirmPage
                title=format!("Disconnect {name}?")
                consequences
                action=format!("{path}/disconnect")
                verb=format!("Disconnect {name}")
                cancel_href=path
                hidden=vec![("version".to_owned(), version)]
            />
        };
        return Drawn::new(crumbs, false, html);
    }
    let crumbs = vec![Crumb { label: name.clone(), href: None }];
    let facts = facts.into_iter().map(|(term, value)| Definition::new(term, value)).collect::<Vec<_>>();
    let links = links
        .into_iter()
        .map(|(words, href)| view! { <LinkButton href small=true>{words}</LinkButton> })
        .collect_view();
    let problem = problem.map(|text| view! { <Notice tone=Tone::Warning>{text}</Notice> });
    let acts = acts.map(|acts| act_card(acts, &path));
    let needed = needed.map(|text| view! { <p class="u-muted u-small">{text}</p> });
    let html = view! {
        <PageHeader title=name subtitle actions=state.badge() />
        {problem}
        <div class="l-grid" data-columns="2">
            <Card title="The account">
                <div class="l-stack" data-gap="3">
                    <DefinitionList items=facts />
                    <div class="l-cluster">{links}</div>
                    {needed}
                </div>
            </Card>
            {acts}
        </div>
    };
    Drawn::new(crumbs, false, html)
}

fn act_card(acts: Acts, path: &str) -> AnyView {
    let (verify, disconnect) = (format!("{path}/verify"), format!("{path}?step=disconnect"));
    let connected = acts.is_connected.then(|| {
        view! {
            <div class="l-cluster">
                <form method="post" action=verify>
                    <Button>"Verify now"</Button>
                </form>
                <LinkButton href=disconnect variant=Variant::Quiet>"Disconnect…"</LinkButton>
            </div>
        }
    });
    let again = acts.connect.map(|(text, href)| {
        view! {
            <p>{text}</p>
            <div>
                <LinkButton href>"Connect with a token"</LinkButton>
            </div>
        }
    });
    view! {
        <Card title="Connection" text="RTV acts as the account with a token of the network.">
            <div class="l-stack" data-gap="4">
                {connected}
                {again}
            </div>
        </Card>
    }
    .into_any()
}
