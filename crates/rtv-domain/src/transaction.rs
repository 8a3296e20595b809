//! The only ways to a transaction. Each beginning checks, opens and sets the marker that row policies know, in one
//! place; no other file takes a connection from the pool, and a test holds that.
//!
//! | beginning | for | sees |
//! |---|---|---|
//! | [`TenantContext::begin`] | everything inside a tenant | the tenant's rows; through teams alone, what these are responsible for |
//! | [`TenantContext::begin_to_read`] | pages about what a permission lets change | the same |
//! | [`TenantContext::begin_to_tidy`] | what is left of work that came to nothing; news | the same |
//! | [`TenantContext::begin_to_stop`] | what takes something away and gives nothing | the same |
//! | [`TenantContext::begin_banner`] | the banner about kill switches, which everybody sees | the same |
//! | [`TenantContext::begin_members`] | the sessions of members | the tenant's rows, and its members' sessions |
//! | [`Context::begin_person`] | what a person has across tenants | own user, memberships, their tenants, own sessions |
//! | [`Context::begin_own_change`] | what a person changes about themself | the same |
//! | [`Context::begin_own_session`] | where a person is and was; ending sessions | the same |
//! | [`Context::begin_session`] | one browser's session | that session, its person, and what they hold in which tenants |
//! | [`Context::begin_sign_in`] | signing in | users, credentials, limits, that session |
//! | [`Context::begin_reset`] | a link to a new password | that link; with its person: the same as signing in |
//! | [`Context::begin_invitation`] | a link that invites | that invitation, its tenant's name, the account of its address |
//! | [`Context::begin_key`] | a program that shows a key | that key; once it is known, its tenant's rows |
//! | [`TenantContext::begin_answers`] | a key's answers that are given again | the tenant's rows |
//! | [`Context::begin_staff`] | the operator | tenants, users, mail; one tenant's rows when it names one |
//! | [`Context::begin_gate`] | what reads, records and acknowledges kill switches | all switches, halts and senders; deliveries in all tenants |
//! | [`Context::begin_switches`] | staff who look at kill switches, halt or resume | the same, and one tenant's rows when it names one |
//! | [`Context::begin_worker`] | jobs | jobs, mail, what is swept or due, and which chains of the audit log have something to do |
//! | [`Context::begin_sender`] | sending | content, deliveries, attempts, connections and switches of all tenants; one tenant's rows when it turns to it |
//! | [`Context::begin_sealer`] | sealing one chain | its events; adds seals and heads |
//! | [`Context::begin_retention`] | dropping payloads of one chain | its events; empties those whose time is over |
//! | [`Context::begin_to_look`] | whether there is maintenance | nothing |
//! | [`begin_to_rehearse`] | what a connection is to have planned | nothing |
//!
//! Each has an [`Aim`], from its permission where it has one. To read: the database itself lets nothing change but the
//! audit log. To change: refused with [`Error::ReadOnly`] in a tenant that is suspended or cancelled, and everywhere during
//! maintenance. So a function that changes something cannot forget to ask, and one that says it reads cannot change.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtv_core::{Error, Permission, ReadOnly, TenantId, UserId};
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::audit::{self, Event, Outcome};
use crate::context::{Access, Actor, Context, TenantContext};
use crate::maintenance::Maintenance;
use crate::session::SessionHash;
use crate::token::TokenHash;

/// What an act is about; it is named in refusals and in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The tenant as a whole.
    Tenant,
    /// All accounts.
    Accounts,
    /// All campaigns.
    Campaigns,
    /// All posts.
    Posts,
    /// All targets.
    Targets,
    /// One target.
    Target(rtv_core::TargetId),
    /// All competitors.
    Competitors,
    /// One competitor.
    Competitor(rtv_core::CompetitorId),
    /// All imports.
    Imports,
    /// One import.
    Import(rtv_core::ImportId),
    /// Saved mappings.
    Mappings,
    /// The sample data of the tenant.
    SampleData,
    /// All members.
    Members,
    /// One member.
    Member(UserId),
    /// All teams.
    Teams,
    /// One team.
    Team(rtv_core::TeamId),
    /// All roles.
    Roles,
    /// One custom role.
    Role(rtv_core::RoleId),
    /// The audit log.
    AuditLog,
    /// One event of the audit log.
    AuditEvent(rtv_core::AuditEventId),
    /// All invitations.
    Invitations,
    /// One invitation.
    Invitation(rtv_core::InvitationId),
    /// All keys for programs.
    ApiKeys,
    /// One of them.
    ApiKey(rtv_core::ApiKeyId),
    /// All kill switches.
    Switches,
    /// All content.
    Contents,
    /// One content.
    Content(rtv_core::ContentId),
    /// All deliveries.
    Deliveries,
    /// One delivery.
    Delivery(rtv_core::DeliveryId),
    /// One account.
    Account(rtv_core::AccountId),
    /// All reports.
    Reports,
    /// One report.
    Report(rtv_core::ReportId),
    /// One run of a report.
    Run(rtv_core::RunId),
    /// One schedule of a report.
    Schedule(rtv_core::ScheduleId),
}

