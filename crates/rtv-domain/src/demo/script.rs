//! What happens in the demo: which posts there are, when and with what text, what each gains on each day, and how many
//! follow. Nothing here knows a database; the same organisation on the same day of the week always gives the same, moved
//! by whole weeks.
//!
//! Dates move by weeks and not by days so that Mondays stay Mondays: an office network that rests on Wednesdays would
//! not look like life. Seasons and launches move along, for the same reason.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use uuid::{Builder, Uuid};

use crate::daily_metric::Gains;
use crate::demo::dice::{Dice, real, whole};
use crate::demo::story::{Crisis, Habits, Launch, Page, Story, WEEKS, habits};

/// What dice are thrown for; the second part of their name.
const VOLUME: u64 = 1;
const POST: u64 = 2;
const GAIN: u64 = 3;
const FOLLOWERS: u64 = 4;

/// An organisation's 18 months up to yesterday.
#[derive(Debug)]
pub(super) struct Script {
    story: &'static Story,
    zone: Tz,
    first_day: NaiveDate,
    /// Days from the first to yesterday.
    days: u32,
    /// Followers of each page at the end of each day.
    followers: Vec<Vec<i64>>,
    /// How many posts fall on each page on each day, day by day.
    volume: Vec<u32>,
}

/// A post and everything it gained.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DrawnPost {
    pub(super) id: Uuid,
    /// Index of its page.
    pub(super) page: usize,
    /// Index of the launch that it belongs to.
    pub(super) launch: Option<usize>,
    pub(super) external_id: String,
    pub(super) kind: &'static str,
    pub(super) body: String,
    pub(super) published_at: DateTime<Utc>,
    /// The day of it in the organisation's zone.
    pub(super) day: NaiveDate,
    /// What it gained, from its own day on, as far as it has arrived.
    pub(super) gains: Vec<Gains>,
}

impl Script {
    /// The script as seen on a day. `posts` is the exact number of posts; `None` leaves the organisation its own size.
    pub(super) fn new(story: &'static Story, zone: Tz, today: NaiveDate, posts: Option<u32>) -> Self {
        let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
        let first_day = monday - Days::new(u64::from(WEEKS) * 7);
        let days = WEEKS * 7 + today.weekday().num_days_from_monday();
        let mut script = Self { story, zone, first_day, days, followers: Vec::new(), volume: Vec::new() };
        script.followers = (0..story.pages.len()).map(|page| script.draw_followers(page)).collect();
        script.volume = script.draw_volume(posts);
        script
    }

    /// The last day of all: yesterday.
    pub(super) fn last_day(&self) -> NaiveDate {
        self.date(self.days - 1)
    }

    /// Number of days.
    pub(super) const fn days(&self) -> u32 {
        self.days
    }

    /// Number of posts.
    pub(super) fn posts(&self) -> i64 {
        self.volume.iter().map(|posts| i64::from(*posts)).sum()
    }

    /// First and last day of a launch.
    pub(super) fn span(&self, launch: &Launch) -> (NaiveDate, NaiveDate) {
        (self.date(launch.week * 7), self.date((launch.week + launch.weeks) * 7 - 1))
    }

    /// Followers of a page at the end of each day that has arrived.
    pub(super) fn followers(&self, page: usize) -> impl Iterator<Item = (NaiveDate, i64)> {
        let arrived = self.arrived(page);
        (0..arrived).zip(&self.followers[page]).map(|(day, followers)| (self.date(day), *followers))
    }

    /// The posts of a day, all pages.
    pub(super) fn posts_of(&self, day: u32) -> Vec<DrawnPost> {
        let pages = self.story.pages.len();
        let mut posts = Vec::new();
        for page in 0..pages {
            let index = usize::try_from(day).unwrap_or(usize::MAX) * pages + page;
            for number in 0..self.volume[index] {
                posts.push(self.draw_post(day, page, number));
            }
        }
        posts
    }

    fn date(&self, day: u32) -> NaiveDate {
        self.first_day + Days::new(u64::from(day))
    }

    /// Days of a page whose figures have arrived.
    fn arrived(&self, page: usize) -> u32 {
        self.days.saturating_sub(self.story.pages[page].late_days)
    }

