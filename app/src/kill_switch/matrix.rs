//! Tenants, platforms and actions against each other: in every cell how that stands, and which switch decides it. Deny
//! overrides, so a cell is stopped by whatever engaged switch covers all of it; where several do, the highest is named.

use rtv_core::{Action, Platform, Scope, TenantId};
use rtv_ui::{MatrixCell, MatrixMark, SwitchState, Words};

/// A switch that is engaged, as a cell needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) scope: Scope,
    /// What the scope is called.
    pub(crate) label: String,
    /// How it stands: halting, halted or unknown.
    pub(crate) state: SwitchState,
    /// Where more about it is.
    pub(crate) href: String,
}

/// What a cell is about; `None`: all of them. As with a switch, all actions are all but those that clean up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) platform: Option<Platform>,
    pub(crate) action: Option<Action>,
}

impl Cell {
    const fn scope(self) -> Scope {
        Scope::Part { tenant: self.tenant, platform: self.platform, action: self.action }
    }

    /// Whether a switch stops all of it.
    fn is_stopped_by(self, scope: &Scope) -> bool {
        match *scope {
            Scope::Everything => true,
            Scope::Part { tenant, platform, action } => {
                (tenant.is_none() || tenant == self.tenant)
                    && (platform.is_none() || platform == self.platform)
                    && action.map_or(!self.action.is_some_and(Action::is_cleanup), |action| self.action == Some(action))
            }
            Scope::Account { .. } | Scope::Campaign { .. } | Scope::Drill => false,
        }
    }

    /// The cells that it consists of along its first open side, for the share of them that runs: platforms, then actions. Along
    /// tenants nothing is counted: how many there are is no property of a cell.
    fn parts(self) -> Vec<Self> {
        match (self.platform, self.action) {
            (None, _) => Platform::ALL.into_iter().map(|one| Self { platform: Some(one), ..self }).collect(),
            (Some(_), None) => Action::ALL
                .into_iter()
                .filter(|action| !action.is_cleanup())
                .map(|one| Self { action: Some(one), ..self })
                .collect(),
            (Some(_), Some(_)) => Vec::new(),
        }
    }
}

/// How high a scope stands: the less it names, the higher.
pub(crate) fn height(scope: &Scope) -> u8 {
    match *scope {
        Scope::Everything => 9,
        Scope::Part { tenant, platform, action } => {
            8 - 4 * u8::from(tenant.is_some()) - u8::from(platform.is_some()) - u8::from(action.is_some())
        }
        Scope::Account { .. } => 1,
        Scope::Campaign { .. } | Scope::Drill => 0,
    }
}

/// How a cell stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective<'a> {
    pub(crate) state: SwitchState,
    pub(crate) words: String,
    /// The switch that decides, if one is engaged.
    pub(crate) decided_by: Option<&'a Standing>,
}

/// How a cell stands under these switches.
pub(crate) fn effective(cell: Cell, engaged: &[Standing]) -> Effective<'_> {
    let own = engaged.iter().find(|one| one.scope == cell.scope());
    if let Some(own) = own {
        return Effective { state: own.state, words: own.state.word().into(), decided_by: Some(own) };
    }
    let above = engaged.iter().filter(|one| cell.is_stopped_by(&one.scope)).max_by_key(|one| height(&one.scope));
    if let Some(above) = above {
        let state = match above.state {
            SwitchState::Halted => SwitchState::Inherited,
            other => other,
        };
        return Effective {
            state,
            words: format!("{} by {}", above.state.word(), above.label),
            decided_by: Some(above),
        };
    }
    let parts = cell.parts();
    let running = parts.iter().filter(|part| !is_stopped(**part, engaged)).count();
    let words = if running == parts.len() {
        SwitchState::Running.word().to_owned()
    } else {
        format!("{} {running}/{}", SwitchState::Running.word(), parts.len())
    };
    Effective { state: SwitchState::Running, words, decided_by: None }
}

/// Whether all of a cell is stopped, by one switch or by several that share it.
fn is_stopped(cell: Cell, engaged: &[Standing]) -> bool {
    if engaged.iter().any(|one| cell.is_stopped_by(&one.scope)) {
        return true;
    }
    let parts = cell.parts();
    !parts.is_empty() && parts.into_iter().all(|part| is_stopped(part, engaged))
}