impl Resource {
    /// Whether it is a list of what teams can be responsible for, so that who holds a permission through teams alone gets the
    /// part of it that is theirs.
    const fn can_be_narrowed(self) -> bool {
        matches!(
            self,
            Self::Accounts
                | Self::Campaigns
                | Self::Posts
                | Self::Targets
                // What anybody can see of others is not narrowed; it is shown with the figures.
                | Self::Competitors
                | Self::Competitor(_)
                | Self::Contents
                | Self::Content(_)
                | Self::Deliveries
                | Self::Delivery(_)
        )
    }

    pub(crate) fn name(self, tenant: TenantId) -> (&'static str, String) {
        match self {
            Self::Tenant => ("tenant", tenant.to_string()),
            Self::Accounts => ("account", "all".into()),
            Self::Campaigns => ("campaign", "all".into()),
            Self::Posts => ("post", "all".into()),
            Self::Targets => ("target", "all".into()),
            Self::Target(id) => ("target", id.to_string()),
            Self::Competitors => ("competitor", "all".into()),
            Self::Competitor(id) => ("competitor", id.to_string()),
            Self::Imports => ("import", "all".into()),
            Self::Import(id) => ("import", id.to_string()),
            Self::Mappings => ("mapping", "all".into()),
            Self::SampleData => ("sample_data", "all".into()),
            Self::Members => ("user", "all".into()),
            Self::Member(id) => ("user", id.to_string()),
            Self::Teams => ("team", "all".into()),
            Self::Team(id) => ("team", id.to_string()),
            Self::Roles => ("role", "all".into()),
            Self::Role(id) => ("role", id.to_string()),
            Self::AuditLog => ("audit_log", "all".into()),
            Self::AuditEvent(id) => ("audit_event", id.to_string()),
            Self::Invitations => ("invitation", "all".into()),
            Self::Invitation(id) => ("invitation", id.to_string()),
            Self::ApiKeys => ("api_key", "all".into()),
            Self::ApiKey(id) => ("api_key", id.to_string()),
            Self::Switches => ("kill_switch", "all".into()),
            Self::Contents => ("content", "all".into()),
            Self::Content(id) => ("content", id.to_string()),
            Self::Deliveries => ("delivery", "all".into()),
            Self::Delivery(id) => ("delivery", id.to_string()),
            Self::Account(id) => ("account", id.to_string()),
            Self::Reports => ("report", "all".into()),
            Self::Report(id) => ("report", id.to_string()),
            Self::Run(id) => ("report_run", id.to_string()),
            Self::Schedule(id) => ("report_schedule", id.to_string()),
        }
    }
}

/// What staff may do above tenants. Every one is a listed path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffPermission {
    /// See all tenants.
    TenantsRead,
    /// Create a tenant.
    TenantsCreate,
    /// Change what a tenant is, its members aside.
    TenantsUpdate,
    /// See all users.
    UsersRead,
    /// Create a user with a password.
    UsersCreate,
    /// Keep a user from signing in, or let them again.
    UsersDisable,
    /// See the mail that was written.
    MailRead,
    /// Act inside one tenant, which sees it in its audit log.
    TenantEnter,
    /// Read, check and take out the operator's own audit log.
    AuditRead,
    /// Load the demo: its tenants, its people and their sample data.
    SampleDataLoad,
    /// Suspend, resume and cancel a tenant.
    TenantsStatus,
    /// Send a user a link to a new password, or give them a new one.
    UsersReset,
    /// End the sessions of a user.
    UsersSignOut,
    /// Switch maintenance on and off.
    MaintenanceSwitch,
    /// Begin to look at a tenant's pages.
    VisitBegin,
    /// Stop looking at them.
    VisitEnd,
    /// See all kill switches, and what they hold.
    SwitchesRead,
    /// Halt anything.
    SwitchesEngage,
    /// Resume what staff halted.
    SwitchesRelease,
    /// Practise a halt.
    SwitchesDrill,
    /// Take out what became of every delivery, for a check from outside.
    DeliveriesExport,
    /// Copy a report from one tenant to another.
    ReportsCopy,
}

impl StaffPermission {
    /// What it does to what it reaches. The match is exhaustive on purpose.
    const fn aim(self) -> Aim {
        match self {
            // Whoever looks leaves an event, and nothing else.
            Self::TenantsRead
            | Self::UsersRead
            | Self::MailRead
            | Self::AuditRead
            | Self::TenantEnter
            | Self::DeliveriesExport
            | Self::SwitchesRead => Aim::Read,
            // Sending does not begin again while nothing may change.
            Self::SwitchesRelease
            | Self::ReportsCopy
            | Self::TenantsCreate
            | Self::TenantsUpdate
            | Self::TenantsStatus
            | Self::UsersCreate
            | Self::SampleDataLoad => Aim::Change,
            // Stopping must be possible at any time, and so must getting in again, and looking.
            Self::UsersDisable
            | Self::UsersReset
            | Self::UsersSignOut
            | Self::MaintenanceSwitch
            | Self::VisitBegin
            | Self::VisitEnd
            | Self::SwitchesEngage
            | Self::SwitchesDrill => Aim::Keep,
        }
    }

