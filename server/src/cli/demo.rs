//! `rtv demo`: three organisations that look like life, loaded and removed.

use std::io::IsTerminal as _;
use std::time::Instant;

use rtv_core::Error;
use rtv_domain::demo::{self, Loaded, Outcome as Done, Progress};
use rtv_domain::password::Passwords;
use serde_json::json;

use crate::cli::{Failure, Outcome, operate, print_table};
use crate::config::{Environment, Settings};

/// What `rtv demo` is told.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Posts of the largest tenant, for measuring; its own size if left out.
    #[arg(long, conflicts_with = "remove")]
    pub posts: Option<u32>,
    /// Remove the sample data; tenants, people and whatever real data came in stay.
    #[arg(long)]
    pub remove: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
pub async fn run(command: Demo, settings: &Settings) -> Outcome {
    if command.remove {
        return remove(command.json, settings).await;
    }
    // Everybody knows the password of its people.
    if settings.environment == Environment::Production {
        return Err(Failure::Refused(
            "the demo is not loaded with RTV_ENV=production, because everybody knows its passwords. Load it into a database of its own"
                .into(),
        ));
    }
    let started = Instant::now();
    let (_databases, ctx) = operate(settings).await?;
    let passwords = Passwords::prepare()?;
    let loaded = demo::load(&ctx, &passwords, command.posts, progress()).await.map_err(refused)?;
    if command.json {
        let base_url = settings.base_url().to_string();
        let tenants: Vec<_> = demo::members()
            .into_iter()
            .map(|member| {
                let people: Vec<_> =
                    member.people.into_iter().map(|(email, role)| json!({ "email": email, "role": role })).collect();
                json!({ "slug": member.slug, "name": member.name, "people": people })
            })
            .collect();
        println!(
            "{}",
            json!({
                "base_url": base_url.trim_end_matches('/'), "tenants": tenants, "staff": demo::staff(),
                "password": demo::PASSWORD,
            })
        );
        return Ok(());
    }
    for one in &loaded {
        println!("{}", sentence(one));
    }
    if loaded.iter().all(|one| one.outcome == Done::Unchanged) {
        println!("Nothing was changed.");
    } else {
        println!("Done in {:.1} s.", started.elapsed().as_secs_f64());
    }
    println!("\nSign in at {} with the password {}:", settings.base_url(), demo::PASSWORD);
    let mut rows: Vec<Vec<String>> = demo::members()
        .into_iter()
        .flat_map(|member| {
            member.people.into_iter().map(move |(email, role)| vec![email, format!("{role} of {}", member.slug)])
        })
        .collect();
    rows.extend(demo::staff().map(|email| vec![email.to_owned(), "staff".into()]));
    print_table(&["address", "who"], &rows);
    println!("\nTo take the data out again: rtv demo --remove");
    Ok(())
}

async fn remove(json: bool, settings: &Settings) -> Outcome {
    let (_databases, ctx) = operate(settings).await?;
    let removed = demo::remove(&ctx).await.map_err(refused)?;
    if json {
        let tenants: Vec<_> =
            removed.iter().map(|(slug, removed)| json!({ "slug": slug, "removed": removed })).collect();
        println!("{}", json!({ "tenants": tenants }));
        return Ok(());
    }
    if removed.is_empty() {
        println!("There is no sample data. Nothing was changed.");
        return Ok(());
    }
    for (slug, removed) in &removed {
        println!(
            "{slug}: removed {} posts, {} accounts, {} campaigns and {} days of figures. Tenant and people stay.",
            removed.posts, removed.accounts, removed.campaigns, removed.days
        );
    }
    println!("To load it again: rtv demo");
    Ok(())
}

/// A tenant that may not be touched is a refusal, not a failure.
fn refused(error: Error) -> Failure {
    match error {
        Error::Conflict(message) => Failure::Refused(message),
        other => other.into(),
    }
}

fn sentence(loaded: &Loaded) -> String {
    let Loaded { slug, until, outcome } = loaded;
    match outcome {
        Done::Unchanged => format!("{slug}: its sample data reaches to {until} already."),
        Done::Loaded(written) | Done::Replaced(written) => {
            let verb = if matches!(outcome, Done::Replaced(_)) { "drew anew" } else { "loaded" };
            format!(
                "{slug}: {verb} {} posts on {} accounts, {} campaigns and {} days of figures, up to {until}.",
                written.posts,
                written.accounts,
                written.campaigns,
                written.post_days + written.follower_counts
            )
        }
    }
}

/// A line that is written over, on a terminal; nothing where the output goes elsewhere.
fn progress() -> impl FnMut(Progress) {
    let is_terminal = std::io::stderr().is_terminal();
    move |progress| {
        if is_terminal {
            let Progress { slug, posts, of_posts } = progress;
            eprint!("\r{slug}: {posts} of {of_posts} posts   ");
            if posts == of_posts {
                eprintln!();
            }
        }
    }
}
