//! Faults that are planted on purpose: points at which the process dies, and bugs whose harm a torture run must see. A run
//! that passes with a planted bug proves nothing, so each of these must make one fail.
//!
//! One fault is planted for the whole process, once, at its start. A release build has no faults: [`is`] is false there
//! whatever was asked, and [`plant`] refuses.

use core::fmt;
use core::str::FromStr;

#[cfg(debug_assertions)]
use core::sync::atomic::{AtomicU32, Ordering};
#[cfg(debug_assertions)]
use std::sync::OnceLock;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $key:literal, $kind:ident;)*) => {
        /// One fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault {
            $($(#[doc = $doc])* $name,)*
        }

        impl Fault {
            /// All of them: first the points of a crash in the order in which a delivery passes them, then the bugs.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Text form, as `RTV_FAULT` has it.
            pub const fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// What it does, as a sentence.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),*).trim_ascii(),)* }
            }

            /// Whether the process dies there; otherwise it is a bug.
            pub const fn is_crash(self) -> bool {
                match self { $(Self::$name => faults!(@is_crash $kind),)* }
            }
        }
    };
    (@is_crash crash) => { true };
    (@is_crash bug) => { false };
}

faults! {
    /// Dies when deliveries are claimed and the claim is not committed.
    InClaim = "in-claim", crash;
    /// Dies when the claim is committed and nothing else.
    AfterClaim = "after-claim", crash;
    /// Dies when the intent to send is written and not committed.
    InIntent = "in-intent", crash;
    /// Dies when the intent is committed and nothing was sent.
    AfterIntent = "after-intent", crash;
    /// Dies when the connection to the platform stands and no byte has left.
    BeforeFirstByte = "before-first-byte", crash;
    /// Dies when a part of the request has left.
    AfterFirstByte = "after-first-byte", crash;
    /// Dies when the whole request has left and no reply was read.
    AfterLastByte = "after-last-byte", crash;
    /// Dies when the reply was read and nothing of it is written.
    AfterReply = "after-reply", crash;
    /// Dies when the result is written and not committed.
    InResult = "in-result", crash;
    /// Dies when the result is committed and nothing was read back.
    AfterResult = "after-result", crash;
    /// Dies when the platform was asked what it has and the answer is not written.
    AfterReadBack = "after-read-back", crash;
    /// Dies when it is proven that nothing came out and that is not committed.
    InAbsent = "in-absent", crash;
    /// Dies when the confirmation is written and not committed.
    InConfirm = "in-confirm", crash;
    /// Dies when the confirmation is committed and the delivery is no post yet.
    AfterConfirm = "after-confirm", crash;

    /// The gate lets everything through: no switch, no lease and no file stops a first byte.
    GateUnchecked = "gate-unchecked", bug;
    /// The gate's lease counts from the end of the reading of switches and the renewal of the row, not from their start.
    LeaseFromReply = "lease-from-reply", bug;
    /// A lease that was once given does not end.
    LeaseForever = "lease-forever", bug;
    /// A sender acknowledges an epoch before its gate has the switches of it.
    AcknowledgeEarly = "acknowledge-early", bug;
    /// The gate does not look at the local files.
    LocalFilesIgnored = "local-files-ignored", bug;
    /// The gate's copy leaves out the switches of single accounts and campaigns.
    AccountScopeIgnored = "account-scope-ignored", bug;
    /// Bytes that left while the epoch moved are not recorded.
    LateEgressUnrecorded = "late-egress-unrecorded", bug;
    /// A permit may be used however old it is.
    PermitForever = "permit-forever", bug;
    /// The switches are read only when a notification comes.
    PollSkipped = "poll-skipped", bug;
    /// An answer of 5xx is taken for one that says that nothing was accepted.
    ServerErrorDefinite = "server-error-definite", bug;
    /// A connection that breaks after the first byte is taken for one that never stood.
    ResetDefinite = "reset-definite", bug;
    /// A call that gets no answer is made a second time by the client.
    HiddenRetry = "hidden-retry", bug;
    /// A call of which no reply came is taken for one that never left.
    UnknownToScheduled = "unknown-to-scheduled", bug;
    /// What may have come out is never looked for.
    UnknownForgotten = "unknown-forgotten", bug;
    /// Deliveries of suspended tenants go out.
    SuspendedIgnored = "suspended-ignored", bug;
    /// What a dead sender was sending is sent again.
    DeadSenderToScheduled = "dead-sender-to-scheduled", bug;
    /// A result is written whatever the delivery has become since.
    ResultUnfenced = "result-unfenced", bug;
    /// Deliveries are claimed without a lock and without looking whether they are still to be claimed.
    ClaimUnlocked = "claim-unlocked", bug;
    /// A result that could not be written makes the delivery be sent again.
    LostResultToScheduled = "lost-result-to-scheduled", bug;
    /// The first byte leaves before the intent to send is committed.
    IntentAfterSend = "intent-after-send", bug;
    /// The text is not compared with what was approved.
    HashUncompared = "hash-uncompared", bug;
    /// The account behind the token is not compared with the approved one.
    AccountUncompared = "account-uncompared", bug;
    /// The author of what was accepted and read back is not compared with the approved account.
    AuthorUncompared = "author-uncompared", bug;
    /// Rate limits are not reserved.
    RateUnreserved = "rate-unreserved", bug;
    /// One look that finds nothing is taken for proof of absence.
    AbsentAtOnce = "absent-at-once", bug;
    /// Releasing a switch sends what became overdue without anybody's plan.
    ReleaseWithoutPlan = "release-without-plan", bug;
    /// What is more than 15 minutes late goes out all the same.
    MissedSentLate = "missed-sent-late", bug;
    /// What the claim finds covered by a switch is dropped instead of held.
    HeldLost = "held-lost", bug;
    /// A delivery that nothing was read back of is said to be confirmed.
    ConfirmedUnread = "confirmed-unread", bug;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.key() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|fault| fault.key()).collect();
            format!("“{text}” is not a fault; use one of: {}", known.join(", "))
        })
    }
}