    /// Whether staff who have signed in have it at all; the rest is for the command line. Into a tenant they come by a visit.
    const fn is_for_the_console(self) -> bool {
        match self {
            Self::TenantEnter
            | Self::UsersCreate
            | Self::SampleDataLoad
            | Self::AuditRead
            | Self::SwitchesDrill
            | Self::DeliveriesExport => false,
            Self::TenantsRead
            | Self::TenantsCreate
            | Self::TenantsUpdate
            | Self::TenantsStatus
            | Self::UsersRead
            | Self::UsersDisable
            | Self::UsersReset
            | Self::UsersSignOut
            | Self::MailRead
            | Self::MaintenanceSwitch
            | Self::VisitBegin
            | Self::VisitEnd
            | Self::SwitchesRead
            | Self::SwitchesEngage
            | Self::SwitchesRelease
            | Self::ReportsCopy => true,
        }
    }

    /// Whether staff who have signed in give their password or a code before it. Leaving is easy, and so is halting.
    const fn asks_for_proof(self) -> bool {
        !matches!(self.aim(), Aim::Read) && !matches!(self, Self::VisitEnd | Self::SwitchesEngage)
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Aim {
    /// It reads. Adding to the audit log is all that the database lets it do beside that.
    #[default]
    Read,
    /// It changes something, which is refused while nothing may change.
    Change,
    /// It keeps RTV going: sessions, the queue, mail, seals. That goes on also during maintenance.
    Keep,
}

/// Kinds of work that a worker does without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// Keeping the queue.
    Queue,
    /// Removing expired sessions and counters.
    Sweep,
    /// Finding chains of the audit log to seal, or with payloads whose time is over.
    Audit,
    /// Handing mail over.
    Mail,
    /// Finding schedules that are due.
    Schedule,
}

/// An open transaction that knows who acts. Dropped, it is rolled back.
#[derive(Debug)]
pub struct Tx {
    /// `None` only while it ends.
    inner: Option<Transaction<'static, Postgres>>,
    /// The act that it is a part of.
    whole: Option<Arc<Whole>>,
    actor: Actor,
    request: Arc<crate::context::RequestInfo>,
    tenant: Option<TenantId>,
    /// Whether the actor acts for the operator, which the audit log says.
    is_staff: bool,
    now: chrono::DateTime<chrono::Utc>,
    /// The maintenance that there was when it began.
    maintenance: Option<Arc<Maintenance>>,
}

#[derive(Default)]
struct Markers {
    actor: &'static str,
    aim: Aim,
    tenant: Option<TenantId>,
    user: Option<UserId>,
    session: Option<SessionHash>,
    /// Narrows what is seen to what these teams are responsible for; none: nothing is narrowed.
    teams: Vec<rtv_core::TeamId>,
    token: Option<TokenHash>,
    plans: Plans,
}

/// How the database plans a transaction's statements.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Plans {
    /// As it thinks best; a statement is planned anew a few times on each connection before its plan is kept.
    #[default]
    Own,
    /// Once for each connection. Good for statements that look one row up by its key, of which there is only one plan: on a busy
    /// machine planning takes longer than all else.
    Kept,
    /// The same, and by indexes alone.
    ByIndex,
}

impl Context {
    async fn open(&self, markers: Markers) -> Result<Tx, Error> {
        let mut inner = match &self.whole {
            Some(whole) => whole.begin_part().await?,
            None => self.database.pool().begin().await.map_err(failed)?,
        };
        // Cancelling a request leaves its query to the database; with this it ends there too. Without a deadline the
        // connection's own limit holds.
        let remaining =
            self.request.deadline.map(|end| end.saturating_duration_since(Instant::now()).as_millis().max(1));
        let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let began = Instant::now();
        let row = sqlx::query!(
            r#"
            select
              set_config('rtv.actor', $1, true) as "actor!",
              set_config('rtv.tenant_id', $2, true) as "tenant!",
              set_config('rtv.user_id', $3, true) as "user!",
              set_config('rtv.session', $4, true) as "session!",
              set_config('rtv.teams', $5, true) as "teams!",
              set_config('rtv.token', $6, true) as "token!",
              set_config('rtv.reading', $8, true) as "reading!",
              set_config('enable_seqscan', coalesce($9, current_setting('enable_seqscan')), true) as "scan!",
              set_config('enable_bitmapscan', coalesce($9, current_setting('enable_bitmapscan')), true) as "bitmap!",
              set_config('plan_cache_mode', coalesce($10, current_setting('plan_cache_mode')), true) as "plans!",
              set_config('statement_timeout', coalesce($7, current_setting('statement_timeout')), true) as "limit!",
              maintenance.reason as "reason?", maintenance.expected_until as "expected_until?",
              maintenance.changed_at as "changed_at?", maintenance.changed_by as "changed_by?"
            from (select 1) as one
            left join maintenance on maintenance.is_on
            "#,
            markers.actor,
            text(markers.tenant.map(TenantId::uuid)),
            text(markers.user.map(UserId::uuid)),
            markers.session.map(SessionHash::to_hex).unwrap_or_default(),
            array(&markers.teams),
            markers.token.map(TokenHash::to_hex).unwrap_or_default(),
            remaining.map(|milliseconds| milliseconds.to_string()),
            if markers.aim == Aim::Read { "on" } else { "" },
            (markers.plans == Plans::ByIndex).then_some("off"),
            (markers.plans != Plans::Own).then_some("force_generic_plan"),
        )
        .fetch_one(&mut *inner)
        .await
        .map_err(failed)?;
        let maintenance = row.reason.map(|reason| {
            Arc::new(Maintenance {
                reason,
                expected_until: row.expected_until,
                since: row.changed_at.unwrap_or_default(),
                by: row.changed_by.unwrap_or_default(),
            })
        });
        self.database.remember(began, maintenance.clone());
        if let (Aim::Change, Some(maintenance)) = (markers.aim, &maintenance) {
            inner.rollback().await.map_err(failed)?;
            return Err(Error::ReadOnly(ReadOnly::Maintenance { reason: maintenance.reason.clone() }));
        }
        Ok(Tx {
            inner: Some(inner),
            whole: self.whole.clone(),
            actor: self.actor.clone(),
            request: self.request.clone(),
            tenant: markers.tenant,
            is_staff: markers.actor == "staff",
            now: self.now(),
            maintenance,
        })
    }

