//! What can be dialled: which faults happen how often, how long what is slow takes, and limits. Which request meets which
//! fault follows from the seed, the account, the content and how often that content came, and not from the order in which
//! requests arrive; so the same run meets the same faults again.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $at:ident, $label:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* #[serde(rename = $key)] $name,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As dials and ledger have it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// What it does, for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            const fn at(self) -> At {
                match self { $(Self::$name => At::$at,)* }
            }
        }
    };
}

/// Which requests a kind of fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// A new post; at most one of these befalls a request.
    Publish,
    /// Any other fault of a post may come along with it.
    Beside,
    /// Reading posts.
    Read,
    /// Asking who one is.
    Me,
}

kinds! {
    /// The post stands, and no byte of an answer comes.
    AcceptDrop = "accept-drop", Publish, "Posts it and drops the reply";
    /// The post stands, and the answer is 500.
    Accept500 = "accept-500", Publish, "Posts it and answers 500";
    /// The post stands only after a while, and then the answer comes.
    AcceptLate = "accept-late", Publish, "Posts it after a while";
    /// The post stands, and the answer says that it is refused as a duplicate.
    AcceptDuplicate = "accept-duplicate", Publish, "Posts it and calls it a duplicate";
    /// The post stands, and the answer breaks off in its body.
    ResetMidBody = "reset-mid-body", Publish, "Posts it and breaks the reply off";
    /// Nothing is posted, and the connection breaks without an answer.
    ResetBefore = "reset-before", Publish, "Breaks the connection, posts nothing";
    /// The post stands at once, and the answer takes a while.
    Slow = "slow", Publish, "Posts it and answers late";
    /// The post stands under another account, and the answer says so.
    WrongAuthor = "wrong-author", Publish, "Posts it under another account";
    /// Nothing is posted; the answer says that the same is there already.
    DuplicateRefused = "duplicate-refused", Publish, "Refuses it as a duplicate";
    /// Nothing is posted; the answer is 429.
    Refuse429 = "refuse-429", Publish, "Answers 429";
    /// Nothing is posted; the answer is 422.
    Refuse4xx = "refuse-4xx", Publish, "Answers 422";
    /// Nothing is posted; the answer is 503.
    Refuse500 = "refuse-500", Publish, "Answers 503, posts nothing";
    /// The post stands and is not shown for a while.
    LaggingReadBack = "lagging-read-back", Beside, "Shows it only after a while";
    /// Posts cannot be read: 500.
    Read500 = "read-500", Read, "Answers 500 to who reads";
    /// Whoever asks who they are is told that they are somebody else.
    WrongMe = "wrong-me", Me, "Takes one account for another";
}

/// So many posts in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Posts.
    pub posts: u32,
    /// Seconds.
    pub seconds: u32,
}

/// All that can be dialled. What is left out has its default: no faults, and 300 posts of an account in a minute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dials {
    /// What the faults follow from.
    pub seed: u64,
    /// How often each kind happens: 0 never, 1 always. Those of a new post may be 1 together.
    pub kinds: BTreeMap<Kind, f64>,
    /// How long `slow` takes, from and to, in milliseconds.
    pub slow_ms: [u64; 2],
    /// How long `accept-late` takes, from and to, in milliseconds.
    pub late_ms: [u64; 2],
    /// How long `lagging-read-back` hides a post, from and to, in milliseconds.
    pub lag_ms: [u64; 2],
    /// The same text of the same account is refused for that many minutes; 0: it is not.
    pub duplicate_minutes: u32,
    /// Most posts of an account; `null`: any number.
    pub rate: Option<Rate>,
    /// Whether a request with a key that came before is answered as it was then. Left alone, what is sent twice is seen twice.
    pub honour_idempotency: bool,
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            seed: 0,
            kinds: BTreeMap::new(),
            slow_ms: [500, 1_500],
            late_ms: [500, 1_500],
            lag_ms: [0, 5_000],
            duplicate_minutes: 0,
            rate: Some(Rate { posts: 300, seconds: 60 }),
            honour_idempotency: false,
        }
    }
}

/// What a request is, as far as its faults follow from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw<'a> {
    pub(crate) account: &'a str,
    pub(crate) content: &'a str,
    pub(crate) times: u64,
}

impl Dials {
    /// Refuses what cannot be meant.
    pub fn check(&self) -> Result<(), String> {
        for (kind, probability) in &self.kinds {
            if !(0.0..=1.0).contains(probability) {
                return Err(format!("kinds.{}: use a number from 0 (never) to 1 (always)", kind.key()));
            }
        }
        let together: f64 =
            self.kinds.iter().filter(|(kind, _)| kind.at() == At::Publish).map(|(_, probability)| probability).sum();
        if together > 1.000_001 {
            return Err(format!("kinds: those of a new post make {together} together; use at most 1"));
        }
        for (name, [from, to]) in [("slow_ms", self.slow_ms), ("late_ms", self.late_ms), ("lag_ms", self.lag_ms)] {
            if from > to || to > 600_000 {
                return Err(format!("{name}: use [from, to] with from ≤ to ≤ 600000"));
            }
        }
        if self.rate.is_some_and(|rate| rate.posts == 0 || rate.seconds == 0) {
            return Err("rate: use at least one post and one second, or null for no limit".to_owned());
        }
        Ok(())
    }

