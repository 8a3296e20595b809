//! `rtv admin`: tenants, people, and checks of what is stored; the audit log has a file of its own.

use std::io::{IsTerminal as _, Read as _};

use clap::Subcommand;
use rtv_core::{Brand, Error, Slug};
use rtv_domain::life_cycle::Step;
use rtv_domain::password::{self, Passwords};
use rtv_domain::tenant::NewTenant;
use rtv_domain::user::Belongs;
use rtv_domain::{access, kpi_daily, password_reset, post_hour, tenant, user};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::cli::role::{self, Roles};
use crate::cli::{Failure, Outcome, account, audit, delivery, life_cycle, limit, maintenance, operate, print_table};
use crate::config::Settings;

/// Keep tenants and people.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Client organisations.
    #[command(subcommand)]
    Tenants(Tenants),
    /// People.
    #[command(subcommand)]
    Users(Users),
    /// Roles and what they hold.
    #[command(subcommand)]
    Roles(Roles),
    /// Daily roll-ups, which figures are read from.
    #[command(subcommand)]
    Rollups(Rollups),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Maintenance: everything can be read, nothing changes.
    #[command(subcommand)]
    Maintenance(maintenance::Maintenance),
    /// Connected profiles.
    #[command(subcommand)]
    Accounts(account::Accounts),
    /// Deliveries: many at once, and taking out what became of them.
    #[command(subcommand)]
    Deliveries(delivery::Deliveries),
}

