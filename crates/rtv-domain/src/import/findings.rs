//! What a file would do: its rows judged against each other and against what is stored, before anything is written. A
//! check shows it; an import goes by the same plan, made anew, because days may lie between the two.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use chrono::NaiveDate;
use futures::TryStreamExt as _;
use rtv_core::{Error, TenantId};
use rtv_import::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::meter::{Meter, Step};
use super::staging::FileFacts;
use super::{Counts, DuplicateRule, refused};
use crate::limit::{self, Addition};
use crate::transaction::{Tx, failed};

/// How many refused rows a report carries; all of them are stored.
const SHOWN_REFUSALS: i64 = 20;
/// How many contradictions are shown, and of each so many rows.
const SHOWN_CONTRADICTIONS: i64 = 5;
const SHOWN_CONTRADICTING_ROWS: i64 = 4;
/// How many reasons are told apart, and for each so many of its rows.
const SHOWN_REASONS: i64 = 50;
/// Refused rows that are held at a time while they are written.
const WRITTEN_AT_ONCE: usize = 500;
/// Characters of a contradicting value that are shown.
const SHOWN_VALUE: usize = 120;

/// What a check found out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// Accounts that the file's posts belong to.
    pub accounts: i64,
    /// Those of them that are not known yet.
    pub new_accounts: i64,
    /// Campaigns that are not known yet.
    pub new_campaigns: i64,
    /// First day of a post.
    pub first_day: Option<NaiveDate>,
    /// Last day of a post.
    pub last_day: Option<NaiveDate>,
    /// How the file was read and what it lacks, as sentences.
    pub notes: Vec<String>,
    /// Why rows were refused, the commonest reason first.
    pub reasons: Vec<Reason>,
    /// Posts that stand in the file more than once with different content.
    pub contradictions: i64,
    /// The first of them.
    pub contradiction_examples: Vec<Contradiction>,
    /// Why it cannot be started.
    pub blocked: Option<String>,
    /// Why the import would be refused at its end as things stand: a limit of the plan. It can be started all the same, because
    /// the limit may be raised by then.
    pub over_limit: Option<String>,
}

/// A reason for which rows were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The column at fault, where it is one.
    pub column: Option<String>,
    /// What is wrong and what would be accepted; the values themselves are in the refused rows.
    pub reason: String,
    /// How many rows.
    pub rows: i64,
    /// The first of them.
    pub first_rows: Vec<i64>,
}

/// A post that stands in the file more than once with different content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contradiction {
    /// The platform's id of the post.
    pub external_id: String,
    /// Its rows, in the order of the file.
    pub rows: Vec<ContradictingRow>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictingRow {
    /// Which row of the file it is.
    pub row_number: i64,
    /// The rule takes this one.
    pub counts: bool,
    /// What the rows do not agree about: name of the field, and this row's value.
    pub differs: Vec<(String, String)>,
}

impl Contradiction {
    /// As a line of text.
    pub fn sentence(&self) -> String {
        let rows: Vec<String> = self.rows.iter().map(|row| row.row_number.to_string()).collect();
        format!("{} in rows {}", self.external_id, rows.join(", "))
    }
}

impl Findings {
    /// Why the rule does not let the file in.
    pub(super) fn refused_by_rule(&self, rule: DuplicateRule) -> Option<String> {
        if rule != DuplicateRule::Refuse || self.contradictions == 0 {
            return None;
        }
        let examples: Vec<String> = self.contradiction_examples.iter().map(Contradiction::sentence).collect();
        Some(format!(
            "{} posts stand in the file more than once with different content ({}). Mend the file, or choose which row counts with first or last",
            self.contradictions,
            examples.join("; ")
        ))
    }
}

/// What would be written, in the temporary table `import_plan`: one row for each post that counts.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) counts: Counts,
    pub(super) findings: Findings,
}

