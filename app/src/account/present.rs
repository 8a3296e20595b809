//! From the domain's accounts to the rows and sentences that people read. Runs on the server only.

use leptos::prelude::use_context;
use rtv_core::{AccountId, Error, Permission, Platform, capability};
use rtv_domain::TenantContext;
use rtv_domain::account::{self, Connection, ConnectionState};
use rtv_domain::format::{Format, MISSING, ago};
use rtv_ui::Tone;

use crate::account::SandboxPage;
use crate::account::list::{AccountRow, Accounts, ConnectView};
use crate::account::one::{AccountView, Acts, Disconnection};
use crate::dashboard::ChoiceView;
use crate::publish::StateView;
use crate::publish::present::value;

fn state_view(state: ConnectionState) -> StateView {
    let (key, tone) = match state {
        ConnectionState::Connected => ("connected", Tone::Success),
        ConnectionState::Broken => ("broken", Tone::Danger),
        ConnectionState::Disconnected => ("disconnected", Tone::Neutral),
    };
    StateView { key: key.into(), label: state.label().into(), tone }
}

/// The same of an account. Where RTV does not publish there is nothing to connect, and nothing is missing.
fn standing(one: &Connection) -> StateView {
    if !one.can_publish && one.state == ConnectionState::Disconnected {
        return StateView { key: "figures".into(), label: "Figures only".into(), tone: Tone::Neutral };
    }
    state_view(one.state)
}

/// Why nothing can be posted to it, where something is wrong.
fn obstacle(ctx: &TenantContext, one: &Connection) -> Option<String> {
    if let Some(problem) = &one.problem {
        return Some(problem.clone());
    }
    (ctx.tenant().is_sandbox && one.can_publish && one.platform != Platform::Sandbox)
        .then(|| "Not in sandbox mode: what is meant for it is held.".to_owned())
}

fn needed() -> String {
    format!(
        "Connecting an account needs the permission “{}”. An owner or admin of this organisation can grant it.",
        Permission::AccountsConnect.key()
    )
}

/// The list.
pub(super) async fn list(ctx: &TenantContext) -> Result<Accounts, Error> {
    let flash = crate::request::current().flash.unwrap_or_default();
    let connections = account::connections(ctx).await?;
    let format = Format::of(ctx.tenant());
    let path = format!("/t/{}/accounts", ctx.tenant().slug);
    let can_connect = ctx.access().grants(Permission::AccountsConnect);
    let chosen = flash.value("platform").unwrap_or_else(|| Platform::Sandbox.key().into());
    let (now, later): (Vec<Platform>, Vec<Platform>) =
        Platform::ALL.into_iter().partition(|platform| capability::of(*platform).can_publish);
    let later: Vec<&str> = later.into_iter().map(Platform::label).collect();
    Ok(Accounts {
        rows: connections
            .iter()
            .map(|one| AccountRow {
                id: one.account.to_string(),
                href: format!("{path}/{}", one.account),
                name: one.name.clone(),
                platform: one.platform.label().into(),
                remote: one.remote_id.clone(),
                state: standing(one),
                problem: obstacle(ctx, one),
                verified: one.verified_at.map_or_else(|| MISSING.into(), |at| ago(at, ctx.now())),
                verified_at: one.verified_at.map(|at| format.instant(at)),
            })
            .collect(),
        connect: can_connect.then(|| ConnectView {
            platforms: now
                .into_iter()
                .map(|platform| ChoiceView {
                    value: platform.key().into(),
                    label: platform.label().into(),
                    is_chosen: platform.key() == chosen,
                })
                .collect(),
            sandbox: use_context::<SandboxPage>().map(|SandboxPage(address)| address).unwrap_or_default(),
        }),
        needed: (!can_connect).then(needed),
        later: format!(
            "“Figures only”: RTV does not publish to {} yet. Their figures come by imports.",
            worded(&later)
        ),
        errors: flash.errors,
    })
}

/// Words with commas and an “or”.
fn worded(words: &[&str]) -> String {
    match words {
        [] => "other networks".into(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// One account. There is none: [`Error::NotFound`].
pub(super) async fn one(ctx: &TenantContext, id: &str, pairs: &[(String, String)]) -> Result<AccountView, Error> {
    let connections = account::connections(ctx).await?;
    let id: AccountId = id.parse().map_err(|_| Error::NotFound)?;
    let one = connections.into_iter().find(|one| one.account == id).ok_or(Error::NotFound)?;
    let format = Format::of(ctx.tenant());
    let slug = &ctx.tenant().slug;
    let path = format!("/t/{slug}/accounts/{id}");
    let can_connect = ctx.access().grants(Permission::AccountsConnect);
    let mut facts = vec![
        ("Network".to_owned(), one.platform.label().to_owned()),
        ("Id on the network".to_owned(), one.remote_id.clone()),
    ];
    facts.extend(one.remote_name.clone().map(|name| ("Name on the network".to_owned(), name)));
    facts.extend(one.connected_at.map(|at| {
        let by = one.connected_by.as_deref().unwrap_or(MISSING);
        ("Connected".to_owned(), format!("{}, by {by}", format.instant(at)))
    }));
    facts.extend(
        one.verified_at
            .map(|at| ("Last verified".to_owned(), format!("{} ({})", format.instant(at), ago(at, ctx.now())))),
    );
    let is_connected = one.state != ConnectionState::Disconnected;
    let text = match one.state {
        ConnectionState::Connected => None,
        ConnectionState::Broken => {
            Some("A new token of this account mends it; what is held for the token goes on then.")
        }
        ConnectionState::Disconnected => Some("Nothing is posted to it until a token of this account is given."),
    };
    let connect = text.filter(|_| one.can_publish).map(|text| (text, format!("/t/{slug}/accounts#connect")));
    let disconnection =
        one.version.filter(|_| can_connect && value(pairs, "step") == "disconnect").map(|version| Disconnection {
            version: version.to_string(),
            consequences: vec![
                "RTV forgets the token. It cannot be shown or brought back; connecting again needs one of the network."
                    .into(),
                "Posts that are scheduled for it are held when their time comes.".into(),
                "Posts and figures that are here stay.".into(),
            ],
        });
    let has_acts = can_connect && (is_connected || connect.is_some());
    Ok(AccountView {
        subtitle: if one.can_publish {
            format!("An account on {}.", one.platform.label())
        } else {
            format!(
                "An account on {}. RTV does not publish there yet; its figures come by imports.",
                one.platform.label()
            )
        },
        state: standing(&one),
        problem: obstacle(ctx, &one),
        links: vec![
            ("Its deliveries".into(), format!("/t/{slug}/deliveries?account={id}")),
            ("Its posts".into(), format!("/t/{slug}/posts?account={id}")),
        ],
        acts: has_acts.then_some(Acts { is_connected, connect }),
        needed: (!can_connect).then(needed),
        disconnection,
        name: one.name,
        facts,
        path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_as_people_do() {
        assert_eq!(worded(&["X", "LinkedIn", "Facebook"]), "X, LinkedIn or Facebook");
        assert_eq!(worded(&["X"]), "X");
        assert_eq!(worded(&[]), "other networks");
    }
}
