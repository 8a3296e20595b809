//! What becomes of deliveries that are overdue when a switch is released: chosen for each account or for all, and the ramp with
//! which sending begins again.

use core::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rtv_core::{AccountId, FieldError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What becomes of one account's overdue deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub enum Choice {
    /// They go out one after the other within so many minutes.
    Spread {
        /// 1 to 1440.
        minutes: u32,
    },
    /// The first goes out then, the others as long after it as they were meant to.
    Reschedule {
        /// When.
        at: DateTime<Utc>,
    },
    /// Somebody approves them anew.
    Approval,
    /// They do not go out.
    Drop,
}

/// A choice as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChoiceWords {
    /// `spread`, `reschedule`, `approval` or `drop`; empty: none was made.
    pub what: String,
    /// For `spread`; empty: 30.
    pub minutes: String,
    /// For `reschedule`: RFC 3339, or `2026-11-25T09:00` in the zone that is given beside it.
    pub at: String,
}

/// A plan as typed. Errors name `plan`, `minutes`, `at`, or `plan-acc_…`, `minutes-acc_…`, `at-acc_…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanWords {
    /// For all accounts that have no choice of their own.
    pub all: ChoiceWords,
    /// For an account, by its id.
    pub groups: Vec<(String, ChoiceWords)>,
}

/// What becomes of what is overdue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// For all accounts that have no choice of their own.
    pub all: Option<Choice>,
    /// For single accounts.
    pub groups: Vec<(AccountId, Choice)>,
}

/// How sending begins again: 1 % in the first step, 10 % until the end of the second, the rest after it. At least one
/// goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ramp {
    /// How long a step is; zero: no ramp, for tests.
    pub step: Duration,
}

impl Default for Ramp {
    fn default() -> Self {
        Self { step: Duration::from_mins(1) }
    }
}

/// Unless somebody says otherwise.
const MINUTES: u32 = 30;
const MOST_MINUTES: u32 = 24 * 60;
const MOST_AHEAD: TimeDelta = TimeDelta::days(366);

impl Choice {
    /// Text form of what it does.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Spread { .. } => "spread",
            Self::Reschedule { .. } => "reschedule",
            Self::Approval => "approval",
            Self::Drop => "drop",
        }
    }

    /// Words for people.
    pub fn describe(self) -> String {
        match self {
            Self::Spread { minutes: 1 } => "send within a minute".into(),
            Self::Spread { minutes } => format!("send within {minutes} minutes"),
            Self::Reschedule { at } => format!("send from {} UTC on", at.format("%Y-%m-%d %H:%M")),
            Self::Approval => "return to approval".into(),
            Self::Drop => "drop".into(),
        }
    }

    /// Reads a choice; `suffix` is what the names of its fields end with. Local times are of the zone.
    fn parse(
        words: &ChoiceWords,
        suffix: &str,
        zone: chrono_tz::Tz,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, FieldError> {
        let refused =
            |field: &str, message: &str| FieldError { field: format!("{field}{suffix}"), message: message.into() };
        match words.what.trim() {
            "" => Ok(None),
            "approval" => Ok(Some(Self::Approval)),
            "drop" => Ok(Some(Self::Drop)),
            "spread" => {
                let minutes = match words.minutes.trim() {
                    "" => Some(MINUTES),
                    text => text.parse().ok().filter(|minutes| (1..=MOST_MINUTES).contains(minutes)),
                };
                let minutes = minutes.ok_or_else(|| refused("minutes", "use 1 to 1440 minutes"))?;
                Ok(Some(Self::Spread { minutes }))
            }
            "reschedule" => {
                let text = words.at.trim();
                let at = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc()).ok().or_else(|| local(text, zone));
                let at = at.filter(|at| *at > now && *at < now + MOST_AHEAD);
                let at = at.ok_or_else(|| {
                    refused("at", "use a time to come, like 2026-11-25T09:00, that the clocks show once")
                })?;
                Ok(Some(Self::Reschedule { at }))
            }
            _ => Err(refused("plan", "use spread, reschedule, approval or drop")),
        }
    }
}

fn local(text: &str, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    let at =
        ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    at.and_local_timezone(zone).single().map(|at| at.to_utc())
}

