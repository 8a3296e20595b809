//! `rtv admin roles`: the built-in roles and the custom ones of a tenant, what each holds, and making and changing custom ones.

use clap::Subcommand;
use rtv_core::{GivenRole, Permission, Role, RoleId, Slug};
use rtv_domain::effective_access::NamedRole;
use rtv_domain::role::{self, Listed, NewRole};
use rtv_domain::{TenantContext, access};
use serde_json::{Value, json};

use crate::cli::{Failure, Outcome, operate, print_table, say};
use crate::config::{Databases, Settings};

/// Roles and what they hold.
#[derive(Debug, Subcommand)]
pub enum Roles {
    /// List the built-in roles, and with a tenant its custom ones.
    #[command(after_help = "Example:\n  rtv admin roles list --tenant acme")]
    List {
        /// Slug of the tenant.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what one role holds.
    #[command(
        after_help = "Examples:\n  rtv admin roles show editor\n  rtv admin roles show 'Campaign helper' --tenant acme"
    )]
    Show {
        /// Key of a built-in role, or name or id of a custom one.
        role: String,
        /// Slug of the tenant, for custom roles.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print every permission against every role.
    #[command(after_help = "Example:\n  rtv admin roles matrix --tenant acme")]
    Matrix {
        /// Slug of the tenant, for its custom roles.
        #[arg(long)]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a custom role.
    #[command(
        after_help = "Example:\n  rtv admin roles create --tenant acme --name 'Campaign helper' --permission campaigns:read --permission content:create"
    )]
    Create {
        /// Slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Name for people, unique in the tenant.
        #[arg(long)]
        name: String,
        /// What it is for.
        #[arg(long, default_value = "")]
        description: String,
        /// A permission that it holds; may repeat.
        #[arg(long, required = true)]
        permission: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change a custom role, for everybody who has it.
    #[command(
        after_help = "Example:\n  rtv admin roles edit 'Campaign helper' --tenant acme --grant content:update --revoke content:create"
    )]
    Edit {
        /// Name or id of the role.
        role: String,
        /// Slug of the tenant.
        #[arg(long)]
        tenant: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// Another description.
        #[arg(long)]
        description: Option<String>,
        /// A permission that it is to hold too; may repeat.
        #[arg(long)]
        grant: Vec<String>,
        /// A permission that it is no longer to hold; may repeat.
        #[arg(long)]
        revoke: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub async fn run(command: Roles, settings: &Settings) -> Outcome {
    match command {
        Roles::List { tenant, json } => list(tenant, json, settings).await,
        Roles::Show { role, tenant, json } => show(&role, tenant, json, settings).await,
        Roles::Matrix { tenant, json } => matrix(tenant, json, settings).await,
        Roles::Create { tenant, name, description, permission, json } => {
            let (_databases, ctx) = enter(&tenant, "rtv admin roles create", settings).await?;
            let new = NewRole { name, description, permissions: permission };
            let id = role::create(&ctx, &new).await?;
            report(&ctx, id, "Made", json).await
        }
        Roles::Edit { role, tenant, name, description, grant, revoke, json } => {
            if name.is_none() && description.is_none() && grant.is_empty() && revoke.is_empty() {
                return Err(Failure::Usage("say what to change: --name, --description, --grant or --revoke".into()));
            }
            let (_databases, ctx) = enter(&tenant, "rtv admin roles edit", settings).await?;
            let listed = find(role::list(&ctx).await?, &role)?;
            let (GivenRole::Custom(id), Some(revision)) = (listed.role.role, &listed.revision) else {
                return Err(Failure::Refused(format!("“{role}” is built in: nobody changes it.")));
            };
            let revoked = revoke.iter().map(|key| parse(key)).collect::<Result<Vec<_>, _>>()?;
            let held = listed.role.permissions.iter().filter(|permission| !revoked.contains(permission));
            let new = NewRole {
                name: name.unwrap_or_else(|| listed.role.name.clone()),
                description: description.unwrap_or_else(|| listed.description.clone()),
                permissions: held.map(|permission| permission.key().to_owned()).chain(grant).collect(),
            };
            role::update(&ctx, id, &new, &revision.version.to_string()).await?;
            report(&ctx, id, "Changed", json).await
        }
    }
}

fn parse(key: &str) -> Result<Permission, Failure> {
    key.parse().map_err(|message| Failure::Usage(format!("permission: {message}")))
}

async fn enter(slug: &str, reason: &str, settings: &Settings) -> Result<(Databases, TenantContext), Failure> {
    let slug = slug.parse::<Slug>().map_err(|message| Failure::Usage(format!("tenant: {message}")))?;
    let (databases, ctx) = operate(settings).await?;
    let tenant = access::enter_as_operator(&ctx, &slug, reason).await?;
    Ok((databases, tenant))
}

/// The roles of a tenant, or the built-in ones, for which nothing has to be asked.
async fn roles(tenant: Option<String>, reason: &str, settings: &Settings) -> Result<Vec<Listed>, Failure> {
    match tenant {
        Some(slug) => {
            let (_databases, ctx) = enter(&slug, reason, settings).await?;
            Ok(role::list(&ctx).await?)
        }
        None => Ok(Role::ALL
            .into_iter()
            .map(|role| Listed {
                role: NamedRole::built_in(role),
                description: role.description().into(),
                members: 0,
                in_teams: 0,
                revision: None,
            })
            .collect()),
    }
}

fn find(roles: Vec<Listed>, wanted: &str) -> Result<Listed, Failure> {
    roles
        .into_iter()
        .find(|one| one.role.role.to_string() == wanted || one.role.name.eq_ignore_ascii_case(wanted))
        .ok_or_else(|| {
            Failure::Usage(format!(
                "role: there is no role “{wanted}”; list them with rtv admin roles list --tenant SLUG"
            ))
        })
}

fn describe(one: &Listed) -> Value {
    json!({
        "id": one.role.role, "name": one.role.name, "description": one.description, "built_in": one.revision.is_none(),
        "members": one.members, "in_teams": one.in_teams, "permissions": one.role.permissions,
    })
}

async fn list(tenant: Option<String>, json: bool, settings: &Settings) -> Outcome {
    let has_tenant = tenant.is_some();
    let roles = roles(tenant, "rtv admin roles list", settings).await?;
    if json {
        return say(&json!(roles.iter().map(describe).collect::<Vec<_>>()).to_string());
    }
    let rows: Vec<Vec<String>> = roles
        .iter()
        .map(|one| {
            vec![
                one.role.name.clone(),
                one.role.role.to_string(),
                one.role.permissions.len().to_string(),
                if has_tenant { one.members.to_string() } else { String::new() },
                one.description.clone(),
            ]
        })
        .collect();
    print_table(&["name", "id", "permissions", if has_tenant { "members" } else { "" }, "for"], &rows);
    Ok(())
}

async fn show(role: &str, tenant: Option<String>, json: bool, settings: &Settings) -> Outcome {
    let one = find(roles(tenant, "rtv admin roles show", settings).await?, role)?;
    print_one(&one, json)
}

fn print_one(one: &Listed, json: bool) -> Outcome {
    if json {
        return say(&describe(one).to_string());
    }
    let head = format!("{} ({}): {}", one.role.name, one.role.role, one.description);
    let permissions = one.role.permissions.iter();
    let lines = permissions.map(|permission| format!("  {:<20}  {}", permission.key(), permission.description()));
    say(&core::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n"))
}

async fn matrix(tenant: Option<String>, json: bool, settings: &Settings) -> Outcome {
    let roles = roles(tenant, "rtv admin roles matrix", settings).await?;
    if json {
        let rows: serde_json::Map<String, Value> = Permission::ALL
            .iter()
            .map(|permission| {
                let permissions = roles.iter().filter(|one| one.role.permissions.contains(*permission));
                (permission.key().to_owned(), json!(permissions.map(|one| one.role.role).collect::<Vec<_>>()))
            })
            .collect();
        return say(&Value::Object(rows).to_string());
    }
    let headings: Vec<&str> =
        core::iter::once("permission").chain(roles.iter().map(|one| one.role.name.as_str())).collect();
    let rows: Vec<Vec<String>> = Permission::ALL
        .iter()
        .map(|permission| {
            let held = roles.iter().map(|one| if one.role.permissions.contains(*permission) { "yes" } else { "-" });
            core::iter::once(permission.key()).chain(held).map(str::to_owned).collect()
        })
        .collect();
    print_table(&headings, &rows);
    Ok(())
}

async fn report(ctx: &TenantContext, id: RoleId, what: &str, json: bool) -> Outcome {
    let one = role::one(ctx, GivenRole::Custom(id)).await?;
    if json {
        return print_one(&one, true);
    }
    say(&format!("{what} {} ({id}): {}", one.role.name, one.role.permissions))
}
