//! The states of a delivery and [`step`], the only rule of how one follows another. It is pure: what a worker, a person or a
//! platform's answer does to a delivery is decided here and written elsewhere.
//!
//! The promise: what may have reached a platform ([`Standing::may_be_out`]) is never sent again without proof that it is not
//! there, or a person who says so; and what an older attempt reports changes nothing.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::plan::words;

/// Looks that find nothing, spread over the platform's lag, which prove together that a post is not there.
pub const LOOKS_THAT_PROVE: u8 = 3;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $label:literal;)*) => {
        /// Where a delivery stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum State {
            $($(#[$doc])* #[serde(rename = $key)] $name,)*
        }

        impl State {
            /// All of them, in the order in which a delivery passes them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Text form, as stored.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// Words for people.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

states! {
    /// It is being written.
    Draft = "draft", "Draft";
    /// Somebody is to approve it.
    InReview = "in_review", "In review";
    /// It was approved and has no place in the queue yet.
    Approved = "approved", "Approved";
    /// It goes out when its time has come.
    Scheduled = "scheduled", "Scheduled";
    /// A sender has taken it.
    Claimed = "claimed", "About to be sent";
    /// It may be leaving right now.
    Sending = "sending", "Being sent";
    /// The platform has said that it has it.
    Accepted = "accepted", "Accepted";
    /// It was read back from the platform.
    Confirmed = "confirmed", "Published";
    /// It is kept back and nothing of it was lost.
    Held = "held", "Held";
    /// The platform does not want it.
    Rejected = "rejected", "Refused by the platform";
    /// Its time went by.
    Missed = "missed", "Missed";
    /// It may have reached the platform.
    Unknown = "unknown", "Outcome unknown";
    /// Only a person can tell what came of it.
    NeedsPerson = "needs_person", "Needs a person";
    /// Somebody decided that it does not go out.
    Dropped = "dropped", "Dropped";
}

impl State {
    /// Whether a person has to decide before anything else happens.
    pub const fn is_before_a_person(self) -> bool {
        matches!(self, Self::Held | Self::Rejected | Self::Missed | Self::NeedsPerson)
    }

    /// Whether nothing happens to it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Confirmed | Self::Dropped)
    }

    /// Whether it has a place in the queue: it counts as a post of its month.
    pub const fn is_reserved(self) -> bool {
        !matches!(self, Self::Draft | Self::InReview | Self::Approved | Self::Rejected | Self::Dropped)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|state| state.key() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|state| state.key()).collect();
            format!("“{text}” is not a state of a delivery; use one of: {}", known.join(", "))
        })
    }
}

words! {
    /// Why a delivery is kept back.
    HoldReason, "reason":
    /// A kill switch covers it.
    Switch = "switch", "A kill switch stops it";
    /// A file in the halt folder of the sender covers it.
    LocalFile = "local_file", "A local halt file stops it";
    /// The account behind the token, or the author of what came out, is not the approved one.
    WrongAccount = "wrong_account", "It is not the approved account";
    /// What would leave is not what was approved.
    Approval = "approval", "It is not what was approved";
    /// There is no token that works.
    Token = "token", "The account’s connection does not work";
    /// The tenant is in sandbox mode and this is another platform.
    Sandbox = "sandbox", "The organisation is in sandbox mode";
    /// RTV does not publish to this platform.
    Platform = "platform", "RTV cannot publish to this platform";
}

/// What of a delivery decides on what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// Number of its newest attempt; 0 before the first.
    pub attempt: i32,
    /// Whether an attempt may have reached the platform and nothing proves that it did not.
    pub may_be_out: bool,
    /// Looks that prove something and found nothing, since the newest attempt.
    pub absent_looks: u8,
    /// Why it is held, if it is.
    pub hold: Option<HoldReason>,
}

impl Standing {
    /// A new delivery.
    pub const NEW: Self = Self { state: State::Draft, attempt: 0, may_be_out: false, absent_looks: 0, hold: None };
}

