//! A database with tenants and people in it, contexts to act with, and looking at rows from the side. What is not the
//! subject of a test is written as plain rows here, with the markers that row security asks for.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rtv_core::{Role, UserId};
use rtv_domain::import::{Options, Report};
use rtv_domain::mail::Outbox;
use rtv_domain::password::Passwords;
use rtv_domain::session::Person;
use rtv_domain::tenant::NewTenant;
use rtv_domain::vault::Vault;
use rtv_domain::{
    Actor, Clock, Context, Database, PoolSettings, RequestInfo, Tenant, TenantContext, access, import, tenant,
};
use rtv_testkit::TestDb;
use secrecy::SecretString;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Transaction};
use uuid::Uuid;

/// Long, and not of the kind that a guess begins with.
pub(crate) const PASSWORD: &str = "granite kettle nine pelicans";

/// One hash is prepared for all tests of the process, because it takes a tenth of a second.
pub(crate) fn passwords() -> &'static Passwords {
    static PASSWORDS: OnceLock<Passwords> = OnceLock::new();
    PASSWORDS.get_or_init(|| Passwords::prepare().unwrap())
}

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub(crate) fn vault() -> Vault {
    Vault::new([7; 32])
}

/// Mail stays where a test can read it.
pub(crate) fn outbox() -> Outbox {
    Outbox::new(vault(), "https://rtv.example/", true)
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A file of the research data beside the checkout; `None`, and a loud word, where it is not there.
pub(crate) fn research_data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {} is not there, so nothing was proved about it. Put the research data beside the checkout.",
        path.display()
    );
    None
}

