//! From the domain's imports to the words and numbers that people read. Runs on the server only.

use rtv_core::filter::PageFilter;
use rtv_core::period::{Period, Range};
use rtv_core::{Error, ImportId, ImportState};
use rtv_domain::format::{Format, MISSING};
use rtv_domain::import::upload::{self, Uploads};
use rtv_domain::import::{self as domain, Contradiction, Counts, Findings};
use rtv_domain::{TenantContext, mapping};

use crate::import::columns::present as columns;
use crate::import::mapping::{MappingRow, Mappings};
use crate::import::one::{
    Body, ContradictionRow, Contradictions, Import, NoticeView, OutcomeView, ReasonRow, TallyView,
};
use crate::import::roll_back::RollBack;
use crate::import::working::ProgressView;
use crate::import::{ImportRow, Imports, StateView};

/// The list.
pub(super) async fn imports(ctx: &TenantContext, pairs: &[(String, String)]) -> Result<Imports, Error> {
    let after = match pairs.iter().find(|(name, value)| name == "after" && !value.is_empty()) {
        Some((_, text)) => Some(
            text.parse::<domain::Cursor>()
                .map_err(|_| Error::invalid("after", "follow the links below the table to turn pages."))?,
        ),
        None => None,
    };
    let format = Format::of(ctx.tenant());
    let path = path(ctx);
    let is_first = after.is_none();
    let listing = domain::list(ctx, after).await?;
    let uploads = uploads();
    let usage = upload::usage(ctx, &uploads).await?;
    let saved = mapping::list(ctx).await?;
    let shown = listing.imports.len();
    Ok(Imports {
        accepted: format!(
            "CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252, up to {}. Drop it here or choose it.",
            size(&format, uploads.limits().file_bytes)
        ),
        usage: (usage.files > 0).then(|| {
            format!(
                "{} of {} are taken by files that wait for their import.",
                size(&format, usage.used_bytes),
                size(&format, usage.of_bytes)
            )
        }),
        mappings: saved.len(),
        rows: listing.imports.into_iter().map(|one| listed(ctx, &format, one)).collect(),
        summary: match shown {
            1 => "1 import".into(),
            shown => format!("{shown} imports"),
        },
        first: (!is_first).then(|| path.clone()),
        next: listing.next.map(|next| format!("{path}?after={next}")),
    })
}

fn listed(ctx: &TenantContext, format: &Format, one: domain::ListedImport) -> ImportRow {
    let href = format!("{}/{}", path(ctx), one.id);
    let mapping = one.mapping_title.map(|title| format!(" · {title}")).unwrap_or_default();
    ImportRow {
        id: one.id.to_string(),
        detail: format!("{}{mapping}", size(format, one.bytes)),
        state: state(one.state),
        when: format.clock(one.finished_at.unwrap_or(one.created_at)),
        actor: one.actor,
        outcome: match (one.failure, one.counts) {
            (Some(failure), _) => failure,
            (None, Some(counts)) => outcome(format, counts),
            (None, None) => MISSING.into(),
        },
        roll_back: (one.state == ImportState::Done).then(|| format!("{href}/roll-back")),
        file_name: one.file_name,
        href,
    }
}