/// What happens to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Its author asks for approval.
    Submit,
    /// Somebody approves it as it is.
    Approve,
    /// It gets its place in the queue.
    Schedule,
    /// A reviewer gives it back to its author.
    Return,
    /// Its content, time or account was changed.
    Edit,
    /// A person decides.
    Decide(Decision),
    /// Its time went by.
    Miss,
    /// Something keeps it back before it was taken.
    Hold(HoldReason),
    /// A sender takes it; this begins an attempt.
    Claim,
    /// The sender of that attempt is about to send it.
    Begin {
        /// Number of the attempt.
        attempt: i32,
    },
    /// The sender of that attempt did not begin: it died, or something was in the way.
    Release {
        /// Number of the attempt.
        attempt: i32,
        /// Why it is to be held, if it is.
        hold: Option<HoldReason>,
    },
    /// Surely nothing of that attempt was accepted: no byte left, or the platform told to come later.
    NotSent {
        /// Number of the attempt.
        attempt: i32,
        /// Why it is to be held, if it is.
        hold: Option<HoldReason>,
    },
    /// The platform says that it has it.
    Accepted {
        /// Number of the attempt.
        attempt: i32,
    },
    /// The platform says that it does not want it.
    Refused {
        /// Number of the attempt.
        attempt: i32,
    },
    /// What came of that attempt is not known: a byte left and no usable answer came, or its sender died.
    Lost {
        /// Number of the attempt.
        attempt: i32,
    },
    /// It stands in the platform's list, by the right author.
    Found {
        /// Number of the attempt.
        attempt: i32,
    },
    /// A look that proves something did not find it.
    Missing {
        /// Number of the attempt.
        attempt: i32,
    },
    /// Nothing can be found out within the time that people are promised.
    GiveUp {
        /// Number of the attempt.
        attempt: i32,
    },
    /// It came out under another account.
    Foreign {
        /// Number of the attempt.
        attempt: i32,
    },
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It goes out now. Of what may be out the person says by this that it is not there.
    SendNow,
    /// It goes out at another time; likewise.
    Reschedule,
    /// It is to be approved again; likewise.
    ReturnToApproval,
    /// It does not go out any more, or is left as it is.
    Drop,
    /// It is there: the person has seen it on the platform.
    ItIsThere,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::SendNow, Self::Reschedule, Self::ReturnToApproval, Self::Drop, Self::ItIsThere];

    /// Text form, as in forms and in the API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SendNow => "send_now",
            Self::Reschedule => "reschedule",
            Self::ReturnToApproval => "return_to_approval",
            Self::Drop => "drop",
            Self::ItIsThere => "it_is_there",
        }
    }
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|one| one.key() == text)
            .ok_or_else(|| format!("“{text}” is no decision; use one of: {}", Self::ALL.map(Self::key).join(", ")))
    }
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// A sender has taken the delivery.
    Claimed,
    /// A byte may leave.
    Sending,
    /// The platform said yes.
    Accepted,
    /// It was read back.
    Confirmed,
    /// Nobody knows.
    Unknown,
    /// It is proven, or a person has said, that it is not there.
    Absent,
    /// Nothing of it was accepted.
    NotSent,
    /// The platform said no.
    Rejected,
    /// A person decided to leave it as it is.
    Dropped,
}

impl AttemptState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Claimed,
        Self::Sending,
        Self::Accepted,
        Self::Confirmed,
        Self::Unknown,
        Self::Absent,
        Self::NotSent,
        Self::Rejected,
        Self::Dropped,
    ];

    /// Text form, as stored.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Confirmed => "confirmed",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Dropped => "dropped",
        }
    }

    /// Words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Claimed => "Taken",
            Self::Sending => "Being sent",
            Self::Accepted => "Accepted",
            Self::Confirmed => "Read back",
            Self::Unknown => "Unknown",
            Self::Absent => "Not there",
            Self::NotSent => "Not sent",
            Self::Rejected => "Refused",
            Self::Dropped => "Left as it is",
        }
    }

    /// Whether no other attempt may begin beside it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Claimed | Self::Sending | Self::Accepted | Self::Confirmed | Self::Unknown)
    }
}

impl FromStr for AttemptState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.key() == text)
            .ok_or_else(|| format!("“{text}” is not a state of an attempt"))
    }
}

/// What follows from an event beside the delivery's new standing; it is written in the same transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The attempt of the new standing begins.
    OpenAttempt,
    /// The newest attempt stands there now.
    Attempt(AttemptState),
    /// The approval holds no longer.
    VoidApproval,
    /// Nothing may go out as this account until a person has looked.
    EngageAccountSwitch,
    /// People are told.
    TellPeople,
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// It reports on an attempt that is not the newest.
    #[error("it is about an attempt that is over")]
    Stale,
    /// It does not follow on this state.
    #[error("it does not follow on the state that the delivery is in")]
    Impossible,
    /// It would send what may be out already.
    #[error("it may be out already")]
    MayBeOut,
}

/// A standing and what follows from it.
pub type Step = Result<(Standing, Vec<Effect>), Refused>;