pub(crate) struct World {
    pub(crate) db: TestDb,
    pub(crate) database: Database,
    /// The serving role, past the domain.
    pub(crate) app: PgPool,
    pub(crate) clock: Clock,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_connections(4).await
    }

    pub(crate) async fn with_connections(connections: u32) -> Self {
        let db = TestDb::new().await;
        let settings = PoolSettings { connections, patience: Duration::from_secs(20), ready: 0 };
        let database = Database::open(&db.app_url(), settings).await.unwrap();
        let app = db.app_pool().await;
        Self { db, database, app, clock: Clock::Fixed(at("2026-11-21T09:00:00Z")) }
    }

    pub(crate) fn context(&self, actor: Actor) -> Context {
        self.context_at(self.clock.now(), actor)
    }

    pub(crate) fn context_at(&self, now: DateTime<Utc>, actor: Actor) -> Context {
        let request = RequestInfo {
            id: "req-7".into(),
            address: Some("203.0.113.9".parse().unwrap()),
            user_agent: Some("Test Browser/1.0".into()),
            ..RequestInfo::default()
        };
        Context::new(self.database.clone(), Clock::Fixed(now), request, actor)
    }

    pub(crate) fn operator(&self) -> Context {
        self.context(Actor::Operator("root@ops-1".into()))
    }

    pub(crate) fn worker(&self) -> Context {
        self.context(Actor::System("sweep"))
    }

    pub(crate) async fn tenant(&self, slug: &str, zone: &str) -> Tenant {
        let new = NewTenant {
            slug: slug.into(),
            name: format!("The {slug}"),
            zone: Some(zone.into()),
            // Without limits: what a plan allows is the subject of tests of their own.
            plan: Some("enterprise".into()),
            ..NewTenant::default()
        };
        tenant::create(&self.operator(), new).await.unwrap()
    }

    /// A person without a password, as one who has proved a moment ago who they are: most tests never sign in.
    pub(crate) async fn person(&self, email: &str) -> Person {
        let id = Uuid::now_v7();
        let mut tx = self.marked("staff", None, None).await;
        sqlx::query("insert into app_user (id, email, name) values ($1, $2, 'Somebody')")
            .bind(id)
            .bind(email)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        Person {
            id: UserId::from(id),
            name: "Somebody".into(),
            email: email.parse().unwrap(),
            is_staff: false,
            session: Uuid::now_v7(),
            last_tenant: None,
            preference: rtv_core::Preference::default(),
            has_second_factor: false,
            proved_at: Some(self.clock.now()),
            longest_idle: chrono::TimeDelta::zero(),
        }
    }

    pub(crate) async fn join(&self, person: &Person, tenant: &Tenant, role: Role) {
        let mut tx = self.as_tenant(tenant).await;
        sqlx::query("insert into membership (tenant_id, user_id, role) values ($1, $2, $3)")
            .bind(tenant.id.uuid())
            .bind(person.id.uuid())
            .bind(role.key())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// A new person with a role, inside the tenant.
    pub(crate) async fn member(&self, tenant: &Tenant, role: Role) -> TenantContext {
        let person = self.person(&format!("{role}.{}@example.org", Uuid::now_v7().simple())).await;
        self.join(&person, tenant, role).await;
        self.enter(&person, tenant).await
    }

    pub(crate) async fn enter(&self, person: &Person, tenant: &Tenant) -> TenantContext {
        let ctx = self.context(Actor::Person(Arc::new(person.clone())));
        access::enter(&ctx, tenant.slug.as_str()).await.unwrap()
    }

    /// A transaction of the serving role with the markers that the domain would set.
    pub(crate) async fn marked(
        &self,
        actor: &str,
        tenant: Option<Uuid>,
        user: Option<Uuid>,
    ) -> Transaction<'static, Postgres> {
        let mut tx = self.app.begin().await.unwrap();
        set_markers(&mut tx, actor, tenant, user).await;
        tx
    }

    pub(crate) async fn as_tenant(&self, tenant: &Tenant) -> Transaction<'static, Postgres> {
        self.marked("tenant", Some(tenant.id.uuid()), None).await
    }

    /// Runs a statement inside the tenant and returns how many rows it touched.
    pub(crate) async fn execute(&self, tenant: &Tenant, statement: &'static str) -> u64 {
        let mut tx = self.as_tenant(tenant).await;
        let done = sqlx::query(statement).execute(&mut *tx).await.unwrap().rows_affected();
        tx.commit().await.unwrap();
        done
    }

    /// The newest caught mail to an address: its subject and its text.
    pub(crate) async fn mail_to(&self, email: &str) -> Option<(String, String)> {
        let operator = self.operator();
        let all = rtv_domain::mail::list(&operator).await.unwrap();
        let newest = all.into_iter().find(|mail| mail.to == email)?;
        let (mail, text) = rtv_domain::mail::read(&operator, &vault(), newest.id).await.unwrap();
        Some((mail.subject, text.unwrap()))
    }

    /// The token of the link in the newest mail to an address.
    pub(crate) async fn token_to(&self, email: &str, path: &str) -> String {
        let (_, text) = self.mail_to(email).await.expect("a mail was written");
        let (_, rest) = text.split_once(&format!("https://rtv.example{path}")).expect("the mail has a link");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// All rows of a table that the tenant sees, as JSON in a fixed order.
    pub(crate) async fn rows(&self, tenant: &Tenant, table: &str) -> Vec<Value> {
        let mut tx = self.as_tenant(tenant).await;
        rows_of(&mut tx, table).await
    }

    /// Every row of every table of the tenant, table by table, but of those named. What waits to be sealed goes with
    /// the events that do.
    pub(crate) async fn state(&self, tenant: &Tenant, except: &[&str]) -> Vec<(String, Vec<Value>)> {
        let mut tx = self.as_tenant(tenant).await;
        let mut state = Vec::new();
        for table in tenant_tables(&mut tx).await {
            let named = if table == "audit_unsealed" { "audit_event" } else { &table };
            if !except.contains(&named) {
                let rows = rows_of(&mut tx, &table).await;
                state.push((table, rows));
            }
        }
        state
    }

    /// The tenant's audit log, oldest first: action, result and detail.
    pub(crate) async fn audit(&self, tenant: Option<&Tenant>) -> Vec<(String, String, Option<String>)> {
        let id = tenant.map_or(Uuid::nil(), |tenant| tenant.id.uuid());
        let mut tx = self.marked("staff", tenant.map(|tenant| tenant.id.uuid()), None).await;
        sqlx::query_as("select action, result, detail from audit_event where tenant_id = $1 order by id")
            .bind(id)
            .fetch_all(&mut *tx)
            .await
            .unwrap()
    }

    /// Writes a file and takes it in.
    pub(crate) async fn import_text(
        &self,
        ctx: &TenantContext,
        text: &str,
        options: Options,
    ) -> Result<Report, rtv_core::Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.csv");
        std::fs::write(&path, text).unwrap();
        import::run(ctx, &path, options, |_| {}).await
    }
}

pub(crate) async fn set_markers(
    tx: &mut Transaction<'static, Postgres>,
    actor: &str,
    tenant: Option<Uuid>,
    user: Option<Uuid>,
) {
    sqlx::query("select set_config('rtv.actor', $1, true), set_config('rtv.tenant_id', $2, true), set_config('rtv.user_id', $3, true)")
        .bind(actor)
        .bind(tenant.map(|id| id.to_string()).unwrap_or_default())
        .bind(user.map(|id| id.to_string()).unwrap_or_default())
        .execute(&mut **tx)
        .await
        .unwrap();
}

/// Names of all tables with a `tenant_id`, from the catalogue, so that a new one is not forgotten.
pub(crate) async fn tenant_tables(tx: &mut Transaction<'static, Postgres>) -> Vec<String> {
    sqlx::query_scalar(
        r"
        select relname::text
        from pg_class
        join pg_attribute on attrelid = pg_class.oid and attname = 'tenant_id' and not attisdropped
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
        order by relname
        ",
    )
    .fetch_all(&mut **tx)
    .await
    .unwrap()
}

pub(crate) async fn rows_of(tx: &mut Transaction<'static, Postgres>, table: &str) -> Vec<Value> {
    let query = format!("select to_jsonb(one) from {table} as one order by to_jsonb(one)::text");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut **tx).await.unwrap()
}
