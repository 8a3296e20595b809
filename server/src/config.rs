//! Where settings come from: the command line, then the environment, then the defaults. No other file of RTV reads the
//! environment; a test holds that.

use core::net::SocketAddr;
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use ipnet::IpNet;
#[cfg(debug_assertions)]
use rtv_core::fault::{self, Planted};
use rtv_domain::import::{Limits, Uploads};
use rtv_domain::kill_switch::Ramp;
use rtv_domain::mail::Outbox;
use rtv_domain::report::Files;
use rtv_domain::vault::Vault;
use rtv_domain::{Clock, Database, PoolSettings};
use rtv_outbound::gate::Gate;
use rtv_outbound::http::{Base, Client};
use rtv_outbound::mail::Mailer;
use rtv_platforms::Adapters;
use rtv_postgres::{Cluster, Options, Purpose};
use secrecy::SecretString;
use url::Url;

use crate::jobs::delivery::Pace;
use crate::key_file::Kind;

const MASTER_KEY: Kind = Kind {
    name: "the master key",
    where_missing: "bring it back, or name another file with RTV_SECRET_KEY_FILE: what was sealed with it cannot be opened without it",
    danger: "whoever has it can open every secret that the database holds",
};

/// Variables that RTV knows; others that begin with `RTV_` are named in a warning, because a misspelt one does nothing.
const KNOWN: &[&str] = &[
    "RTV_APP_DATABASE_URL",
    "RTV_HOME",
    "RTV_ADDR",
    "RTV_BASE_URL",
    "RTV_TRUSTED_PROXIES",
    "RTV_ENV",
    "RTV_LOG",
    "RTV_LOG_FORMAT",
    "RTV_CLOCK",
    "RTV_METRICS_ADDR",
    "RTV_SITE",
    "RTV_REPORTS",
    "RTV_REPORT_FONTS",
    "RTV_UPLOADS",
    "RTV_UPLOAD_BYTES",
    "RTV_UPLOAD_QUOTA_BYTES",
    "RTV_AUDIT_KEY_FILE",
    "RTV_SECRET_KEY_FILE",
    "RTV_SMTP_URL",
    "RTV_SMTP_CA_FILE",
    "RTV_MAIL_FROM",
    "RTV_SWITCH_RAMP",
    "RTV_SANDBOX_URL",
    "RTV_SANDBOX_LAG",
    "RTV_SANDBOX_RATE",
    "RTV_SEND_AT_ONCE",
    "RTV_SEND_DEADLINE",
    #[cfg(debug_assertions)]
    "RTV_FAULT",
];