/// What an event makes of a delivery.
pub fn step(now: Standing, event: Event) -> Step {
    match event {
        Event::Submit => from(now, &[State::Draft]).map(|now| to(now, State::InReview)),
        Event::Approve => from(now, &[State::InReview]).map(|now| to(now, State::Approved)),
        Event::Schedule => from(now, &[State::Approved]).map(|now| to(now, State::Scheduled)),
        Event::Return => from(now, &[State::InReview, State::Approved])
            .map(|now| with(to(now, State::Draft), &[Effect::VoidApproval])),
        Event::Edit => edit(now),
        Event::Decide(decision) => decide(now, decision),
        Event::Miss => from(now, &[State::Scheduled]).map(|now| to(now, State::Missed)),
        Event::Hold(reason) => from(now, &[State::Scheduled]).map(|now| held(now, reason)),
        Event::Claim => {
            let now = from(now, &[State::Scheduled])?;
            if now.may_be_out {
                return Err(Refused::MayBeOut);
            }
            let attempt = now.attempt + 1;
            Ok((Standing { state: State::Claimed, attempt, absent_looks: 0, ..now }, vec![Effect::OpenAttempt]))
        }
        Event::Begin { attempt } => {
            let now = of_attempt(now, attempt, &[State::Claimed])?;
            let now = Standing { may_be_out: true, state: State::Sending, ..now };
            Ok((now, vec![Effect::Attempt(AttemptState::Sending)]))
        }
        Event::Release { attempt, hold } => Ok(not_sent(of_attempt(now, attempt, &[State::Claimed])?, hold)),
        Event::NotSent { attempt, hold } => Ok(not_sent(of_attempt(now, attempt, &[State::Sending])?, hold)),
        Event::Accepted { attempt } => {
            let now = of_attempt(now, attempt, &[State::Sending])?;
            Ok(with(to(now, State::Accepted), &[Effect::Attempt(AttemptState::Accepted)]))
        }
        Event::Refused { attempt } => {
            let now = Standing { may_be_out: false, ..of_attempt(now, attempt, &[State::Sending])? };
            Ok(with(to(now, State::Rejected), &[Effect::Attempt(AttemptState::Rejected)]))
        }
        Event::Lost { attempt } => {
            let now = of_attempt(now, attempt, &[State::Sending])?;
            Ok(with(to(now, State::Unknown), &[Effect::Attempt(AttemptState::Unknown)]))
        }
        Event::Found { attempt } => {
            let now = of_attempt(now, attempt, &[State::Unknown, State::Accepted])?;
            Ok(with(to(now, State::Confirmed), &[Effect::Attempt(AttemptState::Confirmed)]))
        }
        Event::Missing { attempt } => Ok(missing(of_attempt(now, attempt, &[State::Unknown, State::Accepted])?)),
        Event::GiveUp { attempt } => {
            let now = of_attempt(now, attempt, &[State::Unknown, State::Accepted])?;
            Ok(with(to(now, State::NeedsPerson), &[Effect::TellPeople]))
        }
        Event::Foreign { attempt } => {
            let now = of_attempt(now, attempt, &[State::Sending, State::Unknown, State::Accepted])?;
            let effects = [Effect::Attempt(AttemptState::Unknown), Effect::EngageAccountSwitch, Effect::TellPeople];
            Ok(with(held(now, HoldReason::WrongAccount), &effects))
        }
    }
}

fn from(now: Standing, states: &[State]) -> Result<Standing, Refused> {
    if states.contains(&now.state) { Ok(now) } else { Err(Refused::Impossible) }
}

/// The fence: only the newest attempt has a say.
fn of_attempt(now: Standing, attempt: i32, states: &[State]) -> Result<Standing, Refused> {
    if now.attempt == attempt { from(now, states) } else { Err(Refused::Stale) }
}

fn to(now: Standing, state: State) -> (Standing, Vec<Effect>) {
    (Standing { state, hold: None, ..now }, Vec::new())
}

fn held(now: Standing, reason: HoldReason) -> (Standing, Vec<Effect>) {
    let effects = if reason == HoldReason::WrongAccount && !now.may_be_out {
        vec![Effect::EngageAccountSwitch, Effect::TellPeople]
    } else {
        Vec::new()
    };
    (Standing { state: State::Held, hold: Some(reason), ..now }, effects)
}

fn with((now, _): (Standing, Vec<Effect>), effects: &[Effect]) -> (Standing, Vec<Effect>) {
    (now, effects.to_vec())
}

fn edit(now: Standing) -> Step {
    let now = from(
        now,
        &[
            State::Draft,
            State::InReview,
            State::Approved,
            State::Scheduled,
            State::Held,
            State::Missed,
            State::Rejected,
        ],
    )?;
    if now.may_be_out {
        return Err(Refused::MayBeOut);
    }
    let state = if now.state == State::Draft { State::Draft } else { State::InReview };
    Ok(with(to(now, state), &[Effect::VoidApproval]))
}

