//! Who acts, from where, and in which tenant. Every function of this crate takes one of the two contexts first:
//! [`Context`] for what has no tenant yet, [`TenantContext`] for everything inside one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use ipnet::IpNet;
use rtv_core::{
    Brand, Error, Limit, Permission, PermissionSet, Plan, ReadOnly, Slug, TeamId, TenantId, TenantStatus, UserId,
};

use crate::clock::Clock;
use crate::database::Database;
use crate::effective_access::Holding;
use crate::transaction::Whole;
use crate::visit::Visit;

/// Where a request comes from; the audit log keeps it.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// Told to the person and written to every log line.
    pub id: String,
    /// The client's address, from the connection or from a trusted proxy.
    pub address: Option<IpAddr>,
    /// What the client calls itself, cut to 512 characters.
    pub user_agent: Option<String>,
    /// When it had arrived.
    pub arrived: Option<Instant>,
    /// When nobody waits for the answer any more; queries end then.
    pub deadline: Option<Instant>,
}

/// Who acts.
#[derive(Debug, Clone)]
pub enum Actor {
    /// Nobody has signed in.
    Anonymous,
    /// A person with a session.
    Person(Arc<crate::session::Person>),
    /// A program that has shown a key of a tenant.
    ApiKey(Arc<crate::api_key::Key>),
    /// A person of the operator at the command line, as `user@host`.
    Operator(Arc<str>),
    /// RTV itself, named by the work it does.
    System(&'static str),
}

impl Actor {
    /// Id of the person, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Person(person) => Some(person.id),
            Self::Anonymous | Self::ApiKey(_) | Self::Operator(_) | Self::System(_) => None,
        }
    }

    /// Id of who acts, as the audit log keeps it: of the person or of the key.
    pub(crate) fn audit_id(&self) -> Option<uuid::Uuid> {
        match self {
            Self::ApiKey(key) => Some(key.id.uuid()),
            Self::Anonymous | Self::Person(_) | Self::Operator(_) | Self::System(_) => self.user_id().map(UserId::uuid),
        }
    }

    /// As the audit log names the actor.
    pub fn label(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".into(),
            Self::Person(person) => person.email.to_string(),
            Self::ApiKey(key) => key.label(),
            Self::Operator(name) => name.to_string(),
            Self::System(work) => format!("rtv {work}"),
        }
    }
}

/// An actor without a tenant.
#[derive(Debug, Clone)]
pub struct Context {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) request: Arc<RequestInfo>,
    pub(crate) actor: Actor,
    /// The act that everything begun from here is a part of, where an act is done once and as a whole.
    pub(crate) whole: Option<Arc<Whole>>,
}

impl Context {
    /// A context of an actor.
    pub fn new(database: Database, clock: Clock, request: RequestInfo, actor: Actor) -> Self {
        Self { database, clock, request: Arc::new(request), actor, whole: None }
    }

    /// The same request, for another actor: after a sign-in, or when a session has been read.
    #[must_use]
    pub fn with_actor(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Who acts.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The person, if one has signed in.
    pub fn person(&self) -> Option<&crate::session::Person> {
        match &self.actor {
            Actor::Person(person) => Some(person),
            Actor::Anonymous | Actor::ApiKey(_) | Actor::Operator(_) | Actor::System(_) => None,
        }
    }

    /// The same for work that goes on as long as somebody reads its result, and not until a page must be there.
    pub(crate) fn without_deadline(&self) -> Self {
        let request = RequestInfo { deadline: None, ..(*self.request).clone() };
        Self { request: Arc::new(request), ..self.clone() }
    }

    /// Where the request comes from.
    pub fn request(&self) -> &RequestInfo {
        &self.request
    }
}

/// A tenant as every page needs it.
#[expect(clippy::struct_excessive_bools, reason = "each says something else about the tenant")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// What it has bought.
    pub plan: Plan,
    /// Where it stands in its life.
    pub status: TenantStatus,
    /// Why staff suspended or cancelled it, in words that its members read.
    pub status_reason: Option<String>,
    /// Whether it is the operator's own.
    pub is_house: bool,
    /// Zone of its days.
    pub zone: Tz,
    /// BCP 47 tag for numbers and dates.
    pub locale: String,
    /// ISO 4217 code of its money.
    pub currency: String,
    /// First day of its week, Monday = 0.
    pub week_start: u32,
    /// Its own colour, if it has one.
    pub brand: Option<Brand>,
    /// Whether the demo's data is in it, which its pages say.
    pub has_sample_data: bool,
    /// Whether it asks its members for a second factor.
    pub mfa_required: bool,
    /// How long a session may be idle and still enter.
    pub session_timeout: TimeDelta,
    /// Networks that its members may come from; none: from everywhere.
    pub ip_ranges: Vec<IpNet>,
    /// Limits that it exceeds since one was lowered: until they fit it is read and exported, and nothing in it changes.
    pub over_limits: Vec<Limit>,
    /// Whether it sends to the sandbox network alone, and its figures count nowhere.
    pub is_sandbox: bool,
    /// Names its picture, if it has one: another picture has another name.
    pub logo: Option<String>,
}