    /// The fault that befalls a new post, if one does.
    pub(crate) fn of_publish(&self, draw: Draw<'_>) -> Option<Kind> {
        let mut left = self.share("publish", draw);
        for (kind, probability) in self.kinds.iter().filter(|(kind, _)| kind.at() == At::Publish) {
            if left < *probability {
                return Some(*kind);
            }
            left -= probability;
        }
        None
    }

    /// For how long a new post is hidden.
    pub(crate) fn lag(&self, draw: Draw<'_>) -> Option<Duration> {
        self.happens(Kind::LaggingReadBack, draw).then(|| self.between("lag", self.lag_ms, draw))
    }

    /// How long the answer takes.
    pub(crate) fn slow(&self, draw: Draw<'_>) -> Duration {
        self.between("slow", self.slow_ms, draw)
    }

    /// How long the post takes.
    pub(crate) fn late(&self, draw: Draw<'_>) -> Duration {
        self.between("late", self.late_ms, draw)
    }

    /// Whether a fault that stands alone happens.
    pub(crate) fn happens(&self, kind: Kind, draw: Draw<'_>) -> bool {
        self.kinds.get(&kind).is_some_and(|probability| self.share(kind.key(), draw) < *probability)
    }

    fn between(&self, what: &str, [from, to]: [u64; 2], draw: Draw<'_>) -> Duration {
        Duration::from_millis(from + self.number(what, draw) % (to - from + 1))
    }

    /// From 0 to less than 1.
    fn share(&self, what: &str, draw: Draw<'_>) -> f64 {
        // 32 bits: exact in a float, and fine enough for any probability.
        f64::from(u32::try_from(self.number(what, draw) >> 32).unwrap_or_default()) / 4_294_967_296.0
    }

    fn number(&self, what: &str, draw: Draw<'_>) -> u64 {
        let mut hash = Sha256::new();
        for part in [what, draw.account, draw.content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.seed.to_be_bytes());
        hash.update(draw.times.to_be_bytes());
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dials(kinds: &[(Kind, f64)]) -> Dials {
        Dials { seed: 7, kinds: kinds.iter().copied().collect(), ..Dials::default() }
    }

    fn draw(content: &str, times: u64) -> Draw<'_> {
        Draw { account: "a1", content, times }
    }

    #[test]
    fn faults_happen_as_often_as_dialled_and_follow_from_the_seed() {
        let dials = dials(&[(Kind::AcceptDrop, 0.2), (Kind::Slow, 0.1), (Kind::LaggingReadBack, 0.5)]);
        let mut counts: BTreeMap<Option<Kind>, u32> = BTreeMap::new();
        let mut lagging = 0;
        for times in 0..10_000 {
            *counts.entry(dials.of_publish(draw("x", times))).or_default() += 1;
            lagging += u32::from(dials.lag(draw("x", times)).is_some());
        }
        assert!((1_800..2_200).contains(&counts[&Some(Kind::AcceptDrop)]), "{counts:?}");
        assert!((850..1_150).contains(&counts[&Some(Kind::Slow)]), "{counts:?}");
        assert!((4_700..5_300).contains(&lagging), "{lagging}");
        let other = Dials { seed: 8, ..dials.clone() };
        let run = |dials: &Dials| (0..100).map(|times| dials.of_publish(draw("y", times))).collect::<Vec<_>>();
        assert_eq!(run(&dials), run(&dials.clone()));
        assert_ne!(run(&dials), run(&other));
    }

    #[test]
    fn a_span_is_kept() {
        let dials = Dials { slow_ms: [10, 12], ..Dials::default() };
        let taken: std::collections::BTreeSet<u128> =
            (0..200).map(|times| dials.slow(draw("x", times)).as_millis()).collect();
        assert!(taken.into_iter().eq([10, 11, 12]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let check = |text: &str, expect: &str| {
            let refusal = match serde_json::from_str::<Dials>(text) {
                Ok(dials) => dials.check().err().unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            assert!(refusal.contains(expect), "{text}: {refusal}");
        };
        check(r#"{"kinds": {"slow": 1.5}}"#, "kinds.slow");
        check(r#"{"kinds": {"slow": -0.1}}"#, "kinds.slow");
        check(r#"{"kinds": {"slow": 0.6, "accept-drop": 0.6}}"#, "at most 1");
        check(r#"{"kinds": {"slov": 0.6}}"#, "slov");
        check(r#"{"slow_ms": [2, 1]}"#, "slow_ms");
        check(r#"{"rate": {"posts": 0, "seconds": 1}}"#, "rate");
        check(r#"{"moon": 1}"#, "moon");
        assert_eq!(serde_json::from_str::<Dials>(r#"{"rate": null, "seed": 3}"#).unwrap().rate, None);
        let all = Dials { kinds: Kind::ALL.iter().map(|kind| (*kind, 0.01)).collect(), ..Dials::default() };
        assert_eq!(serde_json::from_str::<Dials>(&serde_json::to_string(&all).unwrap()).unwrap(), all);
    }
}