fn not_sent(now: Standing, hold: Option<HoldReason>) -> (Standing, Vec<Effect>) {
    let now = Standing { may_be_out: false, ..now };
    let (now, mut effects) = match hold {
        Some(reason) => held(now, reason),
        None => to(now, State::Scheduled),
    };
    effects.push(Effect::Attempt(AttemptState::NotSent));
    (now, effects)
}

fn missing(now: Standing) -> (Standing, Vec<Effect>) {
    let now = Standing { absent_looks: now.absent_looks.saturating_add(1), ..now };
    if now.absent_looks < LOOKS_THAT_PROVE {
        return (now, Vec::new());
    }
    // The platform has said that it has it: that it does not show it proves nothing.
    if now.state == State::Accepted {
        return with(to(now, State::NeedsPerson), &[Effect::TellPeople]);
    }
    let now = Standing { may_be_out: false, ..now };
    with(to(now, State::Scheduled), &[Effect::Attempt(AttemptState::Absent)])
}

fn decide(now: Standing, decision: Decision) -> Step {
    let now = match decision {
        // What has not left yet can be dropped at any time.
        Decision::Drop => from(
            now,
            &[
                State::Draft,
                State::InReview,
                State::Approved,
                State::Scheduled,
                State::Held,
                State::Rejected,
                State::Missed,
                State::NeedsPerson,
            ],
        )?,
        Decision::ReturnToApproval | Decision::SendNow | Decision::Reschedule => {
            from(now, &[State::Scheduled, State::Held, State::Rejected, State::Missed, State::NeedsPerson])?
        }
        Decision::ItIsThere => from(now, &[State::Held, State::NeedsPerson])?,
    };
    let was_out = now.may_be_out;
    if decision == Decision::ItIsThere {
        return if was_out {
            Ok(with(to(now, State::Confirmed), &[Effect::Attempt(AttemptState::Confirmed)]))
        } else {
            Err(Refused::Impossible)
        };
    }
    let now = Standing { may_be_out: false, ..now };
    let (now, mut effects) = match decision {
        Decision::SendNow | Decision::Reschedule => to(now, State::Scheduled),
        Decision::ReturnToApproval => with(to(now, State::InReview), &[Effect::VoidApproval]),
        Decision::Drop | Decision::ItIsThere => to(now, State::Dropped),
    };
    if was_out {
        let end = if decision == Decision::Drop { AttemptState::Dropped } else { AttemptState::Absent };
        effects.push(Effect::Attempt(end));
    }
    Ok((now, effects))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(state: State) -> Standing {
        let may_be_out =
            matches!(state, State::Sending | State::Accepted | State::Unknown | State::NeedsPerson | State::Confirmed);
        let hold = (state == State::Held).then_some(HoldReason::Switch);
        Standing { state, attempt: 1, may_be_out, absent_looks: 0, hold }
    }

    fn state_after(state: State, event: Event) -> Option<State> {
        step(standing(state), event).ok().map(|(now, _)| now.state)
    }

    #[test]
    fn a_delivery_passes_the_states_of_the_specification() {
        let mut now = Standing::NEW;
        for (event, expect) in [
            (Event::Submit, State::InReview),
            (Event::Approve, State::Approved),
            (Event::Schedule, State::Scheduled),
            (Event::Claim, State::Claimed),
            (Event::Begin { attempt: 1 }, State::Sending),
            (Event::Accepted { attempt: 1 }, State::Accepted),
            (Event::Found { attempt: 1 }, State::Confirmed),
        ] {
            now = step(now, event).unwrap().0;
            assert_eq!(now.state, expect, "{event:?}");
        }
        assert!(now.may_be_out);
    }

    #[test]
    fn what_a_dead_sender_left_is_unknown_and_three_looks_prove_that_it_is_not_there() {
        let mut now = standing(State::Sending);
        now = step(now, Event::Lost { attempt: 1 }).unwrap().0;
        for looks in 1..LOOKS_THAT_PROVE {
            now = step(now, Event::Missing { attempt: 1 }).unwrap().0;
            assert_eq!((now.state, now.absent_looks, now.may_be_out), (State::Unknown, looks, true));
        }
        let (now, effects) = step(now, Event::Missing { attempt: 1 }).unwrap();
        assert_eq!((now.state, now.may_be_out), (State::Scheduled, false));
        assert_eq!(effects, [Effect::Attempt(AttemptState::Absent)]);
        let (again, _) = step(now, Event::Claim).unwrap();
        assert_eq!((again.attempt, again.absent_looks), (2, 0));
    }

    #[test]
    fn what_the_platform_accepted_and_does_not_show_is_for_a_person() {
        let mut now = standing(State::Accepted);
        for _ in 0..LOOKS_THAT_PROVE {
            now = step(now, Event::Missing { attempt: 1 }).unwrap().0;
        }
        assert_eq!((now.state, now.may_be_out), (State::NeedsPerson, true));
    }

    #[test]
    fn what_an_older_attempt_reports_changes_nothing() {
        let now = Standing { attempt: 2, ..standing(State::Sending) };
        for event in [
            Event::NotSent { attempt: 1, hold: None },
            Event::Accepted { attempt: 1 },
            Event::Refused { attempt: 1 },
            Event::Lost { attempt: 1 },
            Event::Found { attempt: 1 },
            Event::Missing { attempt: 1 },
            Event::GiveUp { attempt: 1 },
            Event::Foreign { attempt: 1 },
        ] {
            assert_eq!(step(now, event), Err(Refused::Stale), "{event:?}");
        }
    }

    #[test]
    fn a_result_that_comes_after_the_sweeper_changes_nothing() {
        for event in
            [Event::Accepted { attempt: 1 }, Event::NotSent { attempt: 1, hold: None }, Event::Refused { attempt: 1 }]
        {
            assert_eq!(state_after(State::Unknown, event), None, "{event:?}");
        }
    }

    #[test]
    fn another_account_holds_the_delivery_halts_the_account_and_tells_people() {
        for state in [State::Sending, State::Accepted, State::Unknown] {
            let (now, effects) = step(standing(state), Event::Foreign { attempt: 1 }).unwrap();
            assert_eq!((now.state, now.hold, now.may_be_out), (State::Held, Some(HoldReason::WrongAccount), true));
            assert!(effects.contains(&Effect::EngageAccountSwitch) && effects.contains(&Effect::TellPeople));
        }
        let (now, effects) =
            step(standing(State::Claimed), Event::Release { attempt: 1, hold: Some(HoldReason::WrongAccount) })
                .unwrap();
        assert_eq!((now.state, now.may_be_out), (State::Held, false));
        assert!(effects.contains(&Effect::EngageAccountSwitch) && effects.contains(&Effect::TellPeople));
    }

    #[test]
    fn an_edit_voids_the_approval_and_what_may_be_out_cannot_be_edited() {
        for state in [State::Approved, State::Scheduled, State::Held, State::Missed, State::Rejected, State::InReview] {
            let (now, effects) = step(standing(state), Event::Edit).unwrap();
            assert_eq!((now.state, effects), (State::InReview, vec![Effect::VoidApproval]), "{state}");
        }
        for state in [State::Claimed, State::Sending, State::Accepted, State::Unknown, State::Confirmed] {
            assert_eq!(state_after(state, Event::Edit), None, "{state}");
        }
        let held = Standing { may_be_out: true, ..standing(State::Held) };
        assert_eq!(step(held, Event::Edit), Err(Refused::MayBeOut));
    }

    #[test]
    fn a_person_decides_over_what_waits_for_one() {
        let check = |state, decision, expect| {
            assert_eq!(state_after(state, Event::Decide(decision)), expect, "{state} {decision:?}");
        };
        for state in [State::Held, State::Missed, State::Rejected, State::NeedsPerson] {
            check(state, Decision::SendNow, Some(State::Scheduled));
            check(state, Decision::Reschedule, Some(State::Scheduled));
            check(state, Decision::ReturnToApproval, Some(State::InReview));
            check(state, Decision::Drop, Some(State::Dropped));
        }
        check(State::NeedsPerson, Decision::ItIsThere, Some(State::Confirmed));
        check(State::Held, Decision::ItIsThere, None);
        for state in [State::Claimed, State::Sending, State::Accepted, State::Unknown, State::Confirmed, State::Dropped]
        {
            for decision in Decision::ALL {
                check(state, decision, None);
            }
        }
    }

    #[test]
    fn words_read_back_what_they_wrote() {
        for state in State::ALL {
            assert_eq!(state.key().parse(), Ok(*state));
        }
        for reason in HoldReason::ALL {
            assert_eq!(reason.key().parse(), Ok(*reason));
        }
        for decision in Decision::ALL {
            assert_eq!(decision.key().parse(), Ok(decision));
        }
        for state in AttemptState::ALL {
            assert_eq!(state.key().parse(), Ok(state));
        }
        assert!("moon".parse::<State>().is_err());
    }
}