/// Where RTV runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Environment {
    /// Trials, tests and work on RTV itself.
    Development,
    /// Real people: fixed clocks and cookies over plain HTTP are refused.
    Production,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// Settings of every command. Each is a flag and a variable; the flag wins.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Owner connection, used for migrations only. Unset: a private cluster in RTV_HOME.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    /// Connection for serving and working. Unset: the same database with the role `rtv_app`.
    #[arg(long, env = "RTV_APP_DATABASE_URL", hide_env_values = true, global = true)]
    pub app_database_url: Option<String>,
    /// Folder of the embedded default: cluster, files and keys.
    #[arg(long, env = "RTV_HOME", default_value = ".rtv", global = true)]
    pub home: PathBuf,
    /// Address to listen on.
    #[arg(long, env = "RTV_ADDR", default_value = "127.0.0.1:3000", global = true)]
    pub addr: SocketAddr,
    /// Public address, for links and cookies. Unset: `http://` and the address to listen on.
    #[arg(long, env = "RTV_BASE_URL", global = true)]
    pub base_url: Option<Url>,
    /// Networks of proxies whose forwarding headers count, separated by commas.
    #[arg(long, env = "RTV_TRUSTED_PROXIES", value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<IpNet>,
    /// Where RTV runs.
    #[arg(long, env = "RTV_ENV", value_enum, default_value = "development", global = true)]
    pub environment: Environment,
    /// Which log lines are written, as a tracing filter.
    #[arg(long, env = "RTV_LOG", default_value = "info", global = true)]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "RTV_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// For tests: a fixed instant like 2026-11-21T09:00:00Z, or a shift like +90m.
    #[arg(long, env = "RTV_CLOCK", value_parser = Clock::parse, global = true)]
    pub clock: Option<Clock>,
    /// A listener of its own for /metrics; unset, it is served beside the pages.
    #[arg(long, env = "RTV_METRICS_ADDR", global = true)]
    pub metrics_addr: Option<SocketAddr>,
    /// Folder with the browser's files. Unset: `site` beside the folder of this program, else `target/site`.
    #[arg(long, env = "RTV_SITE", global = true)]
    pub site: Option<PathBuf>,
    /// Folder of the files of reports; every server and worker must see the same one. Unset: `reports` in RTV_HOME.
    #[arg(long, env = "RTV_REPORTS", global = true)]
    pub reports: Option<PathBuf>,
    /// Font files (TTF or OTF), parted by colons, for letters in PDFs that the shipped font does not have.
    #[arg(long, env = "RTV_REPORT_FONTS", value_delimiter = ':', global = true)]
    pub report_fonts: Vec<PathBuf>,
    /// Folder of uploaded files; every worker must see the same one. Unset: `uploads` in RTV_HOME.
    #[arg(long, env = "RTV_UPLOADS", global = true)]
    pub uploads: Option<PathBuf>,
    /// Most bytes of one uploaded file.
    #[arg(long, env = "RTV_UPLOAD_BYTES", default_value_t = Limits::default().file_bytes, global = true)]
    pub upload_bytes: u64,
    /// Most bytes that all uploaded files of one tenant may take at a time.
    #[arg(long, env = "RTV_UPLOAD_QUOTA_BYTES", default_value_t = Limits::default().tenant_bytes, global = true)]
    pub upload_quota_bytes: u64,
    /// File with the private key that signs the audit log; every server and worker must have the same one. Unset:
    /// `audit.key` in RTV_HOME, made at the first start.
    #[arg(long, env = "RTV_AUDIT_KEY_FILE", global = true)]
    pub audit_key_file: Option<PathBuf>,
    /// File with the master key that seals stored secrets. Unset: `secret.key` in RTV_HOME, made at the first start.
    #[arg(long, env = "RTV_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<PathBuf>,
    /// Mail server, like smtps://user:pass@mail.example.com:465. Unset: mail is caught and shown at /staff/mail.
    #[arg(long, env = "RTV_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<SecretString>,
    /// File in PEM with an authority that is trusted for the mail server's certificate, beside those of the web.
    #[arg(long, env = "RTV_SMTP_CA_FILE", global = true)]
    pub smtp_ca_file: Option<PathBuf>,
    /// Who mail is from, like 'RTV <rtv@example.com>'; needed with a mail server.
    #[arg(long, env = "RTV_MAIL_FROM", global = true)]
    pub mail_from: Option<String>,
    /// For tests: how long a step of the ramp is with which sending begins again after a release, in seconds; 0: no ramp.
    #[arg(long, env = "RTV_SWITCH_RAMP", global = true, value_name = "SECONDS")]
    pub switch_ramp: Option<u64>,
    /// Address of the sandbox network, which `rtv sandbox` serves.
    #[arg(long, env = "RTV_SANDBOX_URL", default_value = "http://127.0.0.1:3070", global = true)]
    pub sandbox_url: Url,
    /// How soon the sandbox network shows a post, like 300ms; unset: as it says of itself. For tests.
    #[arg(long, env = "RTV_SANDBOX_LAG", value_parser = parse_span, global = true)]
    pub sandbox_lag: Option<Duration>,
    /// Posts of one account on the sandbox network in a minute; unset: as it says of itself. For tests.
    #[arg(long, env = "RTV_SANDBOX_RATE", value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub sandbox_rate: Option<u32>,
    /// Deliveries that one worker sends at the same time.
    #[arg(long, env = "RTV_SEND_AT_ONCE", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000), global = true)]
    pub send_at_once: u16,
    /// How long a platform's answer is waited for, like 10s; what has no answer by then is looked for.
    #[arg(long, env = "RTV_SEND_DEADLINE", default_value = "10s", value_parser = parse_span, global = true)]
    pub send_deadline: Duration,
    /// For tests of debug builds: a point at which the program dies, or a bug that it has, like in-claim:3.
    #[cfg(debug_assertions)]
    #[arg(long, env = "RTV_FAULT", global = true)]
    pub fault: Option<Planted>,
}

