//! Scorecards: the figures of each platform, account or campaign beside each other, with change, target, grade, and what
//! moved the figure that is looked at. Everything comes from the daily roll-ups in a fixed number of queries, however many
//! rows there are.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rtv_core::kpi::{Basis, Kpi};
use rtv_core::period::Period;
use rtv_core::scorecard::{Column, Dimension, Grade, Sort};
use rtv_core::{AccountId, CampaignId, Error, Permission, Platform};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::account::Account;
use crate::campaign::Campaign;
use crate::context::TenantContext;
use crate::kpi::{Followers, Query, Sums, basis_of, ratio, read_followers, sums_of};
use crate::target::{self, Aim, Target};
use crate::transaction::{Resource, Tx, failed};

/// Figures that every scorecard shows; the one that is looked at comes last where it is another one.
pub const FIGURES: [Kpi; 4] = [Kpi::Published, Kpi::Reach, Kpi::Engagements, Kpi::EngagementRate];

/// Figures of a scorecard that looks at `metric`.
pub fn figures(metric: Kpi) -> Vec<Kpi> {
    let mut figures = FIGURES.to_vec();
    if !figures.contains(&metric) {
        figures.push(metric);
    }
    figures
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All that the filter covers.
    Everything,
    /// A platform.
    Platform(Platform),
    /// An account.
    Account(AccountId),
    /// A campaign, or [`CampaignId::NONE`].
    Campaign(CampaignId),
}

/// One figure of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Which.
    pub kpi: Kpi,
    /// Exact value; `None` is missing, never zero.
    pub value: Option<Decimal>,
    /// Exact value of the comparison period.
    pub previous: Option<Decimal>,
}

/// How a row stands to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has set one for it.
    NoTarget,
    /// The filter leaves out something that the target is for, or the row can have none.
    NotComparable,
    /// The first day of the period is still running.
    NothingOver {
        /// For a month.
        target: Decimal,
    },
    /// The figure is missing.
    Missing {
        /// For a month.
        target: Decimal,
    },
    /// It was reached to some part.
    Graded {
        /// For a month.
        target: Decimal,
        /// For the days that are over.
        due: Decimal,
        /// What these days brought.
        actual: Decimal,
        /// Actual ÷ due; 1 is all of it.
        share: Decimal,
        /// Its grade.
        grade: Grade,
    },
}

/// What moved a figure most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mover {
    /// The part of the row whose contribution to the change is the largest in its direction.
    Part {
        /// Its name.
        name: String,
        /// Its contribution, in the unit of the figure; those of all parts add up to the change.
        contribution: Decimal,
    },
    /// More or fewer posts: the change of their number at the earlier yield of each.
    Number {
        /// Posts now and before.
        posts: (i64, i64),
        /// Its contribution.
        contribution: Decimal,
    },
    /// More or less from each post: what the number of posts leaves of the change.
    Yield {
        /// Per post now and before.
        per_post: (Decimal, Decimal),
        /// Its contribution.
        contribution: Decimal,
    },
    /// Of a ratio without parts: how its two sides changed, relatively.
    Sides {
        /// Change of the numerator.
        numerator: Decimal,
        /// Change of the denominator.
        denominator: Decimal,
    },
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub subject: Subject,
    /// Its name for people.
    pub name: String,
    /// Its platform, where it is an account.
    pub platform: Option<Platform>,
    /// Its figures, in the order of [`figures`].
    pub cells: Vec<Cell>,
    /// How the figure that is looked at stands to its target.
    pub standing: Standing,
    /// What moved that figure; `None` where it did not move or nothing can be told.
    pub mover: Option<Mover>,
}

impl Row {
    /// A figure of the row.
    pub fn cell(&self, kpi: Kpi) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.kpi == kpi)
    }
}

/// A scorecard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scorecard {
    /// The rows in the asked order; what is missing stands last.
    pub rows: Vec<Row>,
    /// All of them together, straight from the roll-up.
    pub total: Row,
    /// The days that the targets are shared out over.
    pub over: Option<Period>,
    /// Whether the period holds days that are not over.
    pub is_running: bool,
    /// What the figures count.
    pub basis: Basis,
}

