//! The filters that pages keep in their address: period, comparison, platforms, accounts, campaigns, teams, metric and grain.
//! Parsed at the edge, written back for links; the same words for pages, pictures and the API.

use chrono::NaiveDate;

use crate::error::{Error, FieldError, Result};
use crate::id::{AccountId, CampaignId, TeamId};
use crate::kpi::Kpi;
use crate::period::{Compare, Grain, Period, Range};
use crate::platform::Platform;

/// Posts of no campaign, as written in addresses.
const NO_CAMPAIGN: &str = "none";

/// What the address of a page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageFilter {
    /// Which period.
    pub range: Range,
    /// First and last day, for [`Range::Custom`].
    pub custom: Option<(NaiveDate, NaiveDate)>,
    /// What it is compared with.
    pub compare: Compare,
    /// Platforms; empty means all.
    pub platforms: Vec<Platform>,
    /// Accounts; empty means all.
    pub accounts: Vec<AccountId>,
    /// Campaigns, [`CampaignId::NONE`] for posts of none; empty means everything.
    pub campaigns: Vec<CampaignId>,
    /// Teams: what one of them is responsible for; empty means everything.
    pub teams: Vec<TeamId>,
    /// Metric of the trend.
    pub metric: Option<Kpi>,
    /// Width of the trend's points; `None` fits the period.
    pub grain: Option<Grain>,
}