/// A span of time like 300ms, 10s or 2m.
fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|one: char| one.is_ascii_alphabetic());
    let amount: u64 =
        digits.parse().map_err(|_| format!("“{text}” is no span of time; use one like 300ms, 10s or 2m"))?;
    let span = match &text[digits.len()..] {
        "ms" => Duration::from_millis(amount),
        "s" => Duration::from_secs(amount),
        "m" => Duration::from_mins(amount),
        _ => return Err(format!("“{text}” has no unit; use one like 300ms, 10s or 2m")),
    };
    if span.is_zero() || span > Duration::from_mins(15) {
        return Err("use a span from 1ms to 15m".into());
    }
    Ok(span)
}

impl Settings {
    /// Refuses combinations that would be dangerous, and warns of variables that nothing reads.
    pub fn check(&self) -> anyhow::Result<()> {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("RTV_") && !KNOWN.contains(&&*name) {
                tracing::warn!(variable = %name, "this variable is not known to RTV and does nothing");
            }
        }
        #[cfg(debug_assertions)]
        self.plant_fault()?;
        if self.environment == Environment::Production {
            if self.switch_ramp.is_some() {
                bail!("RTV_SWITCH_RAMP is for tests and is refused with RTV_ENV=production; unset it");
            }
            if self.sandbox_lag.is_some() || self.sandbox_rate.is_some() {
                bail!(
                    "RTV_SANDBOX_LAG and RTV_SANDBOX_RATE are for tests and are refused with RTV_ENV=production; unset them"
                );
            }
            if self.clock.is_some() {
                bail!("RTV_CLOCK is for tests and is refused with RTV_ENV=production; unset it");
            }
            if self.base_url().scheme() != "https" {
                bail!(
                    "RTV_ENV=production needs a base address with https, because sign-in cookies must not travel in the open; set RTV_BASE_URL=https://…"
                );
            }
        }
        if !matches!(self.base_url().scheme(), "http" | "https") || self.base_url().host_str().is_none() {
            bail!("RTV_BASE_URL must look like https://rtv.example.com");
        }
        if self.mailer()?.is_none() && self.environment == Environment::Production {
            tracing::warn!("RTV_SMTP_URL is unset: mail is sent to nobody and shown to staff at /staff/mail");
        }
        Ok(())
    }

    /// Plants the fault that a test asks for.
    #[cfg(debug_assertions)]
    fn plant_fault(&self) -> anyhow::Result<()> {
        let Some(planted) = self.fault else { return Ok(()) };
        if self.environment == Environment::Production {
            bail!("RTV_FAULT is for tests and is refused with RTV_ENV=production; unset it");
        }
        tracing::warn!(fault = %planted.fault, "a fault is planted in this process: it is for tests alone");
        fault::plant(Some(planted)).map_err(|why| anyhow!(why))
    }

    /// Address of the sandbox network.
    pub const fn sandbox_url(&self) -> &Url {
        &self.sandbox_url
    }

    /// The platforms, whose effects pass that gate.
    pub fn adapters(&self, gate: Gate) -> anyhow::Result<Adapters> {
        let sandbox = Base::of_operator(self.sandbox_url.clone())
            .map_err(|why| anyhow!("RTV_SANDBOX_URL cannot be used: {why}; it looks like http://127.0.0.1:3070"))?;
        Ok(Adapters::new(Client::new(gate).with_deadline(self.send_deadline), sandbox))
    }

    /// How fast deliveries are sent, and how patiently.
    pub fn pace(&self) -> Pace {
        Pace {
            at_once: usize::from(self.send_at_once),
            deadline: self.send_deadline,
            sandbox_lag: self.sandbox_lag,
            sandbox_rate: self.sandbox_rate,
        }
    }

    /// Public address.
    pub fn base_url(&self) -> Url {
        self.base_url.clone().unwrap_or_else(|| {
            let mut url = Url::parse("http://localhost").expect("a constant address parses");
            url.set_ip_host(self.addr.ip()).expect("an http address takes any host");
            url.set_port(Some(self.addr.port())).expect("an http address takes any port");
            url
        })
    }

    /// The clock that RTV goes by.
    pub fn clock(&self) -> Clock {
        self.clock.unwrap_or_default()
    }

    /// Where files of reports lie.
    pub fn report_files(&self) -> Files {
        Files::new(self.reports.clone().unwrap_or_else(|| self.home.join("reports")))
    }

    /// The fonts for PDFs that the operator names; each must be one.
    pub fn report_fonts(&self) -> anyhow::Result<Arc<[Vec<u8>]>> {
        let read = |path: &PathBuf| {
            let bytes =
                std::fs::read(path).with_context(|| format!("{} (RTV_REPORT_FONTS) cannot be read", path.display()))?;
            match rtv_report::pdf::check_font(&bytes) {
                Ok(()) => Ok(bytes),
                Err(why) => {
                    bail!("{} (RTV_REPORT_FONTS) cannot be used: {why}; name a TTF or OTF file", path.display())
                }
            }
        };
        self.report_fonts.iter().map(read).collect()
    }

    /// Where uploaded files lie, and how many bytes they may be.
    pub fn uploads(&self) -> Uploads {
        let folder = self.uploads.clone().unwrap_or_else(|| self.home.join("uploads"));
        Uploads::new(folder, Limits { file_bytes: self.upload_bytes, tenant_bytes: self.upload_quota_bytes })
    }

    /// The vault of the master key. A file that is named must be there; that of RTV_HOME is made where it is missing.
    pub fn vault(&self) -> anyhow::Result<Vault> {
        let (path, text) = match &self.secret_key_file {
            Some(path) => (path.clone(), MASTER_KEY.load(path)?),
            None => {
                let path = self.home.join("secret.key");
                let text = MASTER_KEY.load_or_create(&path, Vault::generate)?;
                (path, text)
            }
        };
        Vault::parse(&text).map_err(|message| anyhow!("{}: {message}", path.display()))
    }

    /// The mail server, if there is one.
    pub fn mailer(&self) -> anyhow::Result<Option<Mailer>> {
        let Some(address) = &self.smtp_url else { return Ok(None) };
        let from = self.mail_from.as_deref().unwrap_or_default();
        let mailer = match Mailer::parse(address, from) {
            Ok(mailer) => mailer,
            Err(why) => bail!("RTV_SMTP_URL and RTV_MAIL_FROM cannot be used: {why}"),
        };
        let Some(file) = &self.smtp_ca_file else { return Ok(Some(mailer)) };
        let pem =
            std::fs::read(file).with_context(|| format!("{} (RTV_SMTP_CA_FILE) cannot be read", file.display()))?;
        match mailer.trusting(&pem) {
            Ok(mailer) => Ok(Some(mailer)),
            Err(why) => bail!("{} (RTV_SMTP_CA_FILE) cannot be used: {why}", file.display()),
        }
    }

    /// Where mail is written to.
    pub fn outbox(&self, vault: Vault) -> Outbox {
        Outbox::new(vault, self.base_url().as_str(), self.smtp_url.is_none())
    }

    /// How sending begins again after a release.
    pub fn ramp(&self) -> Ramp {
        self.switch_ramp.map_or_else(Ramp::default, |seconds| Ramp { step: Duration::from_secs(seconds) })
    }

    /// Folder of files that halt without a database.
    pub fn halt_folder(&self) -> PathBuf {
        self.home.join("halt.d")
    }

    /// File with the private key of the audit log.
    pub fn audit_key_file(&self) -> PathBuf {
        self.audit_key_file.clone().unwrap_or_else(|| self.home.join("audit.key"))
    }

    /// Folder with the browser's files.
    pub fn site(&self) -> anyhow::Result<PathBuf> {
        if let Some(site) = &self.site {
            return Ok(site.clone());
        }
        let program = std::env::current_exe()
            .context("this program cannot find its own path; set RTV_SITE to the folder with the browser’s files")?;
        let beside = program.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("site");
        // A build with a target folder elsewhere still lays the site out in the checkout.
        let in_checkout = Path::new("target/site");
        Ok(if !beside.exists() && in_checkout.exists() { in_checkout.to_owned() } else { beside })
    }

    /// Addresses of the database, and the private cluster where one was started for them.
    pub fn databases(&self) -> anyhow::Result<Databases> {
        let (cluster, owner_url) = match &self.database_url {
            Some(url) => (None, url.clone()),
            None => {
                let options = Options::new(self.home.clone(), Purpose::Durable);
                let cluster = rtv_postgres::start(&options, &mut |line| eprintln!("{line}"))?;
                let url = cluster.owner_url();
                (Some(cluster), url)
            }
        };
        let app_url = match (&self.app_database_url, &cluster) {
            (Some(url), _) => url.clone(),
            (None, Some(cluster)) => cluster.app_url(),
            (None, None) => app_url(&owner_url)?,
        };
        Ok(Databases { cluster, owner_url, app_url })
    }
}