/// `distinct on` keeps the first row of each post in the order given. Words are compared byte by byte, which is what
/// equal means and several times faster than by the rules of a language.
const PLAN_FIRST: &str = r#"
    create temporary table import_plan on commit drop as
    select
      chosen.row_number, chosen.post_id, chosen.content_digest, chosen.published_from, chosen.published_to,
      account.id as account_id, campaign.id as campaign_id,
      post.id as stored_id, post.content_digest <> chosen.content_digest as is_changed,
      post.published_from as stored_from, post.published_to as stored_to
    from (
      select distinct on (platform collate "C", account_external_id collate "C", external_id collate "C")
        platform, account_external_id, external_id, campaign, row_number, post_id, content_digest, published_from, published_to
      from import_row
      where refused_reason is null
      order by platform collate "C", account_external_id collate "C", external_id collate "C", row_number
    ) as chosen
    left join account on account.platform = chosen.platform and account.external_id = chosen.account_external_id
    left join campaign on campaign.name = chosen.campaign
    left join post
      on post.tenant_id = account.tenant_id and post.account_id = account.id and post.external_id = chosen.external_id
"#;
/// The same with the last row of each post.
const PLAN_LAST: &str = r#"
    create temporary table import_plan on commit drop as
    select
      chosen.row_number, chosen.post_id, chosen.content_digest, chosen.published_from, chosen.published_to,
      account.id as account_id, campaign.id as campaign_id,
      post.id as stored_id, post.content_digest <> chosen.content_digest as is_changed,
      post.published_from as stored_from, post.published_to as stored_to
    from (
      select distinct on (platform collate "C", account_external_id collate "C", external_id collate "C")
        platform, account_external_id, external_id, campaign, row_number, post_id, content_digest, published_from, published_to
      from import_row
      where refused_reason is null
      order by platform collate "C", account_external_id collate "C", external_id collate "C", row_number desc
    ) as chosen
    left join account on account.platform = chosen.platform and account.external_id = chosen.account_external_id
    left join campaign on campaign.name = chosen.campaign
    left join post
      on post.tenant_id = account.tenant_id and post.account_id = account.id and post.external_id = chosen.external_id
"#;

/// Compares the rows of `import_row` with each other and with what is stored.
pub(super) async fn judge(tx: &mut Tx, rule: DuplicateRule, file: &FileFacts, meter: &Meter) -> Result<Judged, Error> {
    meter.step(Step::Judging, None);
    let plan = match rule {
        DuplicateRule::First | DuplicateRule::Refuse => PLAN_FIRST,
        DuplicateRule::Last => PLAN_LAST,
    };
    sqlx::query(plan).execute(tx.connection()).await.map_err(failed)?;
    sqlx::query("create index import_plan_by_row on import_plan (row_number)")
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    sqlx::query("analyze import_plan").execute(tx.connection()).await.map_err(failed)?;

    let (read, refused): (i64, i64) = sqlx::query_as("select count(*), count(refused_reason) from import_row")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let (kept, new, changed, first_day, last_day): (i64, i64, i64, Option<NaiveDate>, Option<NaiveDate>) =
        sqlx::query_as(
            r"
            select
              count(*), count(*) filter (where stored_id is null), count(*) filter (where is_changed),
              min(published_from), max(published_to)
            from import_plan
            ",
        )
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let counts =
        Counts { read, new, changed, unchanged: kept - new - changed, duplicate: read - refused - kept, refused };
    let (accounts, new_accounts): (i64, i64) = sqlx::query_as(
        r"
        select count(*), count(*) filter (where account.id is null)
        from (select distinct platform, account_external_id from import_row where refused_reason is null) as named
        left join account on account.platform = named.platform and account.external_id = named.account_external_id
        ",
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let new_campaigns: i64 = sqlx::query_scalar(
        r"
        select count(*)
        from (select distinct campaign from import_row where refused_reason is null and campaign is not null) as named
        left join campaign on campaign.name = named.campaign
        where campaign.id is null
        ",
    )
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let (contradictions, contradiction_examples) =
        if counts.duplicate > 0 { contradictions(tx, rule).await? } else { (0, Vec::new()) };
    let mut findings = Findings {
        accounts,
        new_accounts,
        new_campaigns,
        first_day,
        last_day,
        notes: file.notes.clone(),
        reasons: if refused > 0 { reasons(tx).await? } else { Vec::new() },
        contradictions,
        contradiction_examples,
        blocked: None,
        over_limit: None,
    };
    findings.blocked = if kept == 0 {
        Some("Not one row of the file can be taken. Mend the refused rows, or choose other settings.".into())
    } else {
        findings.refused_by_rule(rule).map(|reason| format!("{reason}."))
    };
    Ok(Judged { counts, findings })
}

/// The limit of the plan that the posts of `import_plan` would exceed, if any, in the words in which the import would be refused.
pub(super) async fn over_limit(tx: &mut Tx, tenant: TenantId) -> Result<Option<String>, Error> {
    let platforms: i64 = sqlx::query_scalar(
        r"
        select count(*)
        from (
          select platform from account where tenant_id = $1
          union
          select platform from import_row where refused_reason is null
        ) as named
        ",
    )
    .bind(tenant.uuid())
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    let campaigns: i64 = sqlx::query_scalar(
        r"
        select count(*)
        from (
          select name from campaign where tenant_id = $1
          union
          select campaign from import_row where refused_reason is null and campaign is not null
        ) as named
        ",
    )
    .bind(tenant.uuid())
    .fetch_one(tx.connection())
    .await
    .map_err(failed)?;
    // Posts count in the month of their first day; one that changes may leave a month.
    let fullest_month: Option<(NaiveDate, i64)> = sqlx::query_as(
        r"
        select month, sum(posts)::bigint
        from (
          select date_trunc('month', first_day::timestamp)::date as month, posts
          from kpi_daily
          where tenant_id = $1 and basis = 'lifetime'
          union all
          select date_trunc('month', published_from::timestamp)::date, 1
          from import_plan
          where stored_id is null or is_changed
          union all
          select date_trunc('month', stored_from::timestamp)::date, -1
          from import_plan
          where is_changed
        ) as counted
        group by month
        order by 2 desc, 1 desc
        limit 1
        ",
    )
    .bind(tenant.uuid())
    .fetch_optional(tx.connection())
    .await
    .map_err(failed)?;
    limit::foretell(tx, tenant, &Addition { platforms, campaigns, fullest_month }).await
}

/// Why rows were refused. A reason quotes the value at fault; without it, rows with the same fault count together.
async fn reasons(tx: &mut Tx) -> Result<Vec<Reason>, Error> {
    let rows: Vec<(Option<String>, String, i64, Vec<i64>)> = sqlx::query_as(
        r#"
        select
          refused_field,
          regexp_replace(refused_reason, ' has ".*"; accepted is ', ' has a value that cannot be read; accepted is ') as reason,
          count(*), (array_agg(row_number order by row_number))[1:5]
        from import_row
        where refused_reason is not null
        group by 1, 2
        order by count(*) desc, min(row_number)
        limit $1
        "#,
    )
    .bind(SHOWN_REASONS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(column, reason, rows, first_rows)| Reason { column, reason, rows, first_rows }).collect())
}