/// What became of the rows, in a few words.
fn outcome(format: &Format, counts: Counts) -> String {
    let parts: Vec<String> = [
        (counts.new, "new"),
        (counts.changed, "changed"),
        (counts.unchanged, "unchanged"),
        (counts.duplicate, "duplicate"),
        (counts.refused, "refused"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", format.count(count)))
    .collect();
    if parts.is_empty() { "no rows".into() } else { parts.join(", ") }
}

/// One import, in whatever state it is.
pub(super) async fn import(ctx: &TenantContext, id: &str, pairs: &[(String, String)]) -> Result<Import, Error> {
    let id: ImportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = domain::one(ctx, id).await?;
    let format = Format::of(ctx.tenant());
    let flash = crate::request::current().flash.unwrap_or_default();
    let page = format!("{}/{id}", path(ctx));
    let columns_page = format!("{page}?step=columns");
    let wants_columns = !pairs.is_empty() || !flash.errors.is_empty();
    let mut errors = flash.errors;
    let shows_columns = one.can_check && (one.state == ImportState::Uploaded || wants_columns);
    let body = if shows_columns {
        // What was refused a moment ago comes back with what was chosen; else the address says it.
        let chosen = if flash.values.is_empty() { pairs.to_vec() } else { flash.values };
        let step = columns::step(ctx, &format, &one, &chosen, errors.is_empty()).await?;
        errors.extend(step.1);
        Body::Columns(Box::new(step.0))
    } else if one.state.is_working() {
        Body::Working(progress_view(&format, &one))
    } else if one.state == ImportState::Checked {
        Body::Checked(Box::new(checked(ctx, &format, &one, &page).await?))
    } else {
        Body::Ended(Box::new(ended(ctx, &format, &one, &page)))
    };
    Ok(Import {
        id: id.to_string(),
        subtitle: format!(
            "{} · uploaded by {} on {}",
            size(&format, one.bytes),
            one.actor,
            format.instant(one.created_at)
        ),
        state: state(one.state),
        step: match one.state {
            _ if shows_columns => Some(1),
            ImportState::Uploading => Some(0),
            ImportState::Uploaded => Some(1),
            ImportState::Checking | ImportState::Checked => Some(2),
            ImportState::Importing => Some(3),
            ImportState::Done => Some(4),
            ImportState::Failed | ImportState::Cancelled | ImportState::RollingBack | ImportState::RolledBack => None,
        },
        columns_href: (one.can_check && !shows_columns && !one.state.is_working()).then_some(columns_page),
        errors,
        notices: notices(ctx, &format, &one),
        body,
        facts: facts(&format, &one),
        can_cancel: one.can_cancel,
        file_name: one.file_name,
    })
}

/// What stands above the content: how it ended, and what is out of the ordinary.
fn notices(ctx: &TenantContext, format: &Format, one: &domain::Import) -> Vec<NoticeView> {
    let plain = |tone: u8, text: String| NoticeView { tone, text, link: None };
    let mut notices = Vec::new();
    match (one.state, &one.failure) {
        (ImportState::Failed, Some(failure)) => {
            let next = if one.can_check {
                " Nothing was stored. Change what is said about the columns and check again, or upload a mended file."
            } else {
                " Nothing was stored. Upload the file again, or a mended one."
            };
            notices.push(plain(4, format!("{failure}{next}")));
        }
        (ImportState::Done, Some(failure)) => {
            notices.push(plain(4, format!("The import was not rolled back, and nothing has changed. {failure}")));
        }
        (ImportState::Done, None) => {
            let counts = one.counts.unwrap_or_default();
            let text = match counts.new + counts.changed {
                0 => "The import is done. Everything in the file was stored already, so nothing has changed.".into(),
                1 => "The import is done: 1 post was stored.".into(),
                stored => format!("The import is done: {} posts were stored.", format.count(stored)),
            };
            notices.push(plain(2, text));
        }
        (ImportState::Cancelled, _) => {
            notices.push(plain(1, "The import was cancelled. Nothing was stored, and the file is gone.".into()));
        }
        (ImportState::RolledBack, _) => {
            let text = one.rolled_back.map_or_else(
                || "The import was rolled back.".to_owned(),
                |done| {
                    format!(
                        "The import was rolled back: {} went away, and {} as before.",
                        posts(format, done.removed),
                        match done.restored {
                            1 => "1 changed post is".to_owned(),
                            restored => format!("{} changed posts are", format.count(restored)),
                        }
                    )
                },
            );
            notices.push(plain(1, text));
        }
        _ => {}
    }
    if one.state == ImportState::Checked
        && let Some(findings) = &one.findings
    {
        notices.extend(findings.blocked.clone().map(|text| plain(4, text)));
        let over = |text| format!("As things stand, the import would be refused. {text}");
        notices.extend(findings.over_limit.clone().map(over).map(|text| plain(4, text)));
    }
    if let Some(turn) = one.takes_turn_after {
        notices.push(NoticeView {
            tone: 1,
            text: "Another import of your organisation is running. This one begins by itself when that one has ended."
                .into(),
            link: Some(("Show it".into(), format!("{}/{turn}", path(ctx)))),
        });
    }
    let is_open = matches!(one.state, ImportState::Uploaded | ImportState::Checked);
    if let Some(same) = one.same_file.iter().find(|same| same.state == ImportState::Done).filter(|_| is_open) {
        notices.push(NoticeView {
            tone: 1,
            text: format!(
                "The very same file was imported on {}. What has not changed since is not stored twice.",
                format.instant(same.at)
            ),
            link: Some(("Show that import".into(), format!("{}/{}", path(ctx), same.id))),
        });
    }
    notices
}

fn posts(format: &Format, count: i64) -> String {
    if count == 1 { "1 post".into() } else { format!("{} posts", format.count(count)) }
}

fn facts(format: &Format, one: &domain::Import) -> Vec<(String, String)> {
    let mut facts = vec![("File".to_owned(), format!("{}, {}", one.file_name, size(format, one.bytes)))];
    let mut add = |term: &str, value: Option<String>| facts.extend(value.map(|value| (term.to_owned(), value)));
    add("Columns read by", one.mapping_title.clone());
    if let Some(settings) = &one.settings {
        add("Zone of its times", settings.zone.map(|zone| zone.name().to_owned()));
        add("Duplicate rows", Some(columns::duplicates_label(settings.duplicates).0.into()));
    }
    add("Uploaded", Some(format!("{}, by {}", format.instant(one.created_at), one.actor)));
    add("Checked", one.checked_at.map(|at| format.instant(at)));
    add("Import started", one.started_at.map(|at| format.instant(at)));
    add("Ended", one.finished_at.map(|at| format.instant(at)));
    add("Rolled back", one.rolled_back_at.map(|at| format.instant(at)));
    add("File is kept until", one.file_kept_until.map(|at| format.instant(at)));
    facts
}

/// What the check has found.
async fn checked(ctx: &TenantContext, format: &Format, one: &domain::Import, page: &str) -> Result<OutcomeView, Error> {
    let counts = one.counts.unwrap_or_default();
    let findings = one.findings.clone().unwrap_or_default();
    let preview = match &one.settings {
        Some(settings) => match domain::preview(ctx, &uploads(), one.id, settings).await {
            Ok(preview) => Some(columns::preview_view(ctx, format, &preview)),
            Err(Error::Invalid(_) | Error::Conflict(_)) => None,
            Err(other) => return Err(other),
        },
        None => None,
    };
    let start = match counts.new + counts.changed {
        _ if !one.can_start => None,
        0 => Some("Finish without changes".to_owned()),
        stored => Some(format!("Import {}", posts(format, stored))),
    };
    Ok(OutcomeView { preview, start, ..outcome_view(format, counts, &findings, page, true) })
}

/// How it ended.
fn ended(ctx: &TenantContext, format: &Format, one: &domain::Import, page: &str) -> OutcomeView {
    let findings = one.findings.clone().unwrap_or_default();
    let mut view = match one.counts {
        Some(counts) => outcome_view(format, counts, &findings, page, false),
        None => OutcomeView::default(),
    };
    if one.state == ImportState::Done {
        let tenant = format!("/t/{}", ctx.tenant().slug);
        let filter = match (findings.first_day, findings.last_day) {
            (Some(first), Some(last)) if Period::new(first, last).is_ok() => {
                Some(PageFilter { range: Range::Custom, custom: Some((first, last)), ..PageFilter::default() })
            }
            // Longer than a page shows: the years up to the last day.
            (Some(_), Some(last)) => last.checked_sub_months(chrono::Months::new(12)).map(|first| PageFilter {
                range: Range::Custom,
                custom: Some((first, last)),
                ..PageFilter::default()
            }),
            _ => None,
        };
        if let Some(filter) = filter {
            view.links = vec![
                ("See the figures".into(), filter.link(&format!("{tenant}/dashboard"))),
                ("See the posts".into(), filter.link(&format!("{tenant}/posts"))),
            ];
        }
    } else {
        view.links = vec![("Import another file".into(), path(ctx))];
    }
    view.roll_back = one.can_roll_back.then(|| format!("{page}/roll-back"));
    view
}

fn outcome_view(format: &Format, counts: Counts, findings: &Findings, page: &str, is_ahead: bool) -> OutcomeView {
    let tally = |key: &str, label: &str, count: i64, note: &str, is_warning: bool| TallyView {
        key: key.into(),
        label: label.into(),
        value: format.count(count),
        exact: count.to_string(),
        note: note.into(),
        is_warning: is_warning && count > 0,
    };
    let will = |ahead: &str, behind: &str| if is_ahead { ahead.to_owned() } else { behind.to_owned() };
    let tallies = vec![
        tally("read", "Rows read", counts.read, "without the header", false),
        tally("new", "New posts", counts.new, &will("will be added", "added"), false),
        tally(
            "changed",
            "Changed posts",
            counts.changed,
            &will("will be brought up to date", "brought up to date"),
            false,
        ),
        tally("unchanged", "Unchanged posts", counts.unchanged, "stored already", false),
        tally("duplicate", "Duplicate rows", counts.duplicate, "of a post in the same file", false),
        tally("refused", "Refused rows", counts.refused, &will("will be left out", "left out"), true),
    ];
    let mut about = Vec::new();
    if let (Some(first), Some(last)) = (findings.first_day, findings.last_day) {
        about.push(format!(
            "The posts were published from {} to {}, on {}{}.",
            format.day(first),
            format.day(last),
            many(format, findings.accounts, "account"),
            match findings.new_accounts {
                0 => String::new(),
                new if new == findings.accounts =>
                    if new == 1 {
                        ", which is new".into()
                    } else {
                        ", all of them new".into()
                    },
                new => format!(", {} of them new", format.count(new)),
            }
        ));
    }
    if findings.new_campaigns > 0 {
        about.push(format!("The file names {}.", many(format, findings.new_campaigns, "new campaign")));
    }
    OutcomeView {
        tallies,
        about,
        reasons: findings
            .reasons
            .iter()
            .map(|reason| ReasonRow {
                rows: format.count(reason.rows),
                column: reason.column.clone().unwrap_or_else(|| "Whole row".into()),
                reason: reason.reason.clone(),
                first: reason.first_rows.iter().map(|row| format.count(*row)).collect::<Vec<_>>().join(", "),
            })
            .collect(),
        refused_file: (counts.refused > 0).then(|| format!("{page}/refused.csv")),
        contradictions: contradictions(format, findings),
        notes: findings.notes.clone(),
        ..OutcomeView::default()
    }
}

fn many(format: &Format, count: i64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{} {word}s", format.count(count)) }
}

fn contradictions(format: &Format, findings: &Findings) -> Option<Contradictions> {
    if findings.contradictions == 0 {
        return None;
    }
    let all = match findings.contradictions {
        1 => "1 post stands in the file more than once with different content.".to_owned(),
        all => format!("{} posts stand in the file more than once with different content.", format.count(all)),
    };
    let examples = findings.contradiction_examples.len();
    let shown = if i64::try_from(examples).is_ok_and(|examples| examples < findings.contradictions) {
        format!(" The first {examples}:")
    } else {
        String::new()
    };
    let rows = findings
        .contradiction_examples
        .iter()
        .flat_map(|Contradiction { external_id, rows }| {
            rows.iter().map(move |row| ContradictionRow {
                post: external_id.clone(),
                row: row.row_number.to_string(),
                is_kept: row.counts,
                differs: row
                    .differs
                    .iter()
                    .map(|(label, value)| format!("{label}: {value}"))
                    .collect::<Vec<_>>()
                    .join("; "),
            })
        })
        .collect();
    Some(Contradictions { summary: format!("{all}{shown}"), rows })
}

/// How far the work is.
pub(super) async fn progress(ctx: &TenantContext, id: &str) -> Result<ProgressView, Error> {
    let id: ImportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = domain::one(ctx, id).await?;
    Ok(progress_view(&Format::of(ctx.tenant()), &one))
}

fn progress_view(format: &Format, one: &domain::Import) -> ProgressView {
    let label = match one.state {
        ImportState::Uploading => "The file is being uploaded",
        ImportState::Checking => "The file is being checked",
        ImportState::Importing => "The posts are being imported",
        ImportState::RollingBack => "The import is being rolled back",
        other => other.label(),
    };
    let mut view = ProgressView {
        state: one.state.key().into(),
        label: label.into(),
        thousandths: None,
        text: "Waiting for a worker.".into(),
        trouble: None,
    };
    let Some(progress) = &one.progress else { return view };
    // The bar is a picture of a share; a thousandth is finer than it shows.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let thousandths = progress.fraction.map(|fraction| (fraction.clamp(0.0, 1.0) * 1_000.0) as u32);
    view.thousandths = thousandths;
    let mut parts = vec![progress.step.label().to_owned()];
    if progress.rows > 0 {
        parts.push(match progress.of_rows {
            Some(of) if of > 0 => format!("{} of {} rows", format.count(progress.rows), format.count(of)),
            _ => format!("{} rows", format.count(progress.rows)),
        });
    }
    if let Some(rate) = progress.rows_per_second.filter(|rate| rate.is_finite() && *rate >= 1.0) {
        #[allow(clippy::cast_possible_truncation)]
        let rate = rate as i64;
        parts.push(format!("{} rows/s", format.count(rate)));
    }
    if let Some(seconds) = progress.seconds_left {
        parts.push(left(seconds));
    }
    view.text = parts.join(" · ");
    view.trouble = progress.is_stale.then(|| {
        "There has been no sign of this work for half a minute: the program that did it has stopped. Another one takes over by itself.".into()
    });
    view
}

/// How long it will take, as exactly as anybody can know.
fn left(seconds: u64) -> String {
    match seconds {
        0..=1 => "almost done".into(),
        2..=59 => format!("about {seconds} s left"),
        60..=119 => "about 1 minute left".into(),
        120..=7_199 => format!("about {} minutes left", seconds / 60),
        _ => format!("about {} hours left", seconds / 3_600),
    }
}

/// What a roll-back would do. One that cannot happen leads back to the import, which says why.
pub(super) async fn roll_back(ctx: &TenantContext, id: &str) -> Result<RollBack, Error> {
    let id: ImportId = id.parse().map_err(|_| Error::NotFound)?;
    let one = domain::one(ctx, id).await?;
    let format = Format::of(ctx.tenant());
    let import = format!("{}/{id}", path(ctx));
    if !one.can_roll_back {
        crate::request::lead_to(&import);
    }
    let counts = one.counts.unwrap_or_default();
    let mut effects = vec![match counts.new {
        0 => "No post goes away: the import added none.".into(),
        1 => "1 post that the import added goes away, with its figures.".into(),
        new => format!("{} posts that the import added go away, with their figures.", format.count(new)),
    }];
    match counts.changed {
        0 => {}
        1 => effects.push("1 post that the import changed becomes what it was before.".into()),
        changed => {
            effects
                .push(format!("{} posts that the import changed become what they were before.", format.count(changed)));
        }
    }
    effects.push(
        "Dashboards and figures follow at once. Accounts and campaigns that nothing else uses go away too.".into(),
    );
    effects.push(
        "If a later import has changed the same posts, nothing happens, and you are told which one to roll back first."
            .into(),
    );
    effects.push("The import stays in the history as rolled back. The same file can be imported again.".into());
    Ok(RollBack {
        button: match counts.new + counts.changed {
            1 => "Roll back 1 post".into(),
            all => format!("Roll back {} posts", format.count(all)),
        },
        file_name: one.file_name,
        import,
        effects,
    })
}

/// The saved mappings.
pub(super) async fn mappings(ctx: &TenantContext) -> Result<Mappings, Error> {
    let format = Format::of(ctx.tenant());
    let rows = mapping::list(ctx)
        .await?
        .into_iter()
        .map(|saved| {
            let columns = saved.draft.columns.iter().filter(|column| column.field.is_some()).count();
            MappingRow {
                name: saved.name,
                columns: if columns == 1 { "1 column".into() } else { format!("{columns} columns") },
                changed: format!("{}, by {}", format.clock(saved.updated_at), saved.actor),
                used: match saved.used {
                    0 => "not yet".into(),
                    1 => "by 1 import".into(),
                    used => format!("by {} imports", format.count(used)),
                },
            }
        })
        .collect();
    Ok(Mappings { rows })
}

fn state(state: ImportState) -> StateView {
    StateView {
        key: state.key().into(),
        label: state.label().into(),
        tone: match state {
            // Nothing is wrong with a check that waits for a person.
            ImportState::Uploading
            | ImportState::Checking
            | ImportState::Checked
            | ImportState::Importing
            | ImportState::RollingBack => 1,
            ImportState::Done => 2,
            ImportState::Failed => 4,
            ImportState::Uploaded | ImportState::Cancelled | ImportState::RolledBack => 0,
        },
    }
}

fn path(ctx: &TenantContext) -> String {
    format!("/t/{}/imports", ctx.tenant().slug)
}

/// Where uploaded files lie.
pub(super) fn uploads() -> Uploads {
    leptos::prelude::expect_context::<Uploads>()
}

/// A size as people read it: `950 B`, `1.2 MB`.
fn size(format: &Format, bytes: u64) -> String {
    let mut value = rust_decimal::Decimal::from(bytes);
    // As the limits are counted: a gigabyte of 1,024 megabytes.
    let step = rust_decimal::Decimal::from(1_024);
    let mut unit = "B";
    for larger in ["KB", "MB", "GB"] {
        if value < step {
            break;
        }
        value /= step;
        unit = larger;
    }
    let is_whole = unit == "B" || value >= rust_decimal::Decimal::ONE_HUNDRED || value.fract().is_zero();
    format!("{} {unit}", format.decimal(value, u32::from(!is_whole)))
}