/// Windows that the roll-up is summed over.
const BEFORE: i32 = 0;
const NOW: i32 = 1;
const OVER: i32 = 2;

/// Sums of an account, and of a campaign where campaigns are told apart, in each window.
struct Sum {
    account: Uuid,
    campaign: Uuid,
    window: i32,
    sums: Sums,
}

/// Everything that rows are made of.
struct Facts<'a> {
    metric: Kpi,
    sums: Vec<Sum>,
    followers: Option<Followers>,
    accounts: &'a [Account],
    period: Period,
    previous: Option<Period>,
    over: Option<Period>,
    targets: Vec<Target>,
    basis: Basis,
}

/// The scorecard of a dimension, in two queries and the marker of the transaction, and one more where it looks at
/// followers.
pub async fn read(
    ctx: &TenantContext,
    query: &Query,
    dimension: Dimension,
    sort: Sort,
    accounts: &[Account],
    campaigns: &[Campaign],
) -> Result<Scorecard, Error> {
    let covered = query.filter.covered(accounts)?;
    let ids: Vec<Uuid> = covered.iter().map(|account| account.id.uuid()).collect();
    let campaign_ids = query.filter.campaign_ids(campaigns)?;
    let basis = basis_of(&covered);
    let over = target::days_over(query.period, ctx.today());
    let windows: Vec<(i32, Period)> =
        [query.previous.map(|period| (BEFORE, period)), Some((NOW, query.period)), over.map(|over| (OVER, over))]
            .into_iter()
            .flatten()
            .collect();
    let mut tx = ctx.begin(Permission::AnalyticsRead, Resource::Posts).await?;
    let is_by_campaign = dimension == Dimension::Campaign;
    let sums = read_sums(&mut tx, basis, &windows, &ids, &campaign_ids, is_by_campaign).await?;
    let targets = target::read(&mut tx, Some(query.metric)).await?;
    let followers = if query.metric == Kpi::FollowerGrowth && campaign_ids.is_empty() {
        Some(read_followers(&mut tx, query.period, query.previous, &ids).await?)
    } else {
        None
    };
    tx.rollback().await?;

    let facts = Facts {
        metric: query.metric,
        sums,
        followers,
        accounts,
        period: query.period,
        previous: query.previous,
        over,
        targets,
        basis,
    };
    let is_narrowed = !query.filter.accounts.is_empty() || !query.filter.campaigns.is_empty();
    let mut rows: Vec<Row> = match dimension {
        Dimension::Platform => {
            let mut platforms: Vec<Platform> = covered.iter().map(|account| account.platform).collect();
            platforms.sort_unstable();
            platforms.dedup();
            let rows = platforms.into_iter().map(|platform| {
                let of = covered.iter().filter(|account| account.platform == platform);
                let accounts: Vec<Uuid> = of.map(|account| account.id.uuid()).collect();
                let aim = (!is_narrowed).then_some(Aim::Platform(platform));
                let share = facts.share(|sum| accounts.contains(&sum.account), accounts.clone());
                facts.row(Subject::Platform(platform), platform.label(), aim, &share)
            });
            rows.collect()
        }
        Dimension::Account => covered
            .iter()
            .map(|account| {
                let id = account.id.uuid();
                let aim = campaign_ids.is_empty().then_some(Aim::Account(account.id));
                let share = facts.share(|sum| sum.account == id, vec![id]);
                facts.row(Subject::Account(account.id), &account.name, aim, &share)
            })
            .collect(),
        Dimension::Campaign => campaigns
            .iter()
            .map(|campaign| (campaign.id, campaign.name.as_str()))
            .chain([(CampaignId::NONE, "No campaign")])
            .filter(|(id, _)| query.filter.campaigns.is_empty() || query.filter.campaigns.contains(id))
            .map(|(id, name)| {
                // Followers are an account's, not a campaign's.
                let share = facts.share(|sum| sum.campaign == id.uuid(), Vec::new());
                facts.row(Subject::Campaign(id), name, None, &share)
            })
            .collect(),
    };
    // What had nothing, neither now nor before, says nothing.
    rows.retain(|row| {
        row.cells.iter().any(|cell| {
            let is_known =
                |value: Option<Decimal>| value.is_some_and(|value| cell.kpi != Kpi::Published || !value.is_zero());
            is_known(cell.value) || is_known(cell.previous)
        }) || !matches!(row.standing, Standing::NoTarget | Standing::NotComparable)
    });
    rows.sort_by(|left, right| compare(left, right, sort));
    let aim = (!is_narrowed && query.filter.platforms.is_empty()).then_some(Aim::Everything);
    let total = facts.row(Subject::Everything, "All", aim, &facts.share(|_| true, ids));
    Ok(Scorecard { rows, total, over, is_running: query.period.to() >= ctx.today(), basis })
}