impl Plan {
    /// Reads a plan; all that is wrong is named.
    pub(crate) fn parse(words: &PlanWords, zone: chrono_tz::Tz, now: DateTime<Utc>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut plan = Self::default();
        match Choice::parse(&words.all, "", zone, now) {
            Ok(choice) => plan.all = choice,
            Err(error) => errors.push(error),
        }
        for (account, choice) in &words.groups {
            match account.trim().parse::<AccountId>() {
                Ok(id) => match Choice::parse(choice, &format!("-{id}"), zone, now) {
                    Ok(Some(choice)) => plan.groups.push((id, choice)),
                    Ok(None) => {}
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(FieldError { field: "plan".into(), message: error.to_string() }),
            }
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    /// What becomes of an account's overdue deliveries, if it was decided.
    pub fn choice(&self, account: AccountId) -> Option<Choice> {
        self.groups.iter().find(|(id, _)| *id == account).map(|(_, choice)| *choice).or(self.all)
    }
}

/// A delivery before a plan is applied to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) id: Uuid,
    pub(crate) account: AccountId,
    pub(crate) due_at: DateTime<Utc>,
    /// It comes due during the ramp, and only keeps its place in it.
    pub(crate) is_upcoming: bool,
}

/// What becomes of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is due then, and not sent before.
    Send(DateTime<Utc>),
    /// It keeps its time, and is not sent before that.
    Wait(DateTime<Utc>),
    Approval,
    Drop,
}

/// Applies a plan. What is given is in the order in which it is to go out. An account without a choice: `None`.
///
/// Whatever goes out keeps its place in the ramp as well as the time that its choice gives it: the later of both holds.
pub(crate) fn apply(plan: &Plan, ramp: Ramp, overdue: &[Overdue], now: DateTime<Utc>) -> Option<Vec<Fate>> {
    let mut of_account: std::collections::HashMap<AccountId, (usize, DateTime<Utc>)> = std::collections::HashMap::new();
    for one in overdue.iter().filter(|one| !one.is_upcoming) {
        let group = of_account.entry(one.account).or_insert((0, one.due_at));
        group.0 += 1;
        group.1 = group.1.min(one.due_at);
    }
    let goes = |one: &Overdue| {
        one.is_upcoming || matches!(plan.choice(one.account), Some(Choice::Spread { .. } | Choice::Reschedule { .. }))
    };
    let total = overdue.iter().filter(|one| goes(one)).count();
    let (mut place, mut places) = (0, std::collections::HashMap::new());
    let mut fates = Vec::with_capacity(overdue.len());
    for one in overdue {
        if one.is_upcoming {
            fates.push(Fate::Wait(one.due_at.max(now + ramp.wait(place, total, one.id))));
            place += 1;
            continue;
        }
        let (count, earliest) = of_account.get(&one.account).copied().unwrap_or((1, one.due_at));
        let at = match plan.choice(one.account)? {
            Choice::Approval => {
                fates.push(Fate::Approval);
                continue;
            }
            Choice::Drop => {
                fates.push(Fate::Drop);
                continue;
            }
            Choice::Spread { minutes } => {
                let nth = places.entry(one.account).or_insert(0_usize);
                let at = now + share(TimeDelta::minutes(minutes.into()), *nth, count);
                *nth += 1;
                at
            }
            Choice::Reschedule { at } => at.max(now) + (one.due_at - earliest),
        };
        fates.push(Fate::Send(at.max(now + ramp.wait(place, total, one.id))));
        place += 1;
    }
    Some(fates)
}

/// The `nth` of `count` equal steps through a span.
fn share(span: TimeDelta, nth: usize, count: usize) -> TimeDelta {
    let (nth, count) = (i64::try_from(nth).unwrap_or(i64::MAX), i64::try_from(count.max(1)).unwrap_or(i64::MAX));
    TimeDelta::milliseconds(span.num_milliseconds().saturating_mul(nth) / count)
}

impl Ramp {
    /// The span in which what comes due by itself takes part in the ramp.
    pub(crate) fn span(self) -> TimeDelta {
        TimeDelta::from_std(self.step).unwrap_or_default() * 2
    }