    fn dice(&self, name: [u64; 4]) -> Dice {
        Dice::of(&[self.story.seed, name[0], name[1], name[2], name[3]])
    }

    /// The year's ups and downs, ±16 %, so that a year ago is comparable.
    fn season(&self, day: u32) -> f64 {
        let turn = f64::from(day) / 364.0 + f64::from(u32::try_from(self.story.seed % 7).unwrap_or(0)) / 7.0;
        1.0 + 0.16 * (turn * core::f64::consts::TAU).sin()
    }

    fn launch_on(&self, day: u32) -> Option<(usize, &'static Launch)> {
        let week = day / 7;
        self.story
            .launches
            .iter()
            .enumerate()
            .find(|(_, launch)| (launch.week..launch.week + launch.weeks).contains(&week))
    }

    /// A launch is loudest in its first days.
    fn loudness(&self, day: u32) -> f64 {
        self.launch_on(day).map_or(1.0, |(_, launch)| {
            let since = f64::from(day - launch.week * 7);
            1.0 + (launch.boost - 1.0) * (-since / 14.0).exp()
        })
    }

    /// How much of the crisis is felt on a day: 1 at its outbreak, then fading over two weeks.
    fn alarm(&self, day: u32) -> f64 {
        self.story.crisis.as_ref().map_or(0.0, |crisis| match day.checked_sub(outbreak(crisis)) {
            Some(since) if since < 14 => (-f64::from(since) / 4.5).exp(),
            _ => 0.0,
        })
    }

    fn draw_followers(&self, index: usize) -> Vec<i64> {
        let page: &Page = &self.story.pages[index];
        let mut count = f64::from(page.followers);
        (0..self.days)
            .map(|day| {
                let mut dice = self.dice([FOLLOWERS, index as u64, u64::from(day), 0]);
                let usual = count * page.growth / 7.0 * self.season(day) * self.loudness(day) * dice.between(0.3, 1.7);
                let lost = count * 0.002_6 * self.alarm(day) + count * 0.000_05 * dice.share();
                count += usual - lost;
                whole(count)
            })
            .collect()
    }

    /// Posts of each page and day. The weights are summed up and cut into whole posts, so that the sum is exact.
    fn draw_volume(&self, posts: Option<u32>) -> Vec<u32> {
        let weight = |day: u32, index: usize| {
            let page = &self.story.pages[index];
            let week = habits(page.platform).week;
            let loudness = 1.0 + (self.loudness(day) - 1.0) * 0.6;
            page.share
                * week[usize::try_from(day % 7).unwrap_or(0)]
                * loudness
                * self.dice([VOLUME, index as u64, u64::from(day), 0]).between(0.4, 1.6)
        };
        let pages = self.story.pages.len();
        let sum = |days: u32| -> f64 { (0..days).flat_map(|day| (0..pages).map(move |page| weight(day, page))).sum() };
        // Its own size is one of the whole weeks, so that the days of the present week come on top.
        let rate = match posts {
            Some(posts) => f64::from(posts) / sum(self.days),
            None => f64::from(self.story.posts) / sum(WEEKS * 7),
        };
        let mut reached = 0.0;
        let mut cut = 0;
        (0..self.days)
            .flat_map(|day| (0..pages).map(move |page| (day, page)))
            .map(|(day, page)| {
                reached += weight(day, page) * rate;
                // A hair more, because the sum of shares may end a hair below the whole number that it is.
                let whole = whole((reached + 0.000_001).floor());
                let fallen = u32::try_from(whole - cut).unwrap_or(0);
                cut = whole;
                fallen
            })
            .collect()
    }