    /// For seeing whether there is maintenance, and nothing else.
    pub(crate) async fn begin_to_look(&self) -> Result<Tx, Error> {
        self.open(Markers::default()).await
    }

    /// For reading what a person has across tenants. Nobody signed in: [`Error::SignedOut`].
    pub async fn begin_person(&self) -> Result<Tx, Error> {
        self.begin_own(Aim::Read).await
    }

    /// For what a person changes about themself.
    pub(crate) async fn begin_own_change(&self) -> Result<Tx, Error> {
        self.begin_own(Aim::Change).await
    }

    /// For ending a person's sessions, and for remembering where they were.
    pub(crate) async fn begin_own_session(&self) -> Result<Tx, Error> {
        self.begin_own(Aim::Keep).await
    }

    async fn begin_own(&self, aim: Aim) -> Result<Tx, Error> {
        let user = self.actor.user_id().ok_or(Error::SignedOut)?;
        let plans = if aim == Aim::Read { Plans::Kept } else { Plans::Own };
        self.open(Markers { actor: "person", aim, user: Some(user), plans, ..Markers::default() }).await
    }

    /// For one browser's session, which may belong to nobody yet.
    pub(crate) async fn begin_session(&self, session: SessionHash) -> Result<Tx, Error> {
        let markers = Markers { actor: "session", aim: Aim::Keep, session: Some(session), ..Markers::default() };
        self.open(Markers { plans: Plans::Kept, ..markers }).await
    }

    /// For signing in and out. `user` is known once the address has been looked up.
    pub(crate) async fn begin_sign_in(&self, session: Option<SessionHash>, user: Option<UserId>) -> Result<Tx, Error> {
        self.open(Markers { actor: "sign_in", aim: Aim::Keep, session, user, ..Markers::default() }).await
    }

    /// For a link that leads to a new password. `user` is known once the link has been looked up.
    pub(crate) async fn begin_reset(&self, token: TokenHash, user: Option<UserId>) -> Result<Tx, Error> {
        self.open(Markers { actor: "sign_in", aim: Aim::Keep, token: Some(token), user, ..Markers::default() }).await
    }

    /// For a link that invites. `tenant` is that of the invitation, once it has been looked up and is to be accepted; `user`
    /// is who accepts.
    pub(crate) async fn begin_invitation(
        &self,
        token: TokenHash,
        tenant: Option<TenantId>,
        user: Option<UserId>,
    ) -> Result<Tx, Error> {
        let aim = if tenant.is_some() { Aim::Change } else { Aim::Read };
        self.open(Markers { actor: "invitation", aim, token: Some(token), tenant, user, ..Markers::default() }).await
    }

    /// For a program that shows a key. Whose it is, the key's row says; then the transaction turns to that tenant.
    pub(crate) async fn begin_key(&self, token: TokenHash) -> Result<Tx, Error> {
        self.open(Markers { actor: "api_key", aim: Aim::Keep, token: Some(token), ..Markers::default() }).await
    }

    /// For the operator. `tenant` is the one tenant whose rows the act touches; the reason goes to the audit log.
    /// Who is not staff learns nothing: [`Error::NotFound`]. Staff who have signed in prove who they are before whatever
    /// changes something: [`Error::NotFresh`].
    pub(crate) async fn begin_staff(&self, permission: StaffPermission, tenant: Option<TenantId>) -> Result<Tx, Error> {
        let aim = self.aim_of_staff(permission)?;
        self.open(Markers { actor: "staff", aim, tenant, user: self.actor.user_id(), ..Markers::default() }).await
    }