/// Addresses of the database for both roles.
#[derive(Debug)]
pub struct Databases {
    /// The private cluster; it stops when the last program that uses it lets go.
    pub cluster: Option<Cluster>,
    /// For migrations.
    pub owner_url: String,
    /// For everything else.
    pub app_url: String,
}

impl Databases {
    /// Opens the serving role's pool on a schema of this version.
    pub async fn open(&self, settings: PoolSettings) -> anyhow::Result<Database> {
        let database = Database::open(&self.app_url, settings).await?;
        rtv_domain::schema::refuse_other_version(&database).await?;
        Ok(database)
    }
}

/// The owner's address with the serving role instead, without the owner's password.
fn app_url(owner_url: &str) -> anyhow::Result<String> {
    let mut url =
        Url::parse(owner_url).context("DATABASE_URL cannot be read; it looks like postgres://user@host/database")?;
    if url.set_username("rtv_app").is_err() || url.set_password(None).is_err() {
        bail!("DATABASE_URL has no host; set RTV_APP_DATABASE_URL too");
    }
    Ok(url.into())
}

/// Who runs a command, as the audit log names them: `user@host`.
pub fn operator() -> String {
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let uid = text("/proc/self/status")
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|line| line.split_whitespace().next().map(str::to_owned))
        .unwrap_or_default();
    let user = text("/etc/passwd")
        .lines()
        .find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == uid).then(|| name.to_owned())
        })
        .unwrap_or_else(|| format!("uid {uid}"));
    let host = text("/proc/sys/kernel/hostname");
    format!("{user}@{}", host.trim())
}

/// Starts the log on standard error, so that standard output stays for results.
pub fn start_logging(settings: &Settings) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&settings.log).unwrap_or_else(|error| {
        eprintln!("RTV_LOG cannot be read ({error}); it looks like info or rtv_domain=debug. Going on with info.");
        EnvFilter::new("info")
    });
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false);
    match settings.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serving_role_takes_the_owners_place_without_its_password() {
        assert_eq!(
            app_url("postgres://owner:secret@db.example:5433/rtv?sslmode=require").unwrap(),
            "postgres://rtv_app@db.example:5433/rtv?sslmode=require"
        );
        assert!(app_url("nonsense").is_err());
    }

    #[test]
    fn a_span_of_time_has_a_unit() {
        assert_eq!(parse_span("300ms"), Ok(Duration::from_millis(300)));
        assert_eq!(parse_span("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_span("2m"), Ok(Duration::from_mins(2)));
        for wrong in ["", "10", "s", "0s", "16m", "1h", "-1s"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_operator_has_a_name_and_a_host() {
        let (user, host) = operator().split_once('@').map(|(user, host)| (user.to_owned(), host.to_owned())).unwrap();
        assert!(!user.is_empty() && !host.is_empty());
    }
}