impl PageFilter {
    /// Reads the pairs of a query string. Unknown names are left alone, so that links from elsewhere may carry more;
    /// wrong values are refused by name, all at once.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = Self::default();
        let mut errors = Vec::new();
        let (mut range, mut from, mut to) = (None, None, None);
        for (name, value) in pairs {
            if value.is_empty() {
                continue;
            }
            match name {
                "range" => range = keep(value.parse::<Range>(), &mut errors).or(range),
                "from" | "to" => match value.parse::<NaiveDate>() {
                    Ok(day) if name == "from" => from = Some(day),
                    Ok(day) => to = Some(day),
                    Err(_) => errors.push(field(name, "use a day like 2026-01-31.")),
                },
                "compare" => filter.compare = keep(value.parse(), &mut errors).unwrap_or_default(),
                "platform" => match value.parse() {
                    Ok(platform) if filter.platforms.contains(&platform) => {}
                    Ok(platform) => filter.platforms.push(platform),
                    Err(message) => errors.push(field(name, format!("{message}."))),
                },
                "account" => match value.parse::<AccountId>() {
                    Ok(account) if filter.accounts.contains(&account) => {}
                    Ok(account) => filter.accounts.push(account),
                    Err(_) => errors.push(field(name, "choose an account from the list.")),
                },
                "campaign" => match if value == NO_CAMPAIGN { Ok(CampaignId::NONE) } else { value.parse() } {
                    Ok(campaign) if filter.campaigns.contains(&campaign) => {}
                    Ok(campaign) => filter.campaigns.push(campaign),
                    Err(_) => errors.push(field(name, "choose a campaign from the list.")),
                },
                "team" => match value.parse::<TeamId>() {
                    Ok(team) if filter.teams.contains(&team) => {}
                    Ok(team) => filter.teams.push(team),
                    Err(_) => errors.push(field(name, "choose a team from the list.")),
                },
                "metric" => filter.metric = keep(value.parse(), &mut errors).or(filter.metric),
                "grain" => filter.grain = keep(value.parse(), &mut errors).or(filter.grain),
                _ => {}
            }
        }
        // Two days alone mean a period of their own; a named range wins over days that an earlier form left behind.
        filter.range = range.unwrap_or(if from.is_some() && to.is_some() { Range::Custom } else { Range::default() });
        if filter.range == Range::Custom && errors.is_empty() {
            match (from, to) {
                (Some(from), Some(to)) => {
                    filter.custom = Some((from, to));
                    keep(Period::new(from, to), &mut errors);
                }
                (None, _) => errors.push(field("from", "give the first day of the period, like 2026-01-01.")),
                (_, None) => errors.push(field("to", "give the last day of the period, like 2026-01-31.")),
            }
        }
        filter.platforms.sort_unstable();
        filter.accounts.sort_unstable();
        filter.campaigns.sort_unstable();
        filter.teams.sort_unstable();
        if errors.is_empty() { Ok(filter) } else { Err(Error::Invalid(errors)) }
    }

    /// Reads what [`Self::to_query`] wrote.
    pub fn from_query(query: &str) -> Result<Self> {
        Self::parse(query.split('&').filter_map(|pair| pair.split_once('=')))
    }

    /// The days that are meant when today is `today` and weeks begin on `week_start` (Monday = 0 to Sunday = 6).
    pub fn period(&self, today: NaiveDate, week_start: u32) -> Result<Period> {
        self.range.period(today, week_start, self.custom)
    }

    /// The filter as a query string without its `?`; defaults are left out, so that equal filters have equal addresses.
    pub fn to_query(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        if self.range != Range::default() {
            pairs.push(("range", self.range.key().into()));
        }
        if let Some((from, to)) = self.custom.filter(|_| self.range == Range::Custom) {
            pairs.push(("from", from.to_string()));
            pairs.push(("to", to.to_string()));
        }
        if self.compare != Compare::default() {
            pairs.push(("compare", self.compare.key().into()));
        }
        pairs.extend(self.platforms.iter().map(|platform| ("platform", platform.key().into())));
        pairs.extend(self.accounts.iter().map(|account| ("account", account.to_string())));
        pairs.extend(self.campaigns.iter().map(|campaign| {
            ("campaign", if *campaign == CampaignId::NONE { NO_CAMPAIGN.into() } else { campaign.to_string() })
        }));
        pairs.extend(self.teams.iter().map(|team| ("team", team.to_string())));
        if let Some(metric) = self.metric {
            pairs.push(("metric", metric.key().into()));
        }
        if let Some(grain) = self.grain {
            pairs.push(("grain", grain.key().into()));
        }
        // Keys, ids and days hold no character that an address would need to escape.
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// The same with the range always, for addresses that mean something else where they say nothing.
    pub fn to_stated_query(&self) -> String {
        let query = self.to_query();
        if self.range != Range::default() {
            return query;
        }
        let range = format!("range={}", self.range.key());
        if query.is_empty() { range } else { format!("{range}&{query}") }
    }

    /// An address with the filter.
    pub fn link(&self, path: &str) -> String {
        let query = self.to_query();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

fn field(name: &str, message: impl Into<String>) -> FieldError {
    FieldError { field: name.into(), message: message.into() }
}

fn keep<T>(parsed: Result<T>, errors: &mut Vec<FieldError>) -> Option<T> {
    match parsed {
        Ok(value) => Some(value),
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_query_says_its_range_also_where_it_is_the_usual_one() {
        let parsed = |query: &str| PageFilter::from_query(query).unwrap();
        for (query, stated) in [
            ("", "range=28d"),
            ("platform=x", "range=28d&platform=x"),
            ("range=last-month&compare=year", "range=last-month&compare=year"),
        ] {
            assert_eq!(parsed(query).to_stated_query(), stated);
            assert_eq!(parsed(stated), parsed(query));
        }
    }

    fn parse(query: &str) -> Result<PageFilter> {
        PageFilter::parse(query.split('&').filter_map(|pair| pair.split_once('=')))
    }

    #[track_caller]
    fn check_round_trip(query: &str) {
        assert_eq!(parse(query).unwrap().to_query(), query);
    }

    #[test]
    fn a_filter_reads_back_what_it_wrote() {
        check_round_trip("");
        check_round_trip("range=90d&compare=year&platform=x&platform=facebook");
        check_round_trip("range=custom&from=2018-01-01&to=2018-01-31&metric=engagements&grain=week");
        check_round_trip("account=acc_0000000000000000000000000000002a&campaign=cmp_0000000000000000000000000000002a");
        check_round_trip("campaign=none");
        check_round_trip("team=team_0000000000000000000000000000002a&team=team_0000000000000000000000000000002b");
    }

    #[track_caller]
    fn check_refused(query: &str, fields: &[&str]) {
        match parse(query) {
            Err(Error::Invalid(errors)) => {
                assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), fields);
            }
            other => panic!("{query}: {other:?}"),
        }
    }

    #[test]
    fn every_wrong_value_is_named_at_once() {
        check_refused(
            "range=3d&compare=x&platform=myspace&metric=likes&grain=hour&account=acc_1&campaign=acc_1&team=acc_1",
            &["range", "compare", "platform", "metric", "grain", "account", "campaign", "team"],
        );
        check_refused("range=custom", &["from"]);
        check_refused("range=custom&from=2018-01-01", &["to"]);
        check_refused("range=custom&from=2018-02-30&to=2018-03-01", &["from"]);
        check_refused("range=custom&from=2018-03-02&to=2018-03-01", &["to"]);
    }

    #[test]
    fn empty_values_and_unknown_names_are_left_alone_and_a_named_range_wins() {
        assert_eq!(parse("from=&to=&utm_source=mail&range=7d").unwrap().range, Range::Last7);
        assert_eq!(parse("from=2018-01-01&to=2018-01-31").unwrap().range, Range::Custom);
        assert_eq!(parse("range=28d&from=2018-01-01&to=2018-01-31").unwrap().range, Range::Last28);
    }
}