    /// The same for kill switches: all of them, what they hold in all tenants, and the rows of the tenant whose switch it is.
    /// The operator's own switches stand under [`TenantId::OPERATOR`].
    pub(crate) async fn begin_switches(
        &self,
        permission: StaffPermission,
        owner: Option<TenantId>,
    ) -> Result<Tx, Error> {
        let aim = self.aim_of_staff(permission)?;
        let plans = if permission == StaffPermission::SwitchesEngage { Plans::Kept } else { Plans::Own };
        let user = self.actor.user_id();
        let mut tx =
            self.open(Markers { actor: "gate", aim, tenant: owner, user, plans, ..Markers::default() }).await?;
        tx.is_staff = true;
        Ok(tx)
    }

    /// For reading kill switches, acknowledging them, and writing down what happened to them. It goes on in any case.
    pub(crate) async fn begin_gate(&self) -> Result<Tx, Error> {
        match self.actor {
            Actor::System(_) => self.open(Markers { actor: "gate", aim: Aim::Keep, ..Markers::default() }).await,
            Actor::Anonymous | Actor::Person(_) | Actor::ApiKey(_) | Actor::Operator(_) => Err(Error::NotFound),
        }
    }

    /// What staff may do with the permission; the refusals are those of [`Self::begin_staff`].
    fn aim_of_staff(&self, permission: StaffPermission) -> Result<Aim, Error> {
        let is_staff = match &self.actor {
            Actor::Operator(_) => true,
            Actor::Person(person) => person.is_staff && permission.is_for_the_console(),
            Actor::Anonymous | Actor::ApiKey(_) | Actor::System(_) => false,
        };
        if !is_staff {
            return Err(Error::NotFound);
        }
        if permission.asks_for_proof() {
            self.require_fresh()?;
        }
        Ok(permission.aim())
    }

    /// For work without a person inside one tenant, by `access::enter_to_work` alone.
    pub(crate) async fn begin_work(&self, tenant: TenantId) -> Result<Tx, Error> {
        self.open(Markers { actor: "tenant", tenant: Some(tenant), ..Markers::default() }).await
    }

    /// For sending: what is to leave, in all tenants. What was begun comes to its end also where nothing changes otherwise;
    /// who claims asks.
    pub(crate) async fn begin_sender(&self) -> Result<Tx, Error> {
        let Actor::System(_) = self.actor else { return Err(Error::NotFound) };
        // It looks rows up by keys and leaps through indexes. After a flood of new deliveries the planner, which has no statistics
        // of them yet, would read all of them instead: a claim among 90,000 took 1.7 s, and takes 1 ms so. And once it has them, it
        // takes plans that are made anew each time for a little cheaper, and making them for a good deal of the database's time.
        self.open(Markers { actor: "sender", aim: Aim::Keep, plans: Plans::ByIndex, ..Markers::default() }).await
    }

    /// For giving the events of one chain of the audit log their seals: a tenant's, or the operator's under the nil UUID.
    pub(crate) async fn begin_sealer(&self, chain: TenantId) -> Result<Tx, Error> {
        self.begin_chain("sealer", Aim::Keep, chain).await
    }

    /// For dropping the payloads of one chain of the audit log whose time is over.
    pub(crate) async fn begin_retention(&self, chain: TenantId) -> Result<Tx, Error> {
        self.begin_chain("retention", Aim::Change, chain).await
    }

    async fn begin_chain(&self, actor: &'static str, aim: Aim, chain: TenantId) -> Result<Tx, Error> {
        match self.actor {
            Actor::System(_) => self.open(Markers { actor, aim, tenant: Some(chain), ..Markers::default() }).await,
            Actor::Anonymous | Actor::Person(_) | Actor::ApiKey(_) | Actor::Operator(_) => Err(Error::NotFound),
        }
    }

    /// For work without a person. The kind is part of the log, not of the rights: all kinds see the queue, mail,
    /// what is swept and which chains wait, and no tenant's rows.
    pub async fn begin_worker(&self, kind: WorkKind) -> Result<Tx, Error> {
        match (&self.actor, kind) {
            (
                Actor::System(_),
                WorkKind::Queue | WorkKind::Sweep | WorkKind::Mail | WorkKind::Audit | WorkKind::Schedule,
            ) => self.open(Markers { actor: "worker", aim: Aim::Keep, ..Markers::default() }).await,
            _ => Err(Error::NotFound),
        }
    }
}

impl TenantContext {
    /// The way to a tenant's rows: checks the permission, opens, sets the tenant. Who holds the permission through teams
    /// alone sees of a list what these are responsible for, and nothing else. A refusal is written to the tenant's audit
    /// log in a transaction of its own and answers [`Error::Forbidden`].
    ///
    /// What the permission allows decides what the transaction may do. One that only looks changes nothing, whatever is
    /// written here; any other is refused where nothing may change: [`Error::ReadOnly`].
    pub async fn begin(&self, permission: Permission, resource: Resource) -> Result<Tx, Error> {
        let aim = if permission.only_reads() { Aim::Read } else { Aim::Change };
        self.begin_as("tenant", aim, &[permission], resource).await
    }