/// Posts of which the rows that do not count say something else than the one that does.
async fn contradictions(tx: &mut Tx, rule: DuplicateRule) -> Result<(i64, Vec<Contradiction>), Error> {
    sqlx::query(
        r"
        create temporary table import_contradiction on commit drop as
        select extra.platform, extra.account_external_id, extra.external_id, min(kept.row_number) as row_number
        from import_row as extra
        join import_row as kept
          on kept.platform = extra.platform
          and kept.account_external_id = extra.account_external_id
          and kept.external_id = extra.external_id
          and kept.refused_reason is null
          and kept.content_digest <> extra.content_digest
        where extra.refused_reason is null
          and not exists (select 1 from import_plan where import_plan.row_number = extra.row_number)
        group by extra.platform, extra.account_external_id, extra.external_id
        ",
    )
    .execute(tx.connection())
    .await
    .map_err(failed)?;
    let all: i64 = sqlx::query_scalar("select count(*) from import_contradiction")
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    let rows: Vec<(String, i64, bool, Value)> = sqlx::query_as(
        r"
        select example.external_id, one.row_number, one.is_kept, one.content
        from (
          select * from import_contradiction order by row_number limit $1
        ) as example
        cross join lateral (
          select
            row_number,
            exists (select 1 from import_plan where import_plan.row_number = import_row.row_number) as is_kept,
            jsonb_build_object(
              'account name', account_name, 'kind', kind, 'text', body, 'campaign', campaign,
              'published at', coalesce(to_char(published_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), to_char(published_from, 'YYYY-MM')),
              'reach', reach, 'impressions', impressions, 'reactions', reactions, 'comments', comments, 'shares', shares,
              'clicks', clicks, 'conversions', conversions, 'revenue', revenue, 'cost', cost, 'sentiment', sentiment
            ) as content
          from import_row
          where import_row.platform = example.platform
            and import_row.account_external_id = example.account_external_id
            and import_row.external_id = example.external_id
            and import_row.refused_reason is null
          order by is_kept desc, row_number
          limit $2
        ) as one
        order by example.row_number, one.row_number
        ",
    )
    .bind(SHOWN_CONTRADICTIONS)
    .bind(SHOWN_CONTRADICTING_ROWS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    let mut examples: Vec<(String, Vec<Compared>)> = Vec::new();
    for (external_id, row_number, is_kept, content) in rows {
        let Value::Object(content) = content else { continue };
        let row = Compared { row_number, counts: is_kept && rule != DuplicateRule::Refuse, content };
        match examples.last_mut() {
            Some((last, rows)) if *last == external_id => rows.push(row),
            _ => examples.push((external_id, vec![row])),
        }
    }
    let examples = examples
        .into_iter()
        .map(|(external_id, rows)| Contradiction { rows: differences(&rows), external_id })
        .collect();
    Ok((all, examples))
}

/// A row of a post that stands in the file more than once.
struct Compared {
    row_number: i64,
    counts: bool,
    content: Map<String, Value>,
}

/// The fields that rows of one post do not agree about, with each row's value.
fn differences(rows: &[Compared]) -> Vec<ContradictingRow> {
    let Some(Compared { content: first, .. }) = rows.first() else { return Vec::new() };
    let fields: Vec<&String> =
        first.keys().filter(|field| rows.iter().any(|row| row.content.get(*field) != first.get(*field))).collect();
    rows.iter()
        .map(|row| ContradictingRow {
            row_number: row.row_number,
            counts: row.counts,
            differs: fields.iter().map(|field| ((*field).clone(), shown(row.content.get(*field)))).collect(),
        })
        .collect()
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "—".into(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.chars().count() > SHOWN_VALUE { text.chars().take(SHOWN_VALUE).chain(['…']).collect() } else { text }
}

/// The first refused rows, for a report.
pub(super) async fn first_refusals(tx: &mut Tx) -> Result<Vec<Refusal>, Error> {
    let rows: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
        r"
        select row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        order by row_number
        limit $1
        ",
    )
    .bind(SHOWN_REFUSALS)
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(refusal).collect())
}

