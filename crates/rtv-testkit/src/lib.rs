//! A database of its own for each test: cloned from a migrated template, by an ordinary owner and never by a superuser,
//! because a superuser hides faults of row security.
//!
//! All test processes share one throwaway cluster in `target/test-postgres`; the first starts it, and `rtv-testdb stop`
//! ends it. Databases of processes that are gone are removed by the next test that begins.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rtv_postgres::{Cluster, Options, Purpose};
use sha2::{Digest, Sha256};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");
static CLUSTER: OnceLock<Cluster> = OnceLock::new();
/// Any number that only this file uses.
const TEMPLATE_LOCK: i64 = 7_213_055;

/// Where the throwaway cluster lies.
pub fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-postgres")
}

/// The shared cluster, started if need be.
pub fn cluster() -> &'static Cluster {
    CLUSTER.get_or_init(|| {
        std::fs::create_dir_all(home()).expect("the target folder can be written");
        rtv_postgres::start(&Options::new(home(), Purpose::Throwaway), &mut |line| eprintln!("test cluster: {line}"))
            .unwrap_or_else(|error| panic!("the test cluster does not start: {error}"))
    })
}

/// A migrated, empty database.
#[derive(Debug)]
pub struct TestDb {
    name: String,
}

impl TestDb {
    /// Clones the template, which is made first where the migrations have changed. It lives as long as the process.
    pub async fn new() -> Self {
        Self::clone_as(format!("rtv_test_{}_{}", std::process::id(), uuid::Uuid::now_v7().simple())).await
    }

    /// A clone that outlives the process, for scripts; it takes the place of the one before.
    pub async fn kept() -> Self {
        Self::clone_as("rtv_kept".into()).await
    }

    async fn clone_as(name: String) -> Self {
        let cluster = cluster();
        let mut owner = connect(&cluster.owner_url()).await;
        sqlx::query("select pg_advisory_lock($1)")
            .bind(TEMPLATE_LOCK)
            .execute(&mut owner)
            .await
            .expect("the lock is free in the end");
        let template = template_name();
        let exists: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = $1)")
            .bind(&template)
            .fetch_one(&mut owner)
            .await
            .expect("the catalogue can be read");
        if !exists {
            make_template(cluster, &mut owner, &template).await;
        }
        remove_orphans(&mut owner).await;
        execute(&mut owner, format!("drop database if exists {name} with (force)")).await;
        execute(&mut owner, format!("create database {name} template {template}")).await;
        // Rights on a database are not part of what a template passes on.
        execute(&mut owner, format!("revoke all on database {name} from public")).await;
        execute(&mut owner, format!("grant connect, temporary on database {name} to rtv_app")).await;
        owner.close().await.expect("a connection can be closed");
        Self { name }
    }

    /// Address for the serving role.
    pub fn app_url(&self) -> String {
        cluster().app_url_of(&self.name)
    }

    /// Address for the owner.
    pub fn owner_url(&self) -> String {
        cluster().owner_url_of(&self.name)
    }

    /// A pool of the serving role.
    pub async fn app_pool(&self) -> PgPool {
        pool(&self.app_url()).await
    }

    /// A pool of the owner. It is not a superuser, so forced row security holds for it too.
    pub async fn owner_pool(&self) -> PgPool {
        pool(&self.owner_url()).await
    }
}

async fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(8).connect(url).await.expect("the test database answers")
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the test cluster answers")
}

async fn execute(connection: &mut PgConnection, statement: String) {
    // The statements are made of names of ours alone.
    let shown = statement.clone();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
}

/// Changes whenever a migration does.
fn template_name() -> String {
    let mut digest = Sha256::new();
    for migration in MIGRATOR.iter() {
        digest.update(migration.version.to_be_bytes());
        digest.update(&*migration.checksum);
    }
    format!("rtv_template_{}", &hex::encode(digest.finalize())[..16])
}

async fn make_template(cluster: &Cluster, owner: &mut PgConnection, template: &str) {
    let draft = format!("{template}_draft");
    execute(owner, format!("drop database if exists {draft} with (force)")).await;
    execute(owner, format!("create database {draft}")).await;
    let mut inside = connect(&cluster.owner_url_of(&draft)).await;
    execute(&mut inside, "revoke all on schema public from public; grant usage on schema public to rtv_app".into())
        .await;
    MIGRATOR.run(&mut inside).await.unwrap_or_else(|error| panic!("a migration fails: {error}"));
    inside.close().await.expect("a connection can be closed");
    execute(owner, format!("alter database {draft} rename to {template}")).await;
}

/// Databases are named after the process that made them; those of dead processes go.
async fn remove_orphans(owner: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar(r"select datname from pg_database where datname like 'rtv\_test\_%'")
        .fetch_all(&mut *owner)
        .await
        .expect("the catalogue can be read");
    for name in names {
        let process = name.split('_').nth(2).unwrap_or_default();
        if !Path::new("/proc").join(process).exists() {
            // One that autovacuum is busy in cannot be dropped by an ordinary owner; the next test tries again.
            let drop = AssertSqlSafe(format!("drop database if exists {name} with (force)"));
            if let Err(error) = sqlx::raw_sql(drop).execute(&mut *owner).await {
                eprintln!("test cluster: {name} is left for later: {error}");
            }
        }
    }
}