/// Client organisations.
#[derive(Debug, Subcommand)]
pub enum Tenants {
    /// Create a tenant.
    #[command(
        after_help = "Example:\n  rtv admin tenants create --slug acme --name 'Acme Coffee' --zone Europe/Berlin --currency EUR"
    )]
    Create {
        /// Name in addresses: lower-case letters, digits and hyphens.
        #[arg(long)]
        slug: String,
        /// Name for people.
        #[arg(long)]
        name: String,
        /// IANA time zone of its days; UTC if left out.
        #[arg(long)]
        zone: Option<String>,
        /// Locale of its numbers and dates; en-US if left out.
        #[arg(long)]
        locale: Option<String>,
        /// ISO 4217 code of its money; USD if left out.
        #[arg(long)]
        currency: Option<String>,
        /// free, starter, professional or enterprise; free if left out.
        #[arg(long)]
        plan: Option<String>,
        /// It is the operator's own.
        #[arg(long)]
        house: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a tenant a colour of its own. Lightness is RTV's: it is set so that everything can be read in both themes.
    #[command(
        after_help = "Examples:\n  rtv admin tenants brand --tenant acme --hue 145 --chroma 0.12\n  rtv admin tenants brand --tenant acme --default"
    )]
    Brand {
        /// Slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Degrees from 0 to 360, as in oklch(0.6 0.15 250): 250.
        #[arg(long, requires = "chroma", required_unless_present = "default", allow_negative_numbers = true)]
        hue: Option<f64>,
        /// From 0 to 0.4, as in oklch(0.6 0.15 250): 0.15.
        #[arg(long, requires = "hue", allow_negative_numbers = true)]
        chroma: Option<f64>,
        /// RTV's own colour again.
        #[arg(long, conflicts_with_all = ["hue", "chroma"])]
        default: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one tenant: what it is, where it stands, who belongs to it, and who of the operator looked at it.
    #[command(after_help = "Example:\n  rtv admin tenants show acme --json")]
    Show {
        /// Slug of the tenant.
        tenant: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what a tenant may use and what it uses, or change its plan and its limits.
    #[command(
        after_help = "Examples:\n  rtv admin tenants limits acme\n  rtv admin tenants limits acme --plan starter --set users=20 --reset campaigns"
    )]
    Limits {
        /// Slug of the tenant.
        tenant: String,
        /// Allow so much instead of what the plan says, as in users=20; may repeat. Limits are users, campaigns, posts-per-month,
        /// platforms, storage-gb and api-requests-per-minute.
        #[arg(long, value_name = "LIMIT=NUMBER")]
        set: Vec<String>,
        /// Allow what the plan says again; may repeat.
        #[arg(long, value_name = "LIMIT")]
        reset: Vec<String>,
        /// Another plan: free, starter, professional or enterprise.
        #[arg(long)]
        plan: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Suspend a tenant: it can be read and exported, and changes nothing.
    #[command(after_help = "Example:\n  rtv admin tenants suspend acme --reason 'Bill 2026-117 is open'")]
    Suspend {
        /// Slug of the tenant.
        tenant: String,
        /// Why, in words that its people read.
        #[arg(long)]
        reason: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a suspended or cancelled tenant work again.
    #[command(after_help = "Example:\n  rtv admin tenants resume acme --reason 'Bill 2026-117 is paid'")]
    Resume {
        /// Slug of the tenant.
        tenant: String,
        /// Why; its audit log keeps it.
        #[arg(long)]
        reason: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Cancel a tenant: it has ended, and can be read and exported. Nothing is deleted.
    #[command(after_help = "Example:\n  rtv admin tenants cancel acme --reason 'Contract ended on 30 November'")]
    Cancel {
        /// Slug of the tenant.
        tenant: String,
        /// Why, in words that its people read.
        #[arg(long)]
        reason: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show from which networks a tenant lets its members in, or let them in from everywhere again.
    #[command(
        name = "ip-ranges",
        after_help = "Examples:\n  rtv admin tenants ip-ranges acme\n  rtv admin tenants ip-ranges acme --clear"
    )]
    IpRanges {
        /// Slug of the tenant.
        tenant: String,
        /// Let members in from everywhere again, for when nobody gets in any more.
        #[arg(long)]
        clear: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List all tenants.
    #[command(after_help = "Example:\n  rtv admin tenants list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// People.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// Create a person. The password is read from standard input, or made and printed once.
    #[command(
        after_help = "Examples:\n  echo 'granite kettle nine pelicans' | rtv admin users create --email dana@acme.example --tenant acme --role owner\n  rtv admin users create --email sam@rtv.example --staff"
    )]
    Create {
        /// Sign-in address.
        #[arg(long)]
        email: String,
        /// Name for people; the part before the @ if left out.
        #[arg(long)]
        name: Option<String>,
        /// Slug of the tenant that the person becomes a member of.
        #[arg(long, requires = "role", required_unless_present = "staff")]
        tenant: Option<String>,
        /// owner, admin, editor or viewer.
        #[arg(long, requires = "tenant")]
        role: Option<String>,
        /// The person belongs to the operator.
        #[arg(long, conflicts_with_all = ["tenant", "role"])]
        staff: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List people.
    #[command(after_help = "Example:\n  rtv admin users list --tenant acme")]
    List {
        /// Only those of one tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keep a person from signing in, and end their sessions. Refused for the last owner of a tenant.
    #[command(after_help = "Example:\n  rtv admin users disable --email dana@acme.example")]
    Disable {
        /// Sign-in address.
        #[arg(long)]
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send a person a link to a new password, or make one and print it once. Ends their sessions.
    #[command(
        after_help = "Examples:\n  rtv admin users reset-password dana@acme.example\n  rtv admin users reset-password dana@acme.example --print"
    )]
    ResetPassword {
        /// Sign-in address.
        email: String,
        /// Make a new password and print it, in place of a mail with a link.
        #[arg(long)]
        print: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a person sign in again.
    #[command(after_help = "Example:\n  rtv admin users enable --email dana@acme.example")]
    Enable {
        /// Sign-in address.
        #[arg(long)]
        email: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Daily roll-ups.
#[derive(Debug, Subcommand)]
pub enum Rollups {
    /// Recompute a tenant's roll-ups from the facts and report every difference.
    #[command(after_help = "Example:\n  rtv admin rollups verify --tenant acme")]
    Verify {
        /// Slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Admin, settings: &Settings) -> Outcome {
    match command {
        Admin::Tenants(command) => tenants(command, settings).await,
        Admin::Users(command) => users(command, settings).await,
        Admin::Roles(command) => role::run(command, settings).await,
        Admin::Rollups(Rollups::Verify { tenant, json }) => verify(&tenant, json, settings).await,
        Admin::Audit(command) => audit::run(command, settings).await,
        Admin::Maintenance(command) => maintenance::run(command, settings).await,
        Admin::Accounts(command) => account::run(command, settings).await,
        Admin::Deliveries(command) => delivery::run(command, settings).await,
    }
}

async fn tenants(command: Tenants, settings: &Settings) -> Outcome {
    let (_databases, ctx) = match &command {
        Tenants::Show { tenant, json } => return life_cycle::show(tenant, *json, settings).await,
        Tenants::Suspend { tenant, reason, json } => {
            return life_cycle::take(tenant, Step::Suspend, Some(reason), *json, settings).await;
        }
        Tenants::Resume { tenant, reason, json } => {
            return life_cycle::take(tenant, Step::Resume, reason.as_deref(), *json, settings).await;
        }
        Tenants::Cancel { tenant, reason, json } => {
            return life_cycle::take(tenant, Step::Cancel, Some(reason), *json, settings).await;
        }
        Tenants::Create { .. }
        | Tenants::Brand { .. }
        | Tenants::Limits { .. }
        | Tenants::IpRanges { .. }
        | Tenants::List { .. } => operate(settings).await?,
    };
    match command {
        Tenants::Show { .. } | Tenants::Suspend { .. } | Tenants::Resume { .. } | Tenants::Cancel { .. } => {}
        Tenants::Create { slug, name, zone, locale, currency, plan, house, json } => {
            let made =
                tenant::create(&ctx, NewTenant { slug, name, zone, locale, currency, plan, is_house: house }).await?;
            if json {
                println!("{}", describe(&made, false));
            } else {
                println!("Created {} ({}), days in {}.", made.slug, made.id, made.zone);
                println!("Next: rtv admin users create --email you@example.com --tenant {} --role owner", made.slug);
            }
        }
        Tenants::Brand { tenant, hue, chroma, default: _, json } => {
            let slug = tenant.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
            let brand = hue.zip(chroma).map(|(hue, chroma)| Brand::new(hue, chroma)).transpose()?;
            tenant::set_brand(&ctx, &slug, brand).await?;
            let accents = brand.and_then(Brand::accents).map(|accents| accents.map(|made| made.accent.to_string()));
            if json {
                println!("{}", json!({ "tenant": slug, "accent": accents }));
            } else if let Some([light, dark]) = accents {
                println!("{slug} has its own colour: {light} in the light theme, {dark} in the dark one.");
            } else {
                println!("{slug} has RTV’s own colour.");
            }
        }
        Tenants::Limits { tenant, set, reset, plan, json } => {
            limit::limits(&ctx, &tenant, &set, &reset, plan, json).await?;
        }
        Tenants::IpRanges { tenant, clear, json } => limit::ip_ranges(&ctx, &tenant, clear, json).await?,
        Tenants::List { json } => {
            let all = tenant::list(&ctx).await?;
            if json {
                println!("{}", json!(all.iter().map(|one| describe(&one.tenant, one.is_sample)).collect::<Vec<_>>()));
            } else {
                let rows: Vec<Vec<String>> = all
                    .into_iter()
                    .map(|one| {
                        let tenant = one.tenant;
                        vec![
                            tenant.slug.to_string(),
                            tenant.name,
                            tenant.plan.to_string(),
                            tenant.status.to_string(),
                            tenant.zone.to_string(),
                            tenant.currency,
                        ]
                    })
                    .collect();
                print_table(&["slug", "name", "plan", "status", "zone", "currency"], &rows);
            }
        }
    }
    Ok(())
}

fn describe(tenant: &rtv_domain::Tenant, is_sample: bool) -> serde_json::Value {
    json!({
        "id": tenant.id, "slug": tenant.slug, "name": tenant.name, "plan": tenant.plan, "status": tenant.status,
        "house": tenant.is_house, "zone": tenant.zone.name(), "locale": tenant.locale, "currency": tenant.currency,
        "sample": is_sample,
    })
}

async fn users(command: Users, settings: &Settings) -> Outcome {
    match command {
        Users::Create { email, name, tenant, role, staff, json } => {
            let (typed, is_typed) = read_password()?;
            let (_databases, ctx) = operate(settings).await?;
            let belongs = match (tenant, role) {
                (Some(slug), Some(role)) if !staff => Belongs::Tenant { slug, role },
                _ => Belongs::Staff,
            };
            let passwords = Passwords::prepare()?;
            let (id, is_new) = user::create(&ctx, &passwords, &email, name.as_deref(), &typed, belongs).await?;
            let shown = (is_new && !is_typed).then(|| typed.expose_secret().to_owned());
            if json {
                println!("{}", json!({ "id": id, "email": email, "new": is_new, "password": shown }));
            } else {
                println!("{} {email} ({id}).", if is_new { "Created" } else { "Added" });
                match shown {
                    Some(password) => println!("Password, shown once: {password}"),
                    None if is_new => {}
                    None => println!("The person existed already and keeps their password."),
                }
            }
        }
        Users::ResetPassword { email, print, json } => reset_password(&email, print, json, settings).await?,
        Users::Disable { email, json } => set_disabled(&email, true, json, settings).await?,
        Users::Enable { email, json } => set_disabled(&email, false, json, settings).await?,
        Users::List { tenant, json } => {
            let (_databases, ctx) = operate(settings).await?;
            let slug = tenant
                .map(|text| text.parse::<Slug>())
                .transpose()
                .map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
            let all = user::list(&ctx, slug.as_ref()).await?;
            if json {
                let list: Vec<_> = all
                    .iter()
                    .map(|one| json!({ "id": one.id, "email": one.email, "name": one.name, "disabled": one.is_disabled, "staff": one.is_staff, "role": one.role, "role_name": one.role_name }))
                    .collect();
                println!("{}", json!(list));
            } else {
                let rows: Vec<Vec<String>> = all
                    .into_iter()
                    .map(|one| {
                        let role = match (one.role_name, one.is_staff) {
                            (Some(role), _) => role,
                            (None, true) => "staff".into(),
                            (None, false) => String::new(),
                        };
                        vec![
                            one.email.to_string(),
                            one.name,
                            role,
                            if one.is_disabled { "disabled" } else { "" }.into(),
                        ]
                    })
                    .collect();
                print_table(&["email", "name", "role", ""], &rows);
            }
        }
    }
    Ok(())
}

/// Keeps a person from signing in, or lets them again. A tenant that would be left without an owner is a refusal.
async fn set_disabled(email: &str, is_disabled: bool, json: bool, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let is_changed = match user::set_disabled(&ctx, email, is_disabled).await {
        Err(Error::Conflict(text)) => return Err(Failure::Refused(text)),
        other => other?,
    };
    if json {
        println!("{}", json!({ "email": email, "disabled": is_disabled, "changed": is_changed }));
    } else {
        let state = if is_disabled { "disabled, and signed out everywhere" } else { "enabled" };
        println!("{email} is {state}{}.", if is_changed { "" } else { " already" });
    }
    Ok(())
}

/// Sends a link to a new password, or makes a password and prints it once.
async fn reset_password(email: &str, print: bool, json: bool, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let outbox = settings.outbox(settings.vault()?);
    let outcome = if print {
        let passwords = Passwords::prepare()?;
        password_reset::give(&ctx, &outbox, &passwords, email).await.map(|(helped, made)| (helped, Some(made)))
    } else {
        password_reset::send(&ctx, &outbox, email).await.map(|helped| (helped, None))
    };
    let (helped, made) = match outcome {
        Err(Error::Conflict(text)) => return Err(Failure::Refused(text)),
        other => other?,
    };
    let made = made.as_ref().map(secrecy::ExposeSecret::expose_secret);
    if json {
        println!(
            "{}",
            json!({ "id": helped.user, "email": helped.email, "sessions_ended": helped.sessions_ended, "link_sent": made.is_none(), "password": made })
        );
        return Ok(());
    }
    match made {
        Some(password) => println!("Password of {}, shown once: {password}", helped.email),
        None if outbox.is_caught() => {
            println!("No mail server is set: the link for {} can be read at /staff/mail.", helped.email);
        }
        None => println!("A link to a new password is on its way to {}.", helped.email),
    }
    println!("Sessions that ended: {}.", helped.sessions_ended);
    Ok(())
}

/// The first line of standard input, or a password of ours where nothing is piped in. The second value says which.
fn read_password() -> anyhow::Result<(SecretString, bool)> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok((password::generate(), false));
    }
    let mut text = String::new();
    // A password has at most 1,024 bytes; whatever is longer is refused by its length.
    input.lock().take(4_096).read_to_string(&mut text)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() { Ok((password::generate(), false)) } else { Ok((SecretString::from(line.to_owned()), true)) }
}

async fn verify(slug: &str, json: bool, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let slug = slug.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
    let tenant = access::enter_as_operator(&ctx, &slug, "rtv admin rollups verify").await?;
    let differences = kpi_daily::verify(&tenant).await?;
    let by_hour = post_hour::verify(&tenant).await?;
    if json {
        let list: Vec<_> = differences
            .iter()
            .map(|one| json!({ "basis": one.basis.key(), "account": one.account, "first_day": one.first_day, "last_day": one.last_day, "rolled_up": one.rolled_up, "from_facts": one.from_facts }))
            .chain(by_hour.iter().map(|one| {
                json!({ "account": one.account, "first_day": one.first_day, "hour": one.hour, "rolled_up": one.rolled_up, "from_facts": one.from_facts })
            }))
            .collect();
        println!("{}", json!(list));
    } else if differences.is_empty() && by_hour.is_empty() {
        println!("Every roll-up of {slug} equals its facts.");
    } else {
        for one in &differences {
            println!(
                "{} {} {} to {}: rolled up {:?}, from the facts {:?} (posts, reach, impressions, engagements)",
                one.basis.key(),
                one.account,
                one.first_day,
                one.last_day,
                one.rolled_up,
                one.from_facts
            );
        }
        for one in &by_hour {
            println!(
                "{} {} hour {}: rolled up {:?}, from the posts {:?} (posts, engagements)",
                one.account, one.first_day, one.hour, one.rolled_up, one.from_facts
            );
        }
    }
    match differences.len() + by_hour.len() {
        0 => Ok(()),
        count => Err(Failure::Failed(anyhow::anyhow!("{count} roll-ups differ from their facts"))),
    }
}
