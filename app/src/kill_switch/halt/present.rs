//! What the page that halts reads: what can be halted from here, and what that would stop.

use leptos::prelude::*;
use rtv_core::{Action, Error, Permission, Platform};
use rtv_domain::kill_switch::{self, ScopeWords, Side};
use rtv_domain::{Context, TenantContext, account, campaign};
use rtv_ui::Definition;

use super::{Preview, ScopeGroup, drawn, preview_view};
use crate::kill_switch::desk::{Desk, chosen};
use crate::kill_switch::present::{ScopeText, count};

/// What a text of an address or a form names.
pub fn scope_of(text: &str) -> Result<ScopeWords, Error> {
    let scope = ScopeText::new(text.trim());
    if !scope.is_known() {
        return Err(Error::invalid("scope", "choose what to halt"));
    }
    let part = |name: &str| scope.part(name).map(str::to_owned);
    Ok(ScopeWords {
        everything: scope.is_everything(),
        tenant: part("tenant"),
        platform: part("platform"),
        action: part("action"),
        account: part("account"),
        campaign: part("campaign"),
    })
}

/// The page, drawn; with what the choice would stop, where it was asked for without a script.
pub(in crate::kill_switch) async fn page(
    desk: &Desk<'_>,
    query: &[(String, String)],
    with_preview: bool,
) -> Result<AnyView, Error> {
    if !desk.can_engage {
        return Err(Error::Forbidden(Permission::SwitchesEngage));
    }
    let text = match desk.flash.value("scope") {
        Some(typed) => typed,
        None => chosen(query, "scope").to_owned(),
    };
    let mut flash = desk.flash.clone();
    if with_preview {
        // What was chosen beside it comes back with the page.
        flash.values.extend(query.iter().filter(|(name, _)| name != "scope").cloned());
    }
    let groups = scopes(desk, &text).await?;
    let preview = match (with_preview, text.as_str()) {
        (false, _) | (true, "") => None,
        (true, text) => {
            let scope = kill_switch::find_scope(desk.side, &scope_of(text)?).await?;
            Some(preview_words(desk, kill_switch::preview(desk.side, &scope).await?))
        }
    };
    Ok(drawn(&desk.house, groups, &text, preview, &flash))
}

/// All that can be halted from here. What was asked for and is in no list comes first, so that it is chosen.
async fn scopes(desk: &Desk<'_>, text: &str) -> Result<Vec<ScopeGroup>, Error> {
    let group = |label: &str, is_long, scopes| ScopeGroup { label: label.into(), scopes, is_long };
    let platforms = Platform::ALL.map(|one| (format!("platform={one}"), one.label().to_owned(), None)).to_vec();
    let actions = Action::ALL
        .map(|one| {
            let hint = one.is_cleanup().then(|| "Cleaning up; other halts let it go on.".to_owned());
            (format!("action={one}"), one.label().to_owned(), hint)
        })
        .to_vec();
    let mut groups = match desk.side {
        Side::Tenant(ctx) => {
            let all = vec![(
                "all".to_owned(),
                format!("All of {}", ctx.tenant().name),
                Some("Every platform and account; cleaning up goes on.".to_owned()),
            )];
            let mut groups =
                vec![group("Client", false, all), group("Platform", false, platforms), group("Action", false, actions)];
            if ctx.access().grants(Permission::AnalyticsRead) {
                let accounts: Vec<_> = account::list(ctx)
                    .await?
                    .into_iter()
                    .map(|one| (format!("account={}", one.id), one.name, Some(one.platform.label().to_owned())))
                    .collect();
                let campaigns: Vec<_> = campaign::list(ctx)
                    .await?
                    .into_iter()
                    .map(|one| (format!("campaign={}", one.id), one.name, None))
                    .collect();
                groups.extend((!accounts.is_empty()).then(|| group("Account", true, accounts)));
                groups.extend((!campaigns.is_empty()).then(|| group("Campaign", true, campaigns)));
            }
            groups
        }
        Side::Operator(_) => {
            let all = vec![
                (
                    "global".to_owned(),
                    "All publishing".to_owned(),
                    Some("Every client; cleaning up goes on.".to_owned()),
                ),
                ("everything".to_owned(), "Everything".to_owned(), Some("Cleaning up included.".to_owned())),
            ];
            let clients = kill_switch::matrix(desk.side)
                .await?
                .tenants
                .into_iter()
                .map(|one| (format!("tenant={}", one.slug), one.name, Some(one.slug.to_string())))
                .collect();
            vec![
                group("Global", false, all),
                group("Platform, for all clients", false, platforms),
                group("Action, for all clients", false, actions),
                group("Client", true, clients),
            ]
        }
    };
    let is_listed = groups.iter().flat_map(|group| &group.scopes).any(|(value, ..)| value == text);
    if !text.is_empty()
        && !is_listed
        && let Ok(words) = scope_of(text)
    {
        let scope = kill_switch::find_scope(desk.side, &words).await?;
        let name = kill_switch::preview(desk.side, &scope).await?.name;
        groups.insert(0, group("Where you come from", false, vec![(text.to_owned(), name, None)]));
    }
    Ok(groups)
}

/// What halting in a tenant would stop, drawn.
pub(in crate::kill_switch) async fn preview(ctx: &TenantContext, text: &str) -> Result<String, Error> {
    drawn_preview(&Desk::in_tenant(ctx), text).await
}

/// The same for staff.
pub(in crate::kill_switch) async fn preview_for_staff(ctx: &Context, text: &str) -> Result<String, Error> {
    drawn_preview(&Desk::of_staff(ctx), text).await
}

async fn drawn_preview(desk: &Desk<'_>, text: &str) -> Result<String, Error> {
    let scope = kill_switch::find_scope(desk.side, &scope_of(text)?).await?;
    let preview = kill_switch::preview(desk.side, &scope).await?;
    Ok(preview_view(preview_words(desk, preview)).to_html())
}

fn preview_words(desk: &Desk<'_>, preview: kill_switch::Preview) -> Preview {
    let mut facts = Vec::new();
    if desk.house.is_staff() {
        facts.push(Definition::new("Clients", preview.tenants.to_string()));
    }
    let platforms: Vec<&str> = preview.platforms.iter().map(|one| one.label()).collect();
    facts.extend([
        Definition::new("Accounts", preview.accounts.to_string()),
        Definition::new("Platforms", if platforms.is_empty() { "None".to_owned() } else { platforms.join(", ") }),
        Definition::new("Due within 24 h", count(preview.due_within_a_day, "delivery", "deliveries")),
        Definition::new("In flight now", count(preview.in_flight, "call", "calls")),
    ]);
    let shown: i64 = preview.groups.iter().map(|group| group.due).sum();
    let rest = preview.due_within_a_day - shown;
    let groups = preview
        .groups
        .into_iter()
        .map(|group| {
            let account =
                if desk.house.is_staff() { format!("{}: {}", group.tenant_name, group.account) } else { group.account };
            [account, group.platform.label().to_owned(), group.due.to_string()]
        })
        .collect();
    let rest = (rest > 0).then(|| format!("And {} of other accounts.", count(rest, "delivery", "deliveries")));
    Preview { scope: preview.name, facts, groups, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_scope_names_the_field() {
        assert!(matches!(scope_of("moon"), Err(Error::Invalid(errors)) if errors[0].field == "scope"));
        let words = scope_of("platform=x&action=publish").unwrap();
        assert_eq!(
            (words.platform.as_deref(), words.action.as_deref(), words.everything),
            (Some("x"), Some("publish"), false)
        );
        assert!(scope_of("everything").unwrap().everything);
    }
}