    fn draw_post(&self, day: u32, index: usize, number: u32) -> DrawnPost {
        let page = &self.story.pages[index];
        let habits = habits(page.platform);
        let mut dice = self.dice([POST, index as u64, u64::from(day), u64::from(number)]);
        let kinds: Vec<f64> = habits.kinds.iter().map(|(_, weight, _)| *weight).collect();
        let (kind, _, reach_of_kind) = habits.kinds[dice.weighed(&kinds)];
        let hours: Vec<f64> = habits.hours.iter().map(|(_, weight)| *weight).collect();
        let hour = habits.hours[dice.weighed(&hours)].0;
        // Planned posts go out at a quarter of an hour, the others whenever they are ready.
        let (minute, second) = if dice.happens(0.65) {
            (u32::try_from(dice.below(4)).unwrap_or(0) * 15, 0)
        } else {
            (u32::try_from(dice.below(60)).unwrap_or(0), u32::try_from(dice.below(60)).unwrap_or(0))
        };
        let date = self.date(day);
        let local = date.and_time(NaiveTime::from_hms_opt(hour, minute, second).unwrap_or_default());
        // Nobody here posts at night, when clocks are changed.
        let published_at = self
            .zone
            .from_local_datetime(&local)
            .earliest()
            .map_or_else(|| Utc.from_utc_datetime(&local), |at| at.with_timezone(&Utc));

        let statement = self.statement(day, number);
        let launch = self.launch_on(day).filter(|_| statement.is_none() && dice.happens(0.45));
        let topic = launch.map_or_else(|| dice.below(self.story.topics.len()), |(_, launch)| launch.topic);
        let body = statement.map_or_else(|| self.story.topics[topic].text(&mut dice), str::to_owned);

        // Version 7 ids are ordered by time, as those of real posts are.
        let mut random = [0; 10];
        random[..8].copy_from_slice(&dice.bits().to_be_bytes());
        random[8..].copy_from_slice(&dice.bits().to_be_bytes()[..2]);
        let millis = u64::try_from(published_at.timestamp_millis()).unwrap_or(0);
        let drawn = Drawn {
            day,
            hour: f64::from(local.hour()) + f64::from(minute) / 60.0,
            reach_of_kind,
            is_link: kind == "link",
            is_launch: launch.is_some(),
            is_statement: statement.is_some(),
        };
        DrawnPost {
            id: Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
            page: index,
            launch: launch.map(|(index, _)| index),
            external_id: format!("sample-{:016x}", dice.bits()),
            kind,
            body,
            published_at,
            day: date,
            gains: self.draw_gains(index, number, &habits, &drawn, &mut dice),
        }
    }