/// What an actor holds in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// A member, with what they held when they entered. Every request enters anew.
    Member(Arc<Holding>),
    /// A key, with what of its permissions its author holds for the whole tenant now.
    Key(PermissionSet),
    /// Staff by a listed, audited path: everything that the path names.
    Operator,
    /// RTV itself, doing work that a member of the tenant has asked for.
    Work,
    /// Staff who look at the tenant's pages for a while.
    Visit(Arc<Visit>),
}

impl Access {
    /// Whether it holds the permission for the whole tenant.
    pub fn grants(&self, permission: Permission) -> bool {
        self.everywhere().contains(permission)
    }

    /// Whether it holds the permission for the whole tenant or for the accounts and campaigns of a team. A visitor opens
    /// also what is there for changing something, and only looks at it.
    pub fn grants_somewhere(&self, permission: Permission) -> bool {
        match self {
            Self::Member(holding) => holding.grants_somewhere(permission),
            Self::Key(held) => held.contains(permission),
            Self::Operator | Self::Work => true,
            Self::Visit(_) => Visit::shows(permission),
        }
    }

    /// Whether it may look at what the permission is about, for the whole tenant.
    pub fn shows(&self, permission: Permission) -> bool {
        match self {
            Self::Visit(_) => Visit::shows(permission),
            Self::Member(_) | Self::Key(_) | Self::Operator | Self::Work => self.grants(permission),
        }
    }

    /// The visit, if it is one.
    pub fn visit(&self) -> Option<&Visit> {
        match self {
            Self::Visit(visit) => Some(visit),
            Self::Member(_) | Self::Key(_) | Self::Operator | Self::Work => None,
        }
    }

    /// All that it holds for the whole tenant.
    pub fn everywhere(&self) -> PermissionSet {
        match self {
            Self::Member(holding) => holding.everywhere(),
            Self::Key(held) => *held,
            Self::Operator | Self::Work => PermissionSet::all(),
            Self::Visit(_) => Permission::ALL.iter().copied().filter(|one| Visit::allows(*one)).collect(),
        }
    }

    /// All that it holds for the accounts and campaigns of a team.
    pub fn in_team(&self, team: TeamId) -> PermissionSet {
        match self {
            Self::Member(holding) => holding.everywhere().union(holding.in_team(team)),
            Self::Operator | Self::Work | Self::Visit(_) | Self::Key(_) => self.everywhere(),
        }
    }

    /// Whether it may decide over owners. No key does: that takes a person.
    pub fn is_owner(&self) -> bool {
        match self {
            Self::Member(holding) => holding.role.role.is_owner(),
            Self::Operator | Self::Work => true,
            Self::Key(_) | Self::Visit(_) => false,
        }
    }
}

/// An actor inside a tenant that they may know of. Made by `access::enter` and by staff paths.
#[derive(Debug, Clone)]
pub struct TenantContext {
    pub(crate) context: Context,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) access: Access,
    /// When the member was last here, as the database knew when they entered.
    pub(crate) last_seen_at: Option<DateTime<Utc>>,
    /// Why nothing in the tenant changes for now, if so, as the database knew when they entered.
    pub(crate) read_only: Option<ReadOnly>,
    /// What is read of accounts, campaigns and posts is narrowed to what these teams are responsible for; none: it is not.
    pub(crate) narrowed: Vec<TeamId>,
}

impl TenantContext {
    /// The tenant.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What the actor holds in it.
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// Why nothing in the tenant changes for now, if so.
    pub const fn read_only(&self) -> Option<&ReadOnly> {
        self.read_only.as_ref()
    }

    /// The actor without the tenant.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.now()
    }

    /// The same for work that goes on as long as somebody reads its result.
    pub(crate) fn without_deadline(&self) -> Self {
        Self { context: self.context.without_deadline(), ..self.clone() }
    }

    /// Refuses to change anything while nothing changes: [`Error::ReadOnly`]. Every beginning to change asks it.
    pub(crate) fn refuse_read_only(&self) -> Result<(), Error> {
        self.read_only.clone().map_or(Ok(()), |reason| Err(Error::ReadOnly(reason)))
    }

    /// The present day in the tenant's zone.
    pub fn today(&self) -> NaiveDate {
        self.context.clock.today(self.tenant.zone)
    }
}