/// The cell, drawn: a link to the switch that decides, or to the page that would halt it.
pub(crate) fn drawn(cell: Cell, engaged: &[Standing], halt: Words) -> MatrixCell {
    let found = effective(cell, engaged);
    let href = found.decided_by.map_or(halt, |one| Words::from(one.href.as_str()));
    MatrixCell { mark: MatrixMark::Switch(found.state, found.words.into()), href }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        uuid::Uuid::from_u128(1).into()
    }

    fn cell(platform: Option<Platform>, action: Option<Action>) -> Cell {
        Cell { tenant: Some(tenant()), platform, action }
    }

    fn part(tenant: Option<TenantId>, platform: Option<Platform>, action: Option<Action>) -> Scope {
        Scope::Part { tenant, platform, action }
    }

    fn engaged(scopes: &[Scope]) -> Vec<Standing> {
        scopes
            .iter()
            .map(|scope| Standing {
                scope: *scope,
                label: format!("height {}", height(scope)),
                state: SwitchState::Halted,
                href: "#".into(),
            })
            .collect()
    }

    #[test]
    fn the_deciding_switch_is_its_own_or_the_highest() {
        let check = |of: Cell, scopes: &[Scope], state: SwitchState, words: &str| {
            let engaged = engaged(scopes);
            let found = effective(of, &engaged);
            assert_eq!((found.state, found.words.as_str()), (state, words), "{of:?} under {scopes:?}");
        };
        let x = cell(Some(Platform::X), None);
        check(x, &[], SwitchState::Running, "Running");
        check(x, &[part(Some(tenant()), Some(Platform::X), None)], SwitchState::Halted, "Halted");
        check(x, &[part(None, Some(Platform::X), None)], SwitchState::Inherited, "Halted by height 7");
        check(x, &[part(None, Some(Platform::X), None), Scope::GLOBAL], SwitchState::Inherited, "Halted by height 8");
        check(x, &[part(None, Some(Platform::Mastodon), None)], SwitchState::Running, "Running");
        check(x, &[part(None, None, Some(Action::Reply))], SwitchState::Running, "Running 3/4");
        check(cell(None, None), &[part(None, Some(Platform::X), None)], SwitchState::Running, "Running 6/7");
    }

    #[test]
    fn cleaning_up_goes_on_unless_everything_or_its_own_switch_stops_it() {
        let check = |scopes: &[Scope], expect: SwitchState| {
            assert_eq!(effective(cell(Some(Platform::X), Some(Action::Delete)), &engaged(scopes)).state, expect);
        };
        check(&[Scope::GLOBAL], SwitchState::Running);
        check(&[Scope::Everything], SwitchState::Inherited);
        check(&[part(None, None, Some(Action::Delete))], SwitchState::Inherited);
        check(&[part(Some(tenant()), Some(Platform::X), Some(Action::Delete))], SwitchState::Halted);
    }

    /// What the matrix says is what the gate would do: both are asked about every single operation.
    #[test]
    fn a_cell_says_what_the_gate_does() {
        let other: TenantId = uuid::Uuid::from_u128(9).into();
        let sides = |all: &[Option<Platform>]| all.to_vec();
        let platforms = sides(&[None, Some(Platform::X), Some(Platform::Sandbox)]);
        let actions = [None, Some(Action::Publish), Some(Action::Delete)];
        let mut scopes = vec![Scope::Everything, Scope::Drill];
        for whose in [None, Some(tenant()), Some(other)] {
            for platform in &platforms {
                scopes.extend(actions.map(|action| part(whose, *platform, action)));
            }
        }
        for scope in &scopes {
            for platform in Platform::ALL {
                for action in Action::ALL {
                    let operation = rtv_core::Operation {
                        tenant: tenant(),
                        platform,
                        action,
                        account: uuid::Uuid::from_u128(2).into(),
                        campaign: None,
                    };
                    let shown = effective(cell(Some(platform), Some(action)), &engaged(&[*scope])).state;
                    assert_eq!(
                        scope.covers(&operation),
                        shown != SwitchState::Running,
                        "{scope:?} {platform} {action}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_halt_that_is_not_over_is_never_shown_as_halted_below_it() {
        let mut standing = engaged(&[Scope::GLOBAL]);
        standing[0].state = SwitchState::Halting;
        let found = effective(cell(None, None), &standing);
        assert_eq!((found.state, found.words.as_str()), (SwitchState::Halting, "Halting by height 8"));
    }
}