    /// What is said in a crisis: the first post of each page on its first days.
    fn statement(&self, day: u32, number: u32) -> Option<&'static str> {
        let crisis = self.story.crisis.as_ref().filter(|_| number == 0)?;
        let since = usize::try_from(day.checked_sub(outbreak(crisis))?).ok()?;
        crisis.statements.get(since / 2).copied().filter(|_| since % 2 == 0)
    }

    /// Draws the totals of a post and spreads them over its days.
    fn draw_gains(&self, index: usize, number: u32, habits: &Habits, drawn: &Drawn, dice: &mut Dice) -> Vec<Gains> {
        let followers = real(self.followers[index][usize::try_from(drawn.day).unwrap_or(0)]);
        let distance = (drawn.hour - habits.best.0) / habits.best.1;
        let well_timed = 0.8 + 0.5 * (-distance * distance / 2.0).exp();
        let luck = (0.42 * dice.bell()).exp() * if dice.happens(0.008) { dice.between(3.0, 7.0) } else { 1.0 };
        let alarm = self.alarm(drawn.day);
        let attention = if drawn.is_statement { 1.0 + 2.5 * alarm } else { 1.0 };
        let is_selling = self.story.basket.is_some()
            && habits.reports_clicks
            && (drawn.is_link || (drawn.is_launch && dice.happens(0.5)));
        let is_paid = self.story.knows_cost && is_selling && drawn.is_launch && dice.happens(0.75);
        let shown = followers
            * habits.shown
            * drawn.reach_of_kind
            * well_timed
            * luck
            * self.season(drawn.day)
            * self.loudness(drawn.day)
            * attention
            * if is_paid { 1.7 } else { 1.0 };
        let engaged = shown * habits.engaged * (0.25 * dice.bell()).exp();
        let comments = engaged * dice.between(0.05, 0.11);
        let shares = engaged * dice.between(0.04, 0.1);
        let clicks = shown * if drawn.is_link || is_selling { dice.between(0.011, 0.021) } else { 0.003 };
        let reached = shown * dice.between(0.72, 0.93);
        let orders = clicks * dice.between(0.012, 0.026);
        let basket = self.story.basket.map_or(0.0, |(low, high)| dice.between(low, high));
        let paid = shown / 1_000.0 * dice.between(4.5, 8.0);
        let mood = self.story.mood + 0.11 * dice.bell();

        let spread = self.spread(index, habits, drawn, number);
        let arrived = self.arrived(index).saturating_sub(drawn.day);
        (0..habits.days.min(arrived))
            .map(|age| {
                let day = drawn.day + age;
                let part = |total: f64| spread.part(total, age);
                let alarm = self.alarm(day) * if drawn.is_statement { 1.0 } else { 0.7 };
                let talk = part(comments) + whole(comments * spread.share(age) * 5.0 * alarm);
                let reactions = part((engaged - comments - shares).max(0.0));
                let conversions = is_selling.then(|| part(orders));
                Gains {
                    reach: habits.reports_reach.then(|| part(reached)),
                    impressions: habits.reports_impressions.then(|| part(shown)),
                    reactions: Some(reactions),
                    comments: Some(talk),
                    shares: Some(part(shares)),
                    clicks: habits.reports_clicks.then(|| part(clicks)),
                    conversions,
                    revenue: conversions.map(|orders| Decimal::new(orders * whole(basket * 100.0), 2)),
                    cost: is_paid.then(|| Decimal::new(part(paid * 100.0), 2)),
                    sentiment: self.scores(index, number, day, talk, mood - 0.95 * alarm),
                }
            })
            .collect()
    }

    /// Two of three comments can be scored.
    fn scores(&self, index: usize, number: u32, day: u32, comments: i64, mood: f64) -> Option<(f64, i64)> {
        let scored = whole(real(comments) * 0.66);
        if scored == 0 {
            return None;
        }
        let mut dice = self.dice([GAIN, index as u64, u64::from(day), u64::from(number)]);
        let mean = (mood + 0.3 * dice.bell() / real(scored).sqrt()).clamp(-1.0, 1.0);
        // A thousandth is finer than any score, and is added up alike everywhere.
        Some(((mean * real(scored) * 1_000.0).round() / 1_000.0, scored))
            .map(|(sum, count)| (sum.clamp(-real(count), real(count)), count))
    }

    /// How the gains of a post lie over its days: most on the first, less each day, and more on good days of the week.
    fn spread(&self, index: usize, habits: &Habits, drawn: &Drawn, number: u32) -> Spread {
        let mut dice = self.dice([GAIN, index as u64, u64::from(drawn.day), u64::from(number) + (1 << 32)]);
        let weights: Vec<f64> = (0..habits.days)
            .map(|age| {
                let weekday = habits.week[usize::try_from((drawn.day + age) % 7).unwrap_or(0)];
                let left_of_day = if age == 0 { ((24.0 - drawn.hour) / 24.0).max(0.15) } else { 1.0 };
                (-f64::from(age) / habits.fades).exp() * left_of_day * (0.55 + 0.45 * weekday) * dice.between(0.7, 1.3)
            })
            .collect();
        Spread::of(&weights)
    }
}

/// What is known of a post before its figures are drawn.
struct Drawn {
    day: u32,
    /// Hour of the day, with its fraction.
    hour: f64,
    reach_of_kind: f64,
    is_link: bool,
    is_launch: bool,
    is_statement: bool,
}

fn outbreak(crisis: &Crisis) -> u32 {
    crisis.week * 7 + crisis.weekday
}

/// Shares of a whole that fall on its parts.
struct Spread {
    /// Share of the whole up to each part; ends with 1.
    reached: Vec<f64>,
}

impl Spread {
    fn of(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let mut reached = 0.0;
        let mut shares: Vec<f64> = weights
            .iter()
            .map(|weight| {
                reached += weight / sum;
                reached
            })
            .collect();
        if let Some(last) = shares.last_mut() {
            *last = 1.0;
        }
        Self { reached: shares }
    }

    fn share(&self, part: u32) -> f64 {
        self.up_to(part) - part.checked_sub(1).map_or(0.0, |before| self.up_to(before))
    }

    fn up_to(&self, part: u32) -> f64 {
        usize::try_from(part).ok().and_then(|part| self.reached.get(part)).copied().unwrap_or(1.0)
    }