    /// For looking at what several permissions lead to, each by itself, also where these allow more than looking. A
    /// refusal names the first of them.
    pub async fn begin_to_read(&self, permissions: &[Permission], resource: Resource) -> Result<Tx, Error> {
        self.begin_as("tenant", Aim::Read, permissions, resource).await
    }

    /// For taking away what is left of work that came to nothing, and for saying that work waits, also where nothing
    /// changes otherwise.
    pub(crate) async fn begin_to_tidy(&self, permission: Permission, resource: Resource) -> Result<Tx, Error> {
        self.begin_as("tenant", Aim::Keep, &[permission], resource).await
    }

    /// For saying on each page that sending is halted: to everybody in the tenant, whatever they may see otherwise.
    pub(crate) async fn begin_banner(&self) -> Result<Tx, Error> {
        self.open(Markers { actor: "tenant", tenant: Some(self.tenant.id), ..Markers::default() }).await
    }

    /// For what only stops something: it takes from somebody what they have, and gives nobody anything. That goes on also
    /// where nothing changes otherwise.
    pub(crate) async fn begin_to_stop(&self, permission: Permission, resource: Resource) -> Result<Tx, Error> {
        self.begin_as("tenant", Aim::Keep, &[permission], resource).await
    }

    /// For the answers that a key gets again when it asks the same again: its own, so no permission leads to them.
    pub(crate) async fn begin_answers(&self) -> Result<Tx, Error> {
        match self.context.actor {
            Actor::ApiKey(_) => {
                let markers =
                    Markers { actor: "tenant", aim: Aim::Keep, tenant: Some(self.tenant.id), ..Markers::default() };
                self.context.open(markers).await
            }
            Actor::Anonymous | Actor::Person(_) | Actor::Operator(_) | Actor::System(_) => Err(Error::NotFound),
        }
    }

    /// For looking at the sessions of one member.
    pub(crate) async fn begin_members(&self, user: UserId) -> Result<Tx, Error> {
        self.begin_as("members", Aim::Read, &[Permission::UsersManage], Resource::Member(user)).await
    }

    async fn open(&self, markers: Markers) -> Result<Tx, Error> {
        let mut tx = self.context.open(markers).await?;
        tx.is_staff = tx.is_staff || self.access.visit().is_some();
        Ok(tx)
    }

    /// The same, and whatever is begun with it reads everything as it stood at one moment. Nothing that it changes lasts. Inside an
    /// act that is one transaction already, what that sees.
    pub(crate) async fn at_one_moment(&self) -> Result<Self, Error> {
        if self.context.whole.is_some() {
            return Ok(self.clone());
        }
        let pool = self.context.database.pool();
        let inner = pool.begin_with("begin isolation level repeatable read").await.map_err(failed)?;
        let whole = Whole { open: Mutex::new(Some(Open { inner, has_remains: false })) };
        let context = Context { whole: Some(Arc::new(whole)), ..self.context.clone() };
        Ok(Self { context, ..self.clone() })
    }

    /// Writes an event that is no part of a change, such as a refusal, in a transaction of its own.
    pub(crate) async fn record(&self, event: Event) -> Result<(), Error> {
        let markers = Markers {
            actor: "tenant",
            tenant: Some(self.tenant.id),
            user: self.context.actor.user_id(),
            ..Markers::default()
        };
        let mut tx = self.open(markers).await?;
        tx.audit(event).await?;
        tx.commit().await
    }

    async fn begin_as(
        &self,
        actor: &'static str,
        aim: Aim,
        permissions: &[Permission],
        resource: Resource,
    ) -> Result<Tx, Error> {
        let tenant = self.tenant.id;
        let actor = match self.context.actor {
            Actor::Operator(_) if actor == "tenant" => "staff",
            Actor::Operator(_) | Actor::Person(_) | Actor::ApiKey(_) | Actor::Anonymous | Actor::System(_) => actor,
        };
        let mut markers =
            Markers { actor, tenant: Some(tenant), user: self.context.actor.user_id(), ..Markers::default() };
        let mut is_allowed = permissions.iter().any(|permission| match aim {
            Aim::Read => self.access.shows(*permission),
            Aim::Change | Aim::Keep => self.access.grants(*permission),
        });
        if !is_allowed && let (Access::Member(holding), true) = (&self.access, resource.can_be_narrowed()) {
            let teams = permissions.iter().flat_map(|permission| holding.teams_with(*permission));
            markers.teams = teams.collect();
            is_allowed = !markers.teams.is_empty();
        }
        // Who asked for some teams sees of those what they would see anyway.
        if is_allowed && aim == Aim::Read && resource.can_be_narrowed() && !self.narrowed.is_empty() {
            let theirs = core::mem::replace(&mut markers.teams, self.narrowed.clone());
            if !theirs.is_empty() {
                markers.teams.retain(|team| theirs.contains(team));
                // No team at all would mean that nothing is narrowed.
                is_allowed = !markers.teams.is_empty();
            }
        }
        if is_allowed {
            if aim == Aim::Change {
                self.refuse_read_only()?;
            }
            let is_halt = permissions == [Permission::SwitchesEngage];
            return self.open(Markers { aim, plans: if is_halt { Plans::Kept } else { Plans::Own }, ..markers }).await;
        }
        let refused = *permissions.first().ok_or(Error::Internal)?;
        let mut tx = self.open(markers).await?;
        let (kind, id) = resource.name(tenant);
        tx.audit(Event::new("permission.refused", kind, id).outcome(Outcome::Denied).detail(refused.key())).await?;
        tx.commit().await?;
        Err(Error::Forbidden(refused))
    }
}