    /// How long what goes out at a place among so many waits at least. The jitter comes out of its id, whose last bits are random.
    fn wait(self, place: usize, total: usize, id: Uuid) -> TimeDelta {
        let step = TimeDelta::from_std(self.step).unwrap_or_default();
        if step.is_zero() {
            return step;
        }
        let first = total.div_ceil(100);
        let second = total.div_ceil(10).max(first);
        let jitter = |span: TimeDelta| {
            let fraction = i64::from(u16::from_be_bytes([id.as_bytes()[14], id.as_bytes()[15]]));
            TimeDelta::milliseconds(span.num_milliseconds() * fraction / 65_536)
        };
        if place == 0 {
            TimeDelta::zero()
        } else if place < first {
            jitter(step)
        } else if place < second {
            step + jitter(step)
        } else {
            step * 2 + jitter(step)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn account(number: u128) -> AccountId {
        Uuid::from_u128(number).into()
    }

    /// So many deliveries of an account, a minute apart, the last due now.
    fn overdue(count: usize, of: AccountId) -> Vec<Overdue> {
        (0..count)
            .map(|number| Overdue {
                id: Uuid::from_u128((number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
                account: of,
                due_at: now() - TimeDelta::minutes(i64::try_from(count - number).unwrap() - 1),
                is_upcoming: false,
            })
            .collect()
    }

    fn times(fates: &[Fate]) -> Vec<TimeDelta> {
        fates
            .iter()
            .map(|fate| match fate {
                Fate::Send(at) | Fate::Wait(at) => *at - now(),
                other => panic!("{other:?} has no time"),
            })
            .collect()
    }

    #[test]
    fn sending_begins_again_with_one_percent_then_ten_then_all() {
        let plan = Plan { all: Some(Choice::Spread { minutes: 1 }), groups: Vec::new() };
        let check = |count: usize, first: usize, second: usize| {
            let fates = apply(&plan, Ramp::default(), &overdue(count, account(1)), now()).unwrap();
            let times = times(&fates);
            let within = |from: i64, to: i64| times.iter().filter(|at| (from..to).contains(&at.num_seconds())).count();
            assert_eq!((within(0, 60), within(60, 120)), (first, second), "{count}");
            assert_eq!(times[0], TimeDelta::zero());
            assert!(times.iter().all(|at| *at <= TimeDelta::minutes(3)));
        };
        check(1_000, 10, 90);
        check(100, 1, 9);
        check(5, 1, 0);
        check(1, 1, 0);
    }

    #[test]
    fn without_a_ramp_a_spread_is_even() {
        let plan = Plan { all: Some(Choice::Spread { minutes: 10 }), groups: Vec::new() };
        let fates = apply(&plan, Ramp { step: Duration::ZERO }, &overdue(5, account(1)), now()).unwrap();
        let minutes: Vec<i64> = times(&fates).iter().map(TimeDelta::num_minutes).collect();
        assert_eq!(minutes, [0, 2, 4, 6, 8]);
    }

    #[test]
    fn what_is_rescheduled_keeps_its_distances() {
        let at = now() + TimeDelta::days(1);
        let plan = Plan { all: None, groups: vec![(account(1), Choice::Reschedule { at })] };
        let fates = apply(&plan, Ramp::default(), &overdue(3, account(1)), now()).unwrap();
        let times: Vec<TimeDelta> = times(&fates).into_iter().map(|after| now() + after - at).collect();
        assert_eq!(times, [TimeDelta::zero(), TimeDelta::minutes(1), TimeDelta::minutes(2)]);
    }

    #[test]
    fn a_group_without_a_choice_makes_no_plan() {
        let plan = Plan { all: None, groups: vec![(account(1), Choice::Drop)] };
        let mut all = overdue(2, account(1));
        assert_eq!(apply(&plan, Ramp::default(), &all, now()), Some(vec![Fate::Drop, Fate::Drop]));
        all.extend(overdue(1, account(2)));
        assert_eq!(apply(&plan, Ramp::default(), &all, now()), None);
    }

    #[test]
    fn what_comes_due_during_the_ramp_waits_for_its_place() {
        let mut all = overdue(200, account(1));
        let soon = now() + TimeDelta::seconds(10);
        all.push(Overdue { id: Uuid::from_u128(0x8000), account: account(2), due_at: soon, is_upcoming: true });
        let plan = Plan { all: None, groups: vec![(account(1), Choice::Spread { minutes: 5 })] };
        let fates = apply(&plan, Ramp::default(), &all, now()).unwrap();
        let Some(Fate::Wait(at)) = fates.last() else { panic!("it was decided over") };
        assert!(*at >= now() + TimeDelta::minutes(2), "{at}");
        let alone = &all[200..];
        assert_eq!(apply(&plan, Ramp::default(), alone, now()), Some(vec![Fate::Wait(soon)]));
    }

    #[test]
    fn a_plan_that_is_typed_wrongly_names_its_fields() {
        let zone = chrono_tz::Europe::Berlin;
        let words = |what: &str, minutes: &str, at: &str| ChoiceWords {
            what: what.into(),
            minutes: minutes.into(),
            at: at.into(),
        };
        let check = |words: ChoiceWords, expect: Result<Option<Choice>, &str>| {
            let found = Choice::parse(&words, "-7", zone, now()).map_err(|error| error.field);
            assert_eq!(found, expect.map_err(str::to_owned), "{words:?}");
        };
        check(words("", "x", "x"), Ok(None));
        check(words("drop", "", ""), Ok(Some(Choice::Drop)));
        check(words("spread", "", ""), Ok(Some(Choice::Spread { minutes: 30 })));
        check(words("spread", "0", ""), Err("minutes-7"));
        check(words("spread", "1441", ""), Err("minutes-7"));
        let nine = Choice::Reschedule { at: "2026-11-25T08:00:00Z".parse().unwrap() };
        check(words("reschedule", "", "2026-11-25T09:00"), Ok(Some(nine)));
        check(words("reschedule", "", "2026-11-25T08:00:00Z"), Ok(Some(nine)));
        check(words("reschedule", "", "2026-11-21T09:00"), Err("at-7"));
        // The clocks show this time twice, and the other one never.
        check(words("reschedule", "", "2027-10-31T02:30"), Err("at-7"));
        check(words("reschedule", "", "2027-03-28T02:30"), Err("at-7"));
        check(words("burn", "", ""), Err("plan-7"));
    }
}