    /// The whole number of things that fall on a part; all parts together are the whole, rounded down.
    fn part(&self, total: f64, part: u32) -> i64 {
        let before = part.checked_sub(1).map_or(0.0, |before| (total * self.up_to(before)).floor());
        whole((total * self.up_to(part)).floor() - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::story::STORIES;

    fn script(index: usize, today: &str, posts: Option<u32>) -> Script {
        let story = &STORIES[index];
        Script::new(story, story.zone.parse().unwrap(), today.parse().unwrap(), posts)
    }

    fn posts(script: &Script) -> Vec<DrawnPost> {
        (0..script.days()).flat_map(|day| script.posts_of(day)).collect()
    }

    #[test]
    fn a_script_is_the_same_on_every_run_and_moves_by_whole_weeks() {
        let (one, again) = (script(1, "2026-11-21", None), script(1, "2026-11-21", None));
        assert_eq!(posts(&one), posts(&again));
        // Twenty weeks later the clocks of New York have changed, and people still post at nine.
        let later = script(1, "2027-04-10", None);
        let local = |script: &Script, post: &DrawnPost| post.published_at.with_timezone(&script.zone).naive_local();
        let shift = chrono::TimeDelta::weeks(20);
        for (post, moved) in posts(&one).into_iter().zip(posts(&later)) {
            assert_eq!(local(&one, &post) + shift, local(&later, &moved));
            assert_eq!((post.body, post.gains, post.launch), (moved.body, moved.gains, moved.launch));
        }
        let counts = |script: &Script| -> Vec<i64> { script.followers(0).map(|(_, followers)| followers).collect() };
        assert_eq!(counts(&one), counts(&later));
    }

    #[test]
    fn a_day_later_a_day_is_added_and_the_others_stay() {
        let (today, tomorrow) = (script(0, "2026-11-20", None), script(0, "2026-11-21", None));
        assert_eq!(tomorrow.days(), today.days() + 1);
        let (before, after) = (posts(&today), posts(&tomorrow));
        assert!(after.len() > before.len());
        for (left, right) in before.iter().zip(&after) {
            assert_eq!((left.id, &left.body), (right.id, &right.body));
            assert_eq!(left.gains[..], right.gains[..left.gains.len()], "what has arrived stays");
        }
    }

    #[test]
    fn a_size_is_exact_and_on_every_day_of_the_week() {
        for (today, size) in [("2026-11-16", 1), ("2026-11-17", 77), ("2026-11-22", 10_000)] {
            let script = script(0, today, Some(size));
            assert_eq!(script.posts(), i64::from(size), "{today}");
            assert_eq!(posts(&script).len(), usize::try_from(size).unwrap());
            assert_eq!(script.last_day().succ_opt().unwrap().to_string(), today, "it ends yesterday");
        }
    }

    #[test]
    fn no_day_is_later_than_what_has_arrived_and_missing_is_not_zero() {
        let script = script(0, "2026-11-21", None);
        for post in posts(&script) {
            let page = &script.story.pages[post.page];
            let last = post.day.iter_days().nth(post.gains.len().saturating_sub(1)).unwrap();
            assert!(post.gains.is_empty() || last + Days::new(u64::from(page.late_days)) <= script.last_day());
            let habits = habits(page.platform);
            for gains in &post.gains {
                assert_eq!(gains.reach.is_some(), habits.reports_reach);
                assert_eq!(gains.impressions.is_some(), habits.reports_impressions);
                assert_eq!(gains.revenue.is_some(), gains.conversions.is_some());
                assert!(gains.cost.is_none() || gains.revenue.is_some(), "what is paid for is sold");
                for count in
                    [gains.reach, gains.impressions, gains.reactions, gains.comments, gains.shares, gains.clicks]
                {
                    assert!(count.is_none_or(|count| count >= 0), "{post:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_spread_over_days_adds_up() {
        let spread = Spread::of(&[3.0, 2.0, 1.0, 0.5]);
        let parts: Vec<i64> = (0..4).map(|part| spread.part(10.9, part)).collect();
        assert_eq!(parts.iter().sum::<i64>(), 10);
        assert!(parts[0] >= parts[3]);
        assert!((0..4).map(|part| spread.share(part)).sum::<f64>() > 0.999_999);
    }
}