/// Writes all refused rows as a file to mend.
pub(super) async fn write_refusals(tx: &mut Tx, file: &FileFacts, path: &Path) -> Result<(), Error> {
    let cannot_write =
        |error: std::io::Error| Error::invalid("refused", format!("“{}” cannot be written: {error}", path.display()));
    let mut output = BufWriter::new(File::create(path).map_err(cannot_write)?);
    let mut rows = sqlx::query_as::<_, (i64, Option<String>, String, String)>(
        r"
        select row_number, refused_field, refused_reason, refused_raw
        from import_row
        where refused_reason is not null
        order by row_number
        ",
    )
    .fetch(tx.connection());
    let mut is_first = true;
    loop {
        let mut batch = Vec::new();
        while batch.len() < WRITTEN_AT_ONCE
            && let Some(row) = rows.try_next().await.map_err(failed)?
        {
            batch.push(refusal(row));
        }
        if batch.is_empty() && !is_first {
            break;
        }
        let piece = refused::piece(Some((file.header.as_slice(), file.delimiter)), &batch, is_first);
        output.write_all(&piece).map_err(cannot_write)?;
        is_first = false;
    }
    output.flush().map_err(cannot_write)
}

fn refusal((row_number, column, reason, raw): (i64, Option<String>, String, String)) -> Refusal {
    Refusal { row_number: u64::try_from(row_number).unwrap_or_default(), column, reason, raw }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(row_number: i64, counts: bool, content: Value) -> Compared {
        let Value::Object(content) = content else { panic!("an object") };
        Compared { row_number, counts, content }
    }

    #[test]
    fn only_what_rows_do_not_agree_about_is_shown() {
        let rows = [
            row(2, true, json!({ "reach": 1, "text": "a", "kind": null })),
            row(9, false, json!({ "reach": 2, "text": "a", "kind": "photo" })),
        ];
        let shown = differences(&rows);
        assert_eq!((shown[0].row_number, shown[0].counts, shown[1].row_number, shown[1].counts), (2, true, 9, false));
        let of = |kind: &str, reach: &str| {
            vec![("kind".to_owned(), kind.to_owned()), ("reach".to_owned(), reach.to_owned())]
        };
        assert_eq!((&shown[0].differs, &shown[1].differs), (&of("—", "1"), &of("photo", "2")));
        assert!(differences(&[]).is_empty());
    }
}