fn compare(left: &Row, right: &Row, sort: Sort) -> Ordering {
    // A missing value stands last in either direction.
    let by_value = |left: Option<Decimal>, right: Option<Decimal>| match (left, right) {
        (Some(left), Some(right)) if sort.is_descending => right.cmp(&left),
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    let share = |row: &Row| match row.standing {
        Standing::Graded { share, .. } => Some(share),
        Standing::NoTarget | Standing::NotComparable | Standing::NothingOver { .. } | Standing::Missing { .. } => None,
    };
    let names = || left.name.to_lowercase().cmp(&right.name.to_lowercase()).then(left.subject.cmp(&right.subject));
    match sort.column {
        Column::Name if sort.is_descending => names().reverse(),
        Column::Name => names(),
        Column::Figure(kpi) => {
            let value = |row: &Row| row.cell(kpi).and_then(|cell| cell.value);
            by_value(value(left), value(right)).then_with(names)
        }
        Column::Attainment => by_value(share(left), share(right)).then_with(names),
    }
}

/// A share of the facts: a row's, or a part of a row's.
struct Share<'a> {
    sums: Vec<&'a Sum>,
    /// Accounts whose followers count in.
    accounts: Vec<Uuid>,
}

impl Facts<'_> {
    fn share(&self, is_meant: impl Fn(&Sum) -> bool, accounts: Vec<Uuid>) -> Share<'_> {
        Share { sums: self.sums.iter().filter(|sum| is_meant(sum)).collect(), accounts }
    }

    /// Value of a figure in a window.
    fn value(&self, kpi: Kpi, window: i32, part: &Share<'_>) -> Option<Decimal> {
        if kpi != Kpi::FollowerGrowth {
            return part.total(window).value_of_posts(kpi);
        }
        let days = match window {
            BEFORE => self.previous?,
            OVER => self.over?,
            _ => self.period,
        };
        self.followers.as_ref()?.growth_of(days, |account| part.accounts.contains(&account)).0.map(Decimal::from)
    }

    fn row(&self, subject: Subject, name: &str, aim: Option<Aim>, part: &Share<'_>) -> Row {
        let cells = figures(self.metric)
            .into_iter()
            .map(|kpi| Cell {
                kpi,
                value: self.value(kpi, NOW, part),
                previous: self.previous.and_then(|_| self.value(kpi, BEFORE, part)),
            })
            .collect();
        let account = |id: AccountId| self.accounts.iter().find(|account| account.id == id);
        Row {
            subject,
            name: name.to_owned(),
            platform: match subject {
                Subject::Account(id) => account(id).map(|account| account.platform),
                Subject::Everything | Subject::Platform(_) | Subject::Campaign(_) => None,
            },
            cells,
            standing: self.standing(aim, part),
            mover: self.mover(subject, part),
        }
    }

    fn standing(&self, aim: Option<Aim>, part: &Share<'_>) -> Standing {
        let Some(aim) = aim else { return Standing::NotComparable };
        let Some(target) = self.targets.iter().find(|target| target.aim == aim).map(|target| target.amount) else {
            return Standing::NoTarget;
        };
        let Some(over) = self.over else { return Standing::NothingOver { target } };
        let due = target::for_days(self.metric, target, over);
        let actual = self.value(self.metric, OVER, part);
        match actual.and_then(|actual| Some((actual, target::attainment(self.metric, actual, due)?))) {
            Some((actual, share)) => Standing::Graded { target, due, actual, share, grade: target::grade(share) },
            None => Standing::Missing { target },
        }
    }

    /// The parts of a row by name: the platforms of everything where there are several, else the accounts.
    fn parts_of<'a>(&'a self, subject: Subject, whole: &'a Share<'_>) -> BTreeMap<String, Share<'a>> {
        let mut parts: BTreeMap<String, Share<'a>> = BTreeMap::new();
        let is_meant = |account: &&Account| whole.sums.iter().any(|sum| sum.account == account.id.uuid());
        let mut platforms: Vec<Platform> =
            self.accounts.iter().filter(is_meant).map(|account| account.platform).collect();
        platforms.sort_unstable();
        platforms.dedup();
        for account in self.accounts {
            let id = account.id.uuid();
            let name = match subject {
                Subject::Everything if platforms.len() > 1 => account.platform.label().to_owned(),
                Subject::Everything | Subject::Platform(_) | Subject::Account(_) | Subject::Campaign(_) => {
                    account.name.clone()
                }
            };
            let sums = whole.sums.iter().filter(|sum| sum.account == id).copied();
            let has_followers = whole.accounts.contains(&id);
            let part = parts.entry(name).or_insert_with(|| Share { sums: Vec::new(), accounts: Vec::new() });
            part.sums.extend(sums);
            part.accounts.extend(has_followers.then_some(id));
        }
        parts
    }

    /// What moved the row's figure, by a rule: the part that contributed most in the direction of the change. Where there
    /// is one part only, the number of posts and what each brought are weighed against each other.
    fn mover(&self, subject: Subject, whole: &Share<'_>) -> Option<Mover> {
        self.previous?;
        let metric = self.metric;
        let now = self.value(metric, NOW, whole)?;
        let before = self.value(metric, BEFORE, whole)?;
        let change = now - before;
        if change.is_zero() {
            return None;
        }
        let sides = whole.total(NOW).sides(metric).zip(whole.total(BEFORE).sides(metric));
        let mut contributions: Vec<(String, Decimal)> = Vec::new();
        for (name, part) in self.parts_of(subject, whole) {
            let known = (self.value(metric, NOW, &part), self.value(metric, BEFORE, &part));
            if known == (None, None) {
                continue;
            }
            let contribution = match sides {
                // (n₁ᵢ − R₀·d₁ᵢ) ÷ D₁: what the part's difference from the earlier ratio weighs. All of them add up to
                // R₁ − R₀.
                Some(((_, denominator_now), _)) => {
                    let (numerator, denominator) = part.total(NOW).sides(metric)?;
                    (numerator - before * denominator).checked_div(denominator_now)?
                }
                None => known.0.unwrap_or_default() - known.1.unwrap_or_default(),
            };
            contributions.push((name, contribution));
        }
        if contributions.len() > 1 {
            let (name, contribution) = contributions
                .into_iter()
                .filter(|(_, contribution)| contribution.is_sign_negative() == change.is_sign_negative())
                .max_by(|left, right| left.1.abs().cmp(&right.1.abs()).then_with(|| right.0.cmp(&left.0)))?;
            return Some(Mover::Part { name, contribution });
        }
        if let Some((now, before)) = sides {
            let relative = |now: Decimal, before: Decimal| ratio(now - before, before.abs());
            return Some(Mover::Sides {
                numerator: relative(now.0, before.0)?,
                denominator: relative(now.1, before.1)?,
            });
        }
        // Posts of basis *period* are counted on each of their days, and followers come without posts.
        if self.basis == Basis::Period || matches!(metric, Kpi::Published | Kpi::FollowerGrowth) {
            return None;
        }
        let posts = (whole.total(NOW).reporting(metric), whole.total(BEFORE).reporting(metric));
        let per_post = (ratio(now, posts.0.into())?, ratio(before, posts.1.into())?);
        let by_number = Decimal::from(posts.0 - posts.1) * per_post.1;
        let by_yield = change - by_number;
        let towards = |contribution: Decimal| if change.is_sign_negative() { -contribution } else { contribution };
        Some(if towards(by_number) >= towards(by_yield) {
            Mover::Number { posts, contribution: by_number }
        } else {
            Mover::Yield { per_post, contribution: by_yield }
        })
    }
}

