//! What `make bench-import` runs: files of 50 and 200 MB are imported, each by a process of its own that does nothing
//! else, and beside it the same rows are written by a plain `insert … select` from a staging table, by the same role,
//! into a database of its own that is as empty. Prints rows a second of both, their ratio, and the most memory that the
//! importing process took. That process is this program again; a command or a worker calls the same function.
//!
//! The files are the same on every machine and in every run.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use rtv_domain::import::{Counts, Options};
use rtv_domain::tenant::NewTenant;
use rtv_domain::{Actor, Clock, Context, Database, PoolSettings, RequestInfo, access, import, tenant};
use rtv_testkit::TestDb;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// Columns that the import fills, in the order of the table.
const COLUMNS: &str = "account_id, campaign_id, id, external_id, kind, body, published_at, published_from, published_to, \
    reach, impressions, reactions, comments, shares, clicks, conversions, revenue, cost, sentiment, content_digest, \
    import_id, created_at, updated_at";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, url, path] = &arguments[..]
        && command == "import"
    {
        return import_here(url, Path::new(path)).await;
    }
    let sizes: Vec<u64> = arguments.iter().map(|size| size.parse().expect("sizes are in MB")).collect();
    let folder = tempfile::tempdir().expect("a folder can be made");
    println!(
        "{:>7} {:>10} {:>9} {:>12} {:>12} {:>7} {:>10} {:>10}",
        "file", "rows", "seconds", "rows/s", "plain rows/s", "ratio", "peak RSS", "again"
    );
    for size in if sizes.is_empty() { vec![50, 200] } else { sizes } {
        let path = folder.path().join(format!("posts-{size}.csv"));
        let rows = write_file(&path, size * 1_000_000).expect("the file can be written");
        let imported = measure(&path, rows).await;
        let plain = insert_plainly(&imported.database, rows).await;
        println!(
            "{:>4} MB {:>10} {:>9.1} {:>12.0} {:>12.0} {:>7.2} {:>7} MB {:>8.1} s",
            size,
            rows,
            imported.took.as_secs_f64(),
            rate(rows, imported.took),
            rate(rows, plain),
            plain.as_secs_f64() / imported.took.as_secs_f64(),
            imported.peak_kilobytes / 1_024,
            imported.again.as_secs_f64(),
        );
        std::fs::remove_file(&path).expect("our own file can be removed");
    }
    println!(
        "seconds: of the importing process from its start to its end; plain: `insert … select` of the same rows with its commit;"
    );
    println!("ratio: import ÷ plain, 1 would be as fast; again: the same file once more, which changes nothing");
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(rows: u64, took: Duration) -> f64 {
    rows as f64 / took.as_secs_f64()
}

/// Posts of 40 accounts over two years, with texts of different lengths, until the file is large enough.
fn write_file(path: &Path, bytes: u64) -> std::io::Result<u64> {
    const WORDS: [&str; 16] = [
        "autumn", "boots", "new", "trail", "the", "rain", "and", "light", "now", "in", "store", "weekend", "coffee",
        "walk", "with", "us",
    ];
    let mut output = BufWriter::new(File::create(path)?);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    output.write_all(
        b"platform,account_id,account_name,post_id,published_at,kind,text,campaign,reach,impressions,reactions,comments,shares,clicks,conversions,revenue,cost,sentiment\n",
    )?;
    let (mut written, mut rows) = (0, 0);
    let mut line = Vec::new();
    while written < bytes {
        line.clear();
        let account = random(40);
        let platform = ["facebook", "instagram", "x", "linkedin"][usize::try_from(account % 4).unwrap_or_default()];
        let reach = random(90_000);
        write!(
            line,
            "{platform},acc-{account},Account {account},{account}_{rows},20{}-{:02}-{:02}T{:02}:{:02}:00Z,photo,\"",
            24 + random(2),
            1 + random(12),
            1 + random(28),
            random(24),
            random(60),
        )?;
        for _ in 0..random(12) {
            write!(line, "{} ", WORDS[usize::try_from(random(16)).unwrap_or_default()])?;
        }
        writeln!(
            line,
            "\",Campaign {},{reach},{},{},{},{},{},,{}.{:02},,0.{}",
            random(60),
            reach + random(40_000),
            random(900),
            random(90),
            random(50),
            random(700),
            random(500),
            random(100),
            random(99),
        )?;
        output.write_all(&line)?;
        written += line.len() as u64;
        rows += 1;
    }
    output.flush()?;
    Ok(rows)
}

struct Imported {
    database: TestDb,
    took: Duration,
    again: Duration,
    peak_kilobytes: u64,
}