/// A fault to plant and, for a crash, at which passing of its point the process dies: `in-claim`, `in-claim:3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// What.
    pub fault: Fault,
    /// The first passing is 1.
    pub passing: u32,
}

impl FromStr for Planted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, passing) = text.split_once(':').unwrap_or((text, "1"));
        let fault: Fault = key.parse()?;
        let passing = passing.parse().ok().filter(|passing| *passing >= 1).ok_or_else(|| {
            format!("“{passing}” is not a passing; write {key}:3 for the third time that the point is passed")
        })?;
        if passing > 1 && !fault.is_crash() {
            return Err(format!("{fault} is a bug and there from the start; only a crash has a passing"));
        }
        Ok(Self { fault, passing })
    }
}

#[cfg(debug_assertions)]
static PLANTED: OnceLock<Option<Planted>> = OnceLock::new();
#[cfg(debug_assertions)]
static PASSED: AtomicU32 = AtomicU32::new(0);

/// Plants a fault, or none, for as long as the process runs. A second call is refused, and so is any fault in a release build.
pub fn plant(fault: Option<Planted>) -> Result<(), String> {
    #[cfg(debug_assertions)]
    {
        PLANTED.set(fault).map_err(|_| "a fault is planted once, at the start of the process".to_owned())
    }
    #[cfg(not(debug_assertions))]
    match fault {
        None => Ok(()),
        Some(planted) => Err(format!("this is a release build, in which {} cannot be planted", planted.fault)),
    }
}

/// Whether that fault is planted. The first time that it is, the process says so on standard error, so that a run knows
/// that the bug did something. False in a release build, known when it is compiled.
#[cfg(debug_assertions)]
pub fn is(fault: Fault) -> bool {
    let is_planted = is_planted(fault);
    if is_planted && PASSED.fetch_add(1, Ordering::Relaxed) == 0 {
        eprintln!("fault: {fault}");
    }
    is_planted
}

/// Whether that fault is planted. False in a release build, known when it is compiled.
#[cfg(not(debug_assertions))]
pub const fn is(_fault: Fault) -> bool {
    false
}

/// Whether that fault is planted, for what only prepares its point. False in a release build, known when it is compiled.
#[cfg(debug_assertions)]
pub fn is_planted(fault: Fault) -> bool {
    PLANTED.get().copied().flatten().is_some_and(|planted| planted.fault == fault)
}

/// Whether that fault is planted, for what only prepares its point. False in a release build, known when it is compiled.
#[cfg(not(debug_assertions))]
pub const fn is_planted(_fault: Fault) -> bool {
    false
}

/// Dies, without unwinding, where that crash is planted and this is its passing; its name is the last word.
#[cfg(debug_assertions)]
pub fn crash_here(fault: Fault) {
    if let Some(planted) = PLANTED.get().copied().flatten()
        && planted.fault == fault
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == planted.passing
    {
        eprintln!("fault: {fault}");
        std::process::abort();
    }
}

/// Dies, without unwinding, where that crash is planted and this is its passing; its name is the last word.
#[cfg(not(debug_assertions))]
pub const fn crash_here(_fault: Fault) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fourteen_points_of_a_crash_and_at_least_fifteen_bugs() {
        let crashes = Fault::ALL.iter().filter(|fault| fault.is_crash()).count();
        assert_eq!(crashes, 14);
        assert!(Fault::ALL.len() - crashes >= 15);
        assert!(Fault::ALL.iter().all(|fault| fault.description().ends_with('.')));
    }

    #[test]
    fn a_fault_is_read_as_it_is_written() {
        for fault in Fault::ALL {
            assert_eq!(fault.key().parse(), Ok(*fault));
        }
        let planted = |fault, passing| Ok(Planted { fault, passing });
        assert_eq!("in-claim".parse::<Planted>(), planted(Fault::InClaim, 1));
        assert_eq!("in-claim:3".parse::<Planted>(), planted(Fault::InClaim, 3));
        for wrong in ["", "moon", "in-claim:", "in-claim:0", "in-claim:x", "gate-unchecked:2"] {
            assert!(wrong.parse::<Planted>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn nothing_is_planted_by_itself() {
        assert!(Fault::ALL.iter().all(|fault| !is(*fault) && !is_planted(*fault)));
        crash_here(Fault::InClaim);
    }
}