impl Share<'_> {
    fn total(&self, window: i32) -> Sums {
        self.sums.iter().filter(|sum| sum.window == window).fold(Sums::default(), |sums, sum| sums.plus(&sum.sums))
    }
}

async fn read_sums(
    tx: &mut Tx,
    basis: Basis,
    windows: &[(i32, Period)],
    accounts: &[Uuid],
    campaigns: &[Uuid],
    is_by_campaign: bool,
) -> Result<Vec<Sum>, Error> {
    let numbers: Vec<i32> = windows.iter().map(|(number, _)| *number).collect();
    let first_days: Vec<_> = windows.iter().map(|(_, period)| period.from()).collect();
    let last_days: Vec<_> = windows.iter().map(|(_, period)| period.to()).collect();
    let rows = sqlx::query!(
        r#"
        select
          span.number as "window!", kpi_daily.basis, kpi_daily.account_id,
          case when $7 then kpi_daily.campaign_id else '00000000-0000-0000-0000-000000000000' end as "campaign_id!",
          sum(posts)::bigint as "posts!",
          sum(reach)::bigint as reach, sum(reach_posts)::bigint as "reach_posts!",
          sum(impressions)::bigint as impressions, sum(impressions_posts)::bigint as "impressions_posts!",
          sum(engagements)::bigint as engagements, sum(engagements_posts)::bigint as "engagements_posts!",
          sum(rate_engagements)::bigint as "rate_engagements!", sum(rate_impressions)::bigint as "rate_impressions!",
          sum(rate_by_reach_engagements)::bigint as "rate_by_reach_engagements!", sum(rate_reach)::bigint as "rate_reach!",
          sum(rate_posts)::bigint as "rate_posts!",
          sum(conversions)::bigint as conversions, sum(conversions_posts)::bigint as "conversions_posts!",
          sum(revenue) as revenue, sum(revenue_posts)::bigint as "revenue_posts!",
          sum(roi_revenue) as "roi_revenue!", sum(roi_cost) as "roi_cost!", sum(roi_posts)::bigint as "roi_posts!",
          sum(sentiment_sum) as "sentiment_sum!", sum(sentiment_count)::bigint as "sentiment_count!",
          sum(sentiment_posts)::bigint as "sentiment_posts!"
        from unnest($1::int[], $2::date[], $3::date[]) as span (number, first_day, last_day)
        join kpi_daily
          on kpi_daily.first_day between span.first_day and span.last_day
          and kpi_daily.last_day <= span.last_day
        where kpi_daily.basis in ($4, 'lifetime')
          and kpi_daily.account_id = any($5)
          and (cardinality($6::uuid[]) = 0 or kpi_daily.campaign_id = any($6))
        group by 1, 2, 3, 4
        "#,
        &numbers,
        &first_days,
        &last_days,
        basis.key(),
        accounts,
        campaigns,
        is_by_campaign,
    )
    .fetch_all(tx.connection())
    .await
    .map_err(failed)?;
    Ok(rows
        .into_iter()
        .map(|row| Sum {
            account: row.account_id,
            campaign: row.campaign_id,
            window: row.window,
            sums: sums_of!(row, basis),
        })
        .collect())
}