/// For running statements for nobody on a new connection, so that it has their plans. It is to be undone.
pub(crate) async fn begin_to_rehearse(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql("set local plan_cache_mode = force_generic_plan").execute(&mut *tx).await?;
    Ok(tx)
}

/// Ids as the database reads an array; nothing for none.
fn array(teams: &[rtv_core::TeamId]) -> String {
    if teams.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = teams.iter().map(|team| team.uuid().to_string()).collect();
    format!("{{{}}}", ids.join(","))
}

/// The one transaction of an act that is done once and as a whole, whatever it is made of: each beginning inside it is a part
/// that ends by itself, is undone by itself, and lasts only if the whole does.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Taken by the part that is open.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    inner: Transaction<'static, Postgres>,
    /// A part was left without an end; it is undone before anything else happens.
    has_remains: bool,
}

impl Whole {
    /// An act that goes on in a transaction that has begun.
    pub(crate) fn of(tx: Tx) -> Arc<Self> {
        Arc::new(Self { open: Mutex::new(Some(Open { inner: tx.into_inner(), has_remains: false })) })
    }

    fn take(&self) -> Result<Open, Error> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| {
            tracing::error!("two parts of one act were begun beside each other");
            Error::Internal
        })
    }

    fn put(&self, inner: Transaction<'static, Postgres>, has_remains: bool) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(Open { inner, has_remains });
    }

    async fn without_remains(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let Open { mut inner, has_remains } = self.take()?;
        if has_remains {
            sqlx::query("rollback to savepoint part").execute(&mut *inner).await.map_err(failed)?;
        }
        Ok(inner)
    }

    async fn begin_part(&self) -> Result<Transaction<'static, Postgres>, Error> {
        let mut inner = self.without_remains().await?;
        sqlx::query("savepoint part").execute(&mut *inner).await.map_err(failed)?;
        Ok(inner)
    }

    /// Makes the whole act permanent.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        self.without_remains().await?.commit().await.map_err(failed)
    }

    /// Undoes the whole act.
    pub(crate) async fn rollback(&self) -> Result<(), Error> {
        self.take()?.inner.rollback().await.map_err(failed)
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let (Some(inner), Some(whole)) = (self.inner.take(), &self.whole) {
            whole.put(inner, true);
        }
    }
}

/// Why a transaction that is open has an inside.
const OPEN: &str = "a transaction is open until it ends, which takes it away";

