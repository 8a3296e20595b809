//! What a member holds in a tenant, and why: their role, their extra permissions, and what teams give them for the accounts
//! and campaigns that these are responsible for. The answer to “may this person do that, here?” comes with every step that
//! led to it. Who may change what is held is judged in `roster.rs`.

use core::fmt;
use core::str::FromStr;

use rtv_core::{
    AccountId, CampaignId, Error, GivenRole, Permission, PermissionSet, Role, TeamId, TenantStatus, UserId,
};

use crate::account::{self, Account};
use crate::campaign::{self, Campaign};
use crate::context::TenantContext;
use crate::roster::{Member, Roster};
use crate::transaction::Resource;

/// A role with its name and all that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRole {
    /// As it is given.
    pub role: GivenRole,
    /// Name for people.
    pub name: String,
    /// What it holds.
    pub permissions: PermissionSet,
}

impl NamedRole {
    /// One that every tenant has.
    pub fn built_in(role: Role) -> Self {
        Self { role: GivenRole::BuiltIn(role), name: role.label().into(), permissions: role.permissions() }
    }

    /// As the audit log writes it: the key of a built-in role, name and id of a custom one.
    pub(crate) fn recorded(&self) -> String {
        match self.role {
            GivenRole::BuiltIn(role) => role.key().into(),
            GivenRole::Custom(id) => format!("{} ({id})", self.name),
        }
    }
}

/// What being in a team gives to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The team.
    pub team: TeamId,
    /// Its name.
    pub name: String,
    /// The role that the member has in it, if any.
    pub role: Option<NamedRole>,
    /// Extra permissions that they have in it.
    pub extra: PermissionSet,
}

impl Share {
    /// What holds for the team's accounts and campaigns. What a role says about the tenant as a whole does not hold here.
    pub fn permissions(&self) -> PermissionSet {
        let role = self.role.as_ref().map_or(PermissionSet::EMPTY, |role| role.permissions);
        role.union(self.extra).intersection(PermissionSet::by_resource())
    }
}

/// All that a member holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Their role in the tenant.
    pub role: NamedRole,
    /// What they hold beside it.
    pub extra: PermissionSet,
    /// Their teams, by name.
    pub shares: Vec<Share>,
}

impl Holding {
    /// What a built-in role gives and nothing beside it.
    pub fn of(role: Role) -> Self {
        Self { role: NamedRole::built_in(role), extra: PermissionSet::EMPTY, shares: Vec::new() }
    }

    /// What holds for the whole tenant.
    pub const fn everywhere(&self) -> PermissionSet {
        self.role.permissions.union(self.extra)
    }

    /// What holds for the accounts and campaigns of a team by being in it.
    pub fn in_team(&self, team: TeamId) -> PermissionSet {
        let of_team = self.shares.iter().filter(|share| share.team == team);
        of_team.fold(PermissionSet::EMPTY, |set, share| set.union(share.permissions()))
    }

    /// The teams that give a permission.
    pub fn teams_with(&self, permission: Permission) -> Vec<TeamId> {
        let giving = self.shares.iter().filter(|share| share.permissions().contains(permission));
        giving.map(|share| share.team).collect()
    }

    /// Whether the permission holds for the tenant or at least for a team.
    pub fn grants_somewhere(&self, permission: Permission) -> bool {
        self.everywhere().contains(permission) || !self.teams_with(permission).is_empty()
    }
}

/// What a permission may be limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A campaign, with all of its posts.
    Campaign(CampaignId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Campaign(id) => id.fmt(f),
        }
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse()
            .map(Self::Account)
            .or_else(|_| text.parse().map(Self::Campaign))
            .map_err(|_| Error::invalid("resource", "choose an account or a campaign from the list."))
    }
}

/// What one step says about the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It gives the permission.
    Grants,
    /// It gives nothing, and leaves it to the next step.
    Passes,
    /// It takes the permission away, or nothing was left that could give it.
    Denies,
}

/// One step on the way to an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was looked at.
    pub label: String,
    /// What was found, as a sentence.
    pub text: String,
    /// What follows from it.
    pub finding: Finding,
    /// Whether the answer comes from this step.
    pub is_deciding: bool,
}

/// The answer to whether somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Yes: for everything of the tenant, or for what was asked about.
    Allowed,
    /// Asked about nothing in particular: only for the accounts and campaigns of these teams.
    Limited(Vec<String>),
    /// No.
    Denied,
}

/// The answer with every step that led to it, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub verdict: Verdict,
    /// How it came about.
    pub steps: Vec<Step>,
}