/// What the importing process does: what a command would.
async fn import_here(url: &str, path: &Path) {
    let ctx = operator(url).await;
    let slug = "bench".parse().expect("a slug");
    let tenant = access::enter_as_operator(&ctx, &slug, "bench").await.expect("the tenant is there");
    let report = import::run(&tenant, path, Options::default(), |_| {}).await.expect("the file is sound");
    println!("{}", serde_json::json!(report.counts));
}

async fn operator(url: &str) -> Context {
    let settings = PoolSettings { connections: 2, ..PoolSettings::default() };
    let database = Database::open(url, settings).await.expect("the database answers");
    Context::new(database, Clock::System, RequestInfo::default(), Actor::Operator("bench".into()))
}

async fn measure(path: &Path, rows: u64) -> Imported {
    let database = TestDb::new().await;
    let new = NewTenant {
        slug: "bench".into(),
        name: "Bench".into(),
        plan: Some("enterprise".into()),
        ..NewTenant::default()
    };
    tenant::create(&operator(&database.app_url()).await, new).await.expect("a tenant is made");
    let program = std::env::current_exe().expect("this program has a path");
    let run = || {
        let started = Instant::now();
        let mut child = Command::new(&program)
            .arg("import")
            .arg(database.app_url())
            .arg(path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The kernel keeps the most that a process ever took; it is read until the process is gone.
        let status = PathBuf::from(format!("/proc/{}/status", child.id()));
        let mut peak = 0;
        while child.try_wait().expect("a child can be asked").is_none() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = started.elapsed();
        let output = child.wait_with_output().expect("it has ended");
        let told: Counts = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        (took, peak, told)
    };
    let (took, peak_kilobytes, told) = run();
    assert_eq!(u64::try_from(told.new), Ok(rows), "{told:?}");
    let (again, _, told) = run();
    assert_eq!(u64::try_from(told.unchanged), Ok(rows), "{told:?}");
    Imported { database, took, again, peak_kilobytes }
}

/// The same rows from a staging table into the same table, in one statement.
async fn insert_plainly(from: &TestDb, rows: u64) -> Duration {
    let database = TestDb::new().await;
    let mut source = inside(from, None).await;
    let tenant: Uuid = {
        sqlx::query("select set_config('rtv.actor', 'staff', false)").execute(&mut source).await.expect("a marker");
        sqlx::query_scalar("select id from tenant").fetch_one(&mut source).await.expect("the tenant")
    };
    let mut source = inside(from, Some(tenant)).await;
    let mut target = inside(&database, Some(tenant)).await;
    for table in ["tenant", "import", "account", "campaign"] {
        copy(&mut source, &format!("select * from {table}"), &mut target, table).await;
    }
    let staging = format!("create temporary table staging as select {COLUMNS} from post limit 0");
    sqlx::query(sqlx::AssertSqlSafe(staging)).execute(&mut target).await.expect("a staging table");
    copy(&mut source, &format!("select {COLUMNS} from post order by id"), &mut target, "staging").await;
    sqlx::query("analyze staging").execute(&mut target).await.expect("statistics");
    let statement =
        format!("insert into post (tenant_id, {COLUMNS}) select (select rtv_tenant()), {COLUMNS} from staging");
    let started = Instant::now();
    let done = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut target).await.expect("the rows fit");
    let took = started.elapsed();
    assert_eq!(done.rows_affected(), rows);
    took
}

/// A connection of the serving role inside a tenant.
async fn inside(database: &TestDb, tenant: Option<Uuid>) -> PgConnection {
    let mut connection = PgConnection::connect(&database.app_url()).await.expect("the database answers");
    let actor = if tenant.is_some() { "staff" } else { "" };
    sqlx::query("select set_config('rtv.actor', $1, false), set_config('rtv.tenant_id', $2, false)")
        .bind(actor)
        .bind(tenant.map(|id| id.to_string()).unwrap_or_default())
        .execute(&mut connection)
        .await
        .expect("markers can be set");
    connection
}

/// Copies rows between databases. A table with row security takes no `copy`, so it goes through one without.
async fn copy(source: &mut PgConnection, query: &str, target: &mut PgConnection, table: &str) {
    let through = if table == "staging" { table.to_owned() } else { format!("through_{table}") };
    if through != table {
        let create = format!("create temporary table {through} as select * from {table} limit 0");
        sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut *target).await.expect("a table between");
    }
    let mut rows = source.copy_out_raw(&format!("copy ({query}) to stdout")).await.expect("rows can be read");
    let mut copy = target.copy_in_raw(&format!("copy {through} from stdin")).await.expect("rows can be written");
    while let Some(piece) = rows.try_next().await.expect("rows can be read") {
        copy.send(piece).await.expect("rows can be written");
    }
    copy.finish().await.expect("rows can be written");
    if through != table {
        let insert = format!("insert into {table} select * from {through}");
        sqlx::query(sqlx::AssertSqlSafe(insert)).execute(&mut *target).await.expect("rows fit");
    }
}