impl Tx {
    /// The connection, for this crate's queries.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        self.inner.as_mut().expect(OPEN)
    }

    /// The instant that the transaction's rows carry.
    pub(crate) const fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.now
    }

    /// The transaction itself, for the queue, whose rows ride along.
    pub fn queue(&mut self) -> &mut PgConnection {
        self.connection()
    }

    /// The maintenance that there was when the transaction began.
    pub(crate) fn maintenance(&self) -> Option<&Maintenance> {
        self.maintenance.as_deref()
    }

    /// Lifts the limits of time for what works on large sets: the length of a set is no sign of a stuck transaction.
    pub(crate) async fn take_time(&mut self) -> Result<(), Error> {
        for statement in ["set local statement_timeout = 0", "set local idle_in_transaction_session_timeout = 0"] {
            sqlx::query(statement).execute(self.connection()).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Waits until no other transaction holds what is named, and holds it until this one ends. The name carries the
    /// tenant's id where what is held belongs to one.
    pub(crate) async fn lock(&mut self, name: &str) -> Result<(), Error> {
        sqlx::query!(r#"select pg_advisory_xact_lock(hashtextextended($1, 0)) as "lock!: ()""#, name)
            .fetch_one(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// The same without waiting; false where another transaction holds it.
    pub(crate) async fn try_lock(&mut self, name: &str) -> Result<bool, Error> {
        sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as "is_held!""#, name)
            .fetch_one(self.connection())
            .await
            .map_err(failed)
    }

    /// Tells the planner whether to look rows up one after the other, for statements of which we know better than it.
    pub(crate) async fn set_nested_loops(&mut self, are_on: bool) -> Result<(), Error> {
        let statement = if are_on { "set local enable_nestloop = on" } else { "set local enable_nestloop = off" };
        sqlx::query(statement).execute(self.connection()).await.map_err(failed)?;
        Ok(())
    }

    /// Makes everything since the beginning permanent; inside a whole act, a part of it.
    pub async fn commit(mut self) -> Result<(), Error> {
        let mut inner = self.inner.take().expect(OPEN);
        let Some(whole) = &self.whole else { return inner.commit().await.map_err(failed) };
        sqlx::query("release savepoint part").execute(&mut *inner).await.map_err(failed)?;
        whole.put(inner, false);
        Ok(())
    }

    /// Undoes everything since the beginning, and waits until it is undone.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let mut inner = self.inner.take().expect(OPEN);
        let Some(whole) = &self.whole else { return inner.rollback().await.map_err(failed) };
        sqlx::query("rollback to savepoint part").execute(&mut *inner).await.map_err(failed)?;
        whole.put(inner, false);
        Ok(())
    }

    /// The transaction as sqlx knows it, for the queue's worker, which claims and completes in short ones.
    pub fn into_inner(mut self) -> Transaction<'static, Postgres> {
        self.inner.take().expect(OPEN)
    }

    /// Adds an event to the audit log of the transaction's tenant, or of the operator where there is none.
    pub(crate) async fn audit(&mut self, event: Event) -> Result<(), Error> {
        let tenant = self.tenant;
        let event = event.by_staff(self.is_staff);
        audit::insert(self.inner.as_mut().expect(OPEN), tenant, &self.actor, &self.request, self.now, event).await
    }

    /// Makes the transaction one of that tenant, also for its audit log.
    pub(crate) async fn move_to(&mut self, tenant: TenantId) -> Result<(), Error> {
        self.turn_to(tenant).await?;
        self.tenant = Some(tenant);
        Ok(())
    }

    /// Makes the transaction one of that tenant too, for what touches several tenants of one person in turn.
    pub(crate) async fn turn_to(&mut self, tenant: TenantId) -> Result<(), Error> {
        sqlx::query!(r#"select set_config('rtv.tenant_id', $1, true) as "set!""#, tenant.uuid().to_string())
            .fetch_one(self.connection())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Makes a sender's transaction one of that tenant from here on: its log, its mail and its posts.
    pub(crate) async fn enter_as_sender(&mut self, tenant: TenantId) -> Result<(), Error> {
        sqlx::query!(
            r#"
            select
              set_config('rtv.actor', 'tenant', true) as "actor!", set_config('rtv.tenant_id', $1, true) as "tenant!",
              set_config('enable_seqscan', 'on', true) as "scan!", set_config('enable_bitmapscan', 'on', true) as "bitmap!",
              set_config('plan_cache_mode', 'auto', true) as "plans!"
            "#,
            tenant.uuid().to_string(),
        )
        .fetch_one(self.connection())
        .await
        .map_err(failed)?;
        self.tenant = Some(tenant);
        Ok(())
    }

    /// Adds an event to each tenant's log, and to the operator's where there is none. Only sign-ins need it: they
    /// have no tenant, but each of the person's tenants wants to see them.
    pub(crate) async fn audit_sign_in(
        &mut self,
        actor: &Actor,
        tenants: &[TenantId],
        event: &Event,
    ) -> Result<(), Error> {
        let event = &event.clone().by_staff(self.is_staff);
        for tenant in tenants {
            self.turn_to(*tenant).await?;
            audit::insert(
                self.inner.as_mut().expect(OPEN),
                Some(*tenant),
                actor,
                &self.request,
                self.now,
                event.clone(),
            )
            .await?;
        }
        sqlx::query!(r#"select set_config('rtv.tenant_id', '', true) as "set!""#)
            .fetch_one(self.connection())
            .await
            .map_err(failed)?;
        if tenants.is_empty() {
            audit::insert(self.inner.as_mut().expect(OPEN), None, actor, &self.request, self.now, event.clone())
                .await?;
        }
        Ok(())
    }
}

/// PostgreSQL's code for a statement that ran into its limit.
const QUERY_CANCELED: &str = "57014";

/// Turns a failure of the database into an error for people, and logs the cause once, here.
pub(crate) fn failed(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
            tracing::error!(error = %error, "the database does not answer");
            Error::Unavailable("The database does not answer. Nothing was changed. Try again in a moment.".into())
        }
        sqlx::Error::Database(cause) if cause.code().as_deref() == Some(QUERY_CANCELED) => {
            tracing::error!(error = %error, "a query took too long and was stopped");
            Error::Unavailable(
                "This took too long and was stopped. Nothing was changed. Try again in a moment, or ask for less at a time.".into(),
            )
        }
        sqlx::Error::Database(cause)
            if cause.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("53")) =>
        {
            tracing::error!(error = %error, "the database refuses work");
            Error::Unavailable(
                "The database cannot take work right now. Nothing was changed. Try again in a moment.".into(),
            )
        }
        _ => {
            tracing::error!(error = %error, "a query failed");
            Error::Internal
        }
    }
}

/// Name of the violated constraint, for turning it into an error of a field.
pub(crate) fn violated(error: &sqlx::Error) -> Option<&str> {
    match error {
        sqlx::Error::Database(cause) => cause.constraint(),
        _ => None,
    }
}