/// Works out whether a member holds a permission: for an account or a campaign, which `subject` names with the teams that
/// are responsible for it, or for anything.
pub fn explain(
    member: &Member,
    holding: &Holding,
    status: TenantStatus,
    permission: Permission,
    subject: Option<(&str, &[TeamId])>,
) -> Answer {
    let mut steps = Vec::new();
    let mut add = |label: String, text: String, finding: Finding| {
        steps.push(Step { label, text, finding, is_deciding: false });
    };
    let name = &member.name;
    if member.is_disabled {
        add(
            "Sign-in".into(),
            format!("{name} is disabled by the operator and cannot sign in, whatever else they hold."),
            Finding::Denies,
        );
    } else {
        add("Sign-in".into(), format!("{name} may sign in."), Finding::Passes);
    }
    if matches!(status, TenantStatus::Suspended | TenantStatus::Cancelled) {
        if permission.only_reads() {
            add("Organisation".into(), format!("It is {status}; it can still be read."), Finding::Passes);
        } else {
            add("Organisation".into(), format!("It is {status}: nothing in it changes."), Finding::Denies);
        }
    }
    let gives = |set: PermissionSet| if set.contains(permission) { Finding::Grants } else { Finding::Passes };
    let finding = gives(holding.role.permissions);
    let holds = if finding == Finding::Grants { "holds" } else { "does not hold" };
    add(format!("Role {}", holding.role.name), format!("The role {holds} {permission}."), finding);
    let finding = gives(holding.extra);
    let text = match (finding, holding.extra.is_empty()) {
        (Finding::Grants, _) => format!("{permission} was given to {name} beside the role."),
        (_, true) => format!("{name} has none."),
        (_, false) => format!("{name} has {}, and not this one.", holding.extra),
    };
    add("Extra permissions".into(), text, finding);
    let mut limited = Vec::new();
    if !permission.is_by_resource() && !holding.shares.is_empty() {
        add(
            "Teams".into(),
            format!("{permission} is about the organisation as a whole, which no team gives."),
            Finding::Passes,
        );
    } else {
        for share in &holding.shares {
            let (text, finding) = by_team(share, permission, subject);
            if finding == Finding::Grants {
                limited.push(share.name.clone());
            }
            add(format!("Team {}", share.name), text, finding);
        }
    }
    let granted = steps.iter().position(|step| step.finding == Finding::Grants);
    let denied = steps.iter().position(|step| step.finding == Finding::Denies);
    let (deciding, verdict) = match (denied, granted) {
        (Some(denied), _) => (denied, Verdict::Denied),
        (None, Some(granted)) if subject.is_none() && !holding.everywhere().contains(permission) => {
            (granted, Verdict::Limited(limited))
        }
        (None, Some(granted)) => (granted, Verdict::Allowed),
        (None, None) => {
            steps.push(Step {
                label: "Nothing else".into(),
                text: "What nothing gives is not held.".into(),
                finding: Finding::Denies,
                is_deciding: false,
            });
            (steps.len() - 1, Verdict::Denied)
        }
    };
    if let Some(step) = steps.get_mut(deciding) {
        step.is_deciding = true;
    }
    Answer { verdict, steps }
}

fn by_team(share: &Share, permission: Permission, subject: Option<(&str, &[TeamId])>) -> (String, Finding) {
    if !share.permissions().contains(permission) {
        return (format!("Being in it does not give {permission}."), Finding::Passes);
    }
    let from_role = share.role.as_ref().filter(|role| role.permissions.contains(permission));
    let source = from_role.map_or_else(|| "an extra permission".to_owned(), |role| format!("the role {}", role.name));
    match subject {
        None => (format!("Gives it for the team’s accounts and campaigns, by {source} in it."), Finding::Grants),
        Some((name, teams)) if teams.contains(&share.team) => {
            (format!("Gives it by {source} in it, and is responsible for “{name}”."), Finding::Grants)
        }
        Some((name, _)) => {
            (format!("Gives it by {source} in it, but is not responsible for “{name}”."), Finding::Passes)
        }
    }
}

/// Whom and what one can ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// All members by name.
    pub members: Vec<Member>,
    /// All accounts of the tenant.
    pub accounts: Vec<Account>,
    /// All campaigns of the tenant.
    pub campaigns: Vec<Campaign>,
    /// The answer, where a whole question was asked.
    pub answer: Option<Answer>,
}

/// A question about a person, a permission and, if it is about one, an account or a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// Who.
    pub person: UserId,
    /// What.
    pub permission: Permission,
    /// For what.
    pub subject: Option<Subject>,
}

/// What can be asked, and the answer. A person, an account or a campaign that the tenant does not have is refused by its field.
pub async fn ask(ctx: &TenantContext, question: Option<Question>) -> Result<Choices, Error> {
    let mut tx = ctx.begin_to_read(&[Permission::UsersManage], Resource::Members).await?;
    let roster = Roster::read(&mut tx).await?;
    let accounts = account::read(&mut tx).await?;
    let campaigns = campaign::read(&mut tx).await?;
    tx.rollback().await?;
    let answer = match question {
        None => None,
        Some(Question { person, permission, subject }) => {
            let unknown = || Error::invalid("person", "choose a member from the list.");
            let member = roster.members.get(&person).ok_or_else(unknown)?;
            let holding = roster.holding(person).ok_or_else(unknown)?;
            let name =
                match subject {
                    None => None,
                    Some(Subject::Account(id)) => {
                        accounts.iter().find(|one| one.id == id).map(|one| one.name.clone()).map(Some).ok_or_else(
                            || Error::invalid("resource", "choose an account or a campaign from the list."),
                        )?
                    }
                    Some(Subject::Campaign(id)) => {
                        campaigns.iter().find(|one| one.id == id).map(|one| one.name.clone()).map(Some).ok_or_else(
                            || Error::invalid("resource", "choose an account or a campaign from the list."),
                        )?
                    }
                };
            let teams: Vec<TeamId> = subject.map(|subject| roster.teams_of(subject)).unwrap_or_default();
            let about = name.as_deref().map(|name| (name, teams.as_slice()));
            Some(explain(member, &holding, ctx.tenant().status, permission, about))
        }
    };
    let mut members: Vec<Member> = roster.members.into_values().collect();
    members.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id));
    Ok(Choices { members, accounts, campaigns, answer })
}
