//! The one gate through which side effects on platforms leave. Immediately before the first byte of a request it asks: is
//! the copy of the engaged switches young enough to be trusted (the lease), does a switch of it cover the operation, does a
//! local file? Check and first write are one step under a read lock, and a new copy is installed under the write lock; so
//! when [`Gate::install`] returns, nothing that was checked against the older copy still waits to be written.
//!
//! Whoever keeps the gate reads the switches, installs them, says in the database which epoch that was, and only then
//! renews the lease from the moment *before* the reading. Without a lease nothing passes. Nothing here is shared with
//! feature flags, on purpose.

use core::fmt;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rtv_core::fault::{self, Fault};
use rtv_core::{AccountId, Action, CampaignId, Operation, Platform, Scope, SwitchId, TenantId};

use crate::boot_time::BootTime;
use crate::halt_folder::{Found, HaltFolder, LocalFile};

/// How long a copy of the switches is trusted, from the moment before it was read.
pub const LEASE: Duration = Duration::from_secs(2);

/// An engaged switch, as far as the gate needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngagedSwitch {
    /// Its id.
    pub id: SwitchId,
    /// What it stops.
    pub scope: Scope,
}

/// All engaged switches as one statement saw them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SwitchCopy {
    /// The epoch of everything in that statement.
    pub epoch: i64,
    /// The engaged switches, all of them.
    pub engaged: Vec<EngagedSwitch>,
}

/// Why an operation was not let through. Nothing of it has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The switches were not read within the lease, so nobody knows what is engaged.
    NoLease,
    /// A switch covers it.
    Switch {
        /// The switch.
        id: SwitchId,
        /// What it stops.
        scope: Scope,
    },
    /// A local file covers it.
    LocalFile {
        /// Its name in the folder.
        name: String,
        /// What it stops.
        scope: Scope,
    },
    /// A local file cannot be understood, which stops everything.
    BrokenLocalFile {
        /// Its name in the folder.
        name: String,
        /// Why not.
        why: String,
    },
    /// The folder of local files cannot be trusted, which stops everything.
    LocalFolder {
        /// Why not.
        why: String,
    },
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLease => {
                f.write_str("the kill switches could not be read in the last two seconds, so nothing is sent")
            }
            Self::Switch { id, .. } => write!(f, "the kill switch {id} stops it"),
            Self::LocalFile { name, .. } => write!(f, "the local file {name} stops it"),
            Self::BrokenLocalFile { name, why } => {
                write!(f, "the local file {name} stops everything, because {why}")
            }
            Self::LocalFolder { why } => write!(f, "the folder of local halts cannot be trusted: {why}"),
        }
    }
}

/// That an operation was let through, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// Epoch of the copy that it was checked against.
    pub epoch: i64,
    /// When the check was.
    pub checked_at: BootTime,
    /// When the lease that the check relied on ends.
    lease_until: BootTime,
}

impl Pass {
    /// Whether the lease that the check relied on had ended at that time: the process was frozen between check and write.
    pub(crate) fn had_lapsed(&self, at: BootTime) -> bool {
        at >= self.lease_until
    }
}

/// What was noticed after the write: switches moved, or the lease ended, while the request was on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// Epoch of the check.
    pub checked_epoch: i64,
    /// Epoch when the call had ended.
    pub epoch: i64,
    /// Whether the gate would stop the operation now.
    pub is_stopped: bool,
    /// Whether the lease had ended when bytes were written.
    pub has_lapsed: bool,
    /// Bytes that left after this process knew of another epoch or had no lease any more. Where it is 0 the whole request
    /// left before, and whether that was before the switch was engaged tells the time of the first byte.
    pub bytes_after: u64,
}

/// The right to have one side effect: made from the row that was committed for this attempt, and used up by being handed
/// over. It cannot be copied.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    operation: Operation,
    attempt: i32,
    epoch: i64,
    issued: BootTime,
}

impl Permit {
    /// How long a permit is good for: who holds it longer was frozen, and may no longer be who is to send.
    pub const LIFETIME: Duration = Duration::from_millis(500);

    /// The permit of an attempt: its number, the epoch of its row, and the moment before its row was committed.
    pub const fn new(operation: Operation, attempt: i32, epoch: i64, issued: BootTime) -> Self {
        Self { operation, attempt, epoch, issued }
    }

    /// What it permits.
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The number of the attempt.
    pub const fn attempt(&self) -> i32 {
        self.attempt
    }

    /// The epoch of the attempt's row.
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Uses it up for that operation.
    pub(crate) fn use_up(self, operation: &Operation) -> Result<Operation, PermitRefused> {
        if self.operation != *operation {
            return Err(PermitRefused::OtherOperation);
        }
        let age = BootTime::now().since(self.issued);
        if age > Self::LIFETIME && !fault::is(Fault::PermitForever) {
            return Err(PermitRefused::TooOld { age });
        }
        Ok(self.operation)
    }
}

/// Why a permit does not permit. Nothing has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermitRefused {
    /// It is for something else.
    OtherOperation,
    /// It was held too long.
    TooOld {
        /// Its age.
        age: Duration,
    },
}

impl fmt::Display for PermitRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherOperation => f.write_str("the permit is for another operation"),
            Self::TooOld { age } => {
                write!(f, "the permit is {} ms old and good for {} ms", age.as_millis(), Permit::LIFETIME.as_millis())
            }
        }
    }
}

/// The gate of this process. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    switches: RwLock<Index>,
    /// Epoch of the installed copy; [`NOTHING_INSTALLED`] before the first.
    epoch: AtomicI64,
    /// End of the lease in nanoseconds since the start of the machine; 0: none was ever given, or it was given up.
    lease_until: AtomicU64,
    folder: HaltFolder,
}

const NOTHING_INSTALLED: i64 = i64::MIN;

impl Gate {
    /// A closed gate: nothing passes before switches are installed and the lease is renewed.
    pub fn new(folder: HaltFolder) -> Self {
        Self(Arc::new(Inner {
            switches: RwLock::default(),
            epoch: AtomicI64::new(NOTHING_INSTALLED),
            lease_until: AtomicU64::new(0),
            folder,
        }))
    }

    /// Replaces the copy of the switches. When it returns, every first write that was checked against an older copy has
    /// ended. It does not renew the lease.
    pub fn install(&self, copy: SwitchCopy) {
        // Made before the lock is taken: first writes wait for nothing but the exchange.
        let index = Index::new(&copy.engaged);
        let old = {
            let mut switches = self.0.switches.write().unwrap_or_else(PoisonError::into_inner);
            self.0.epoch.store(copy.epoch, Ordering::SeqCst);
            core::mem::replace(&mut *switches, index)
        };
        drop(old);
    }

    /// Renews the lease: the installed copy may be trusted until [`LEASE`] after that moment, which is the one *before* it
    /// was read. A lease never becomes shorter by this, and nothing is renewed before something was installed.
    pub fn renew(&self, read_at: BootTime) {
        if self.0.epoch.load(Ordering::SeqCst) == NOTHING_INSTALLED {
            return;
        }
        self.0.folder.look_again();
        let until = read_at.min(BootTime::now()).plus(LEASE);
        self.0.lease_until.fetch_max(until.nanoseconds(), Ordering::SeqCst);
    }

    /// Ends the lease at once, as a process does before it stops: when it returns, no first byte leaves any more.
    pub fn close(&self) {
        let _switches = self.0.switches.write().unwrap_or_else(PoisonError::into_inner);
        self.0.lease_until.store(0, Ordering::SeqCst);
    }

    /// Epoch of the installed copy.
    pub fn epoch(&self) -> Option<i64> {
        Some(self.0.epoch.load(Ordering::SeqCst)).filter(|epoch| *epoch != NOTHING_INSTALLED)
    }

    /// For how long the lease holds; `None`: there is none.
    pub fn lease_left(&self) -> Option<Duration> {
        let (now, until) = (BootTime::now(), self.lease_until());
        (now < until).then(|| until.since(now))
    }

    /// How old what the gate goes by is: the time since the reading that renewed the lease last. `None`: there was none, or
    /// the lease was given up.
    pub fn lease_age(&self) -> Option<Duration> {
        let until = self.lease_until();
        (until > BootTime::START).then(|| BootTime::now().since(until.minus(LEASE)))
    }

    /// The files that stop something here, read afresh; or why the folder cannot be trusted, which stops everything.
    pub fn local_files(&self) -> Result<Vec<LocalFile>, String> {
        self.0.folder.list()
    }

    /// The folder of local halts.
    pub fn folder(&self) -> &HaltFolder {
        &self.0.folder
    }

    /// Whether the operation would pass now. What is to be sent is checked again by [`Gate::first_write`].
    pub fn check(&self, operation: &Operation) -> Result<Pass, Stopped> {
        self.first_write(operation, || ()).map(|(pass, ())| pass)
    }

    /// Checks and writes in one step: no copy is installed between the two. The write must not wait for anything.
    pub fn first_write<T>(&self, operation: &Operation, write: impl FnOnce() -> T) -> Result<(Pass, T), Stopped> {
        let switches = self.0.switches.read().unwrap_or_else(PoisonError::into_inner);
        let pass = self.judge(&switches, operation)?;
        Ok((pass, write()))
    }

    fn judge(&self, switches: &Index, operation: &Operation) -> Result<Pass, Stopped> {
        let lease_until = self.lease_until();
        let checked_at = BootTime::now();
        let pass = Pass { epoch: self.0.epoch.load(Ordering::SeqCst), checked_at, lease_until };
        match self.stops(switches, operation, &pass) {
            Some(_) if fault::is(Fault::GateUnchecked) => Ok(pass),
            Some(stopped) => Err(stopped),
            None => Ok(pass),
        }
    }

    fn stops(&self, switches: &Index, operation: &Operation, pass: &Pass) -> Option<Stopped> {
        if pass.lease_until == BootTime::START {
            return Some(Stopped::NoLease);
        }
        if pass.had_lapsed(pass.checked_at) && !fault::is(Fault::LeaseForever) {
            return Some(Stopped::NoLease);
        }
        if let Some(EngagedSwitch { id, scope }) = switches.find(operation) {
            return Some(Stopped::Switch { id, scope });
        }
        let found = self.0.folder.check(operation)?;
        if fault::is(Fault::LocalFilesIgnored) {
            return None;
        }
        Some(match found {
            Found::File { name, scope } => Stopped::LocalFile { name, scope },
            Found::Broken { name, why } => Stopped::BrokenLocalFile { name, why },
            Found::Folder { why } => Stopped::LocalFolder { why },
        })
    }

    fn lease_until(&self) -> BootTime {
        BootTime::from_nanoseconds(self.0.lease_until.load(Ordering::SeqCst))
    }

    /// Whether bytes that leave now leave late: after another copy was installed, or without a lease.
    pub(crate) fn is_late(&self, pass: &Pass, at: BootTime) -> bool {
        self.0.epoch.load(Ordering::SeqCst) != pass.epoch || at >= self.lease_until()
    }

    /// What is to be told about a call that has ended.
    pub(crate) fn late(&self, operation: &Operation, pass: &Pass, bytes_after: u64, has_lapsed: bool) -> Option<Late> {
        let epoch = self.0.epoch.load(Ordering::SeqCst);
        if (epoch == pass.epoch && bytes_after == 0 && !has_lapsed) || fault::is(Fault::LateEgressUnrecorded) {
            return None;
        }
        let is_stopped = self.check(operation).is_err();
        Some(Late { checked_epoch: pass.epoch, epoch, is_stopped, has_lapsed, bytes_after })
    }
}

/// The switches of one tenant, or those of all tenants, by platform and action. The last row and column stand for all.
type Grid = [[Option<SwitchId>; Action::ALL.len() + 1]; Platform::ALL.len() + 1];

/// The engaged switches in the order in which an operation asks for them: four places of two grids, and three look-ups by
/// hash, however many switches there are.
#[derive(Debug, Default)]
struct Index {
    everything: Option<SwitchId>,
    all_tenants: Grid,
    tenants: HashMap<TenantId, Box<Grid>>,
    accounts: HashMap<(TenantId, AccountId), SwitchId>,
    campaigns: HashMap<(TenantId, CampaignId), SwitchId>,
}

impl Index {
    fn new(engaged: &[EngagedSwitch]) -> Self {
        let mut index = Self::default();
        for EngagedSwitch { id, scope } in engaged {
            match *scope {
                Scope::Everything => _ = index.everything.get_or_insert(*id),
                Scope::Part { tenant, platform, action } => {
                    let grid = match tenant {
                        None => &mut index.all_tenants,
                        Some(tenant) => index.tenants.entry(tenant).or_default(),
                    };
                    grid[row(platform)][column(action)].get_or_insert(*id);
                }
                Scope::Account { tenant, account } => _ = index.accounts.entry((tenant, account)).or_insert(*id),
                Scope::Campaign { tenant, campaign } => {
                    index.campaigns.entry((tenant, campaign)).or_insert(*id);
                }
                Scope::Drill => {}
            }
        }
        let has_narrow = !(index.accounts.is_empty() && index.campaigns.is_empty());
        if has_narrow && fault::is(Fault::AccountScopeIgnored) {
            index.accounts.clear();
            index.campaigns.clear();
        }
        index
    }

    /// A switch that covers the operation; of several the widest.
    fn find(&self, operation: &Operation) -> Option<EngagedSwitch> {
        let Operation { tenant, platform, action, account, campaign } = *operation;
        let found = |id: SwitchId, scope: Scope| Some(EngagedSwitch { id, scope });
        if let Some(id) = self.everything {
            return found(id, Scope::Everything);
        }
        // Cleaning up is stopped by a switch that names it, and by no other.
        let cleans_up = action.is_cleanup();
        let actions = [(!cleans_up).then_some(None), Some(Some(action))];
        let of_tenant = self.tenants.get(&tenant).map(|grid| (Some(tenant), &**grid));
        for (tenant, grid) in [(None, &self.all_tenants)].into_iter().chain(of_tenant) {
            for platform in [None, Some(platform)] {
                for action in actions.into_iter().flatten() {
                    if let Some(id) = grid[row(platform)][column(action)] {
                        return found(id, Scope::Part { tenant, platform, action });
                    }
                }
            }
        }
        if cleans_up {
            return None;
        }
        if let Some(id) = self.accounts.get(&(tenant, account)) {
            return found(*id, Scope::Account { tenant, account });
        }
        let campaign = campaign?;
        self.campaigns.get(&(tenant, campaign)).and_then(|id| found(*id, Scope::Campaign { tenant, campaign }))
    }
}

const fn row(platform: Option<Platform>) -> usize {
    match platform {
        None => Platform::ALL.len(),
        Some(platform) => platform as usize,
    }
}

const fn column(action: Option<Action>) -> usize {
    match action {
        None => Action::ALL.len(),
        Some(action) => action as usize,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use proptest::prelude::*;
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;
    use crate::halt_folder::LocalHalt;

    fn gate() -> (TempDir, Gate) {
        let home = tempfile::tempdir().unwrap();
        let gate = Gate::new(HaltFolder::open(home.path().join("halt.d")).unwrap());
        (home, gate)
    }

    fn open_gate(engaged: &[Scope]) -> (TempDir, Gate) {
        let (home, gate) = gate();
        gate.install(copy(1, engaged));
        gate.renew(BootTime::now());
        (home, gate)
    }

    fn copy(epoch: i64, engaged: &[Scope]) -> SwitchCopy {
        let engaged = engaged.iter().enumerate();
        let engaged =
            engaged.map(|(at, scope)| EngagedSwitch { id: Uuid::from_u128(at as u128).into(), scope: *scope });
        SwitchCopy { epoch, engaged: engaged.collect() }
    }

    fn operation(action: Action) -> Operation {
        Operation {
            tenant: Uuid::from_u128(1).into(),
            platform: Platform::Sandbox,
            action,
            account: Uuid::from_u128(2).into(),
            campaign: Some(Uuid::from_u128(3).into()),
        }
    }

    fn is_open(gate: &Gate) -> bool {
        gate.check(&operation(Action::Publish)).is_ok()
    }

    fn local(scope: Scope) -> LocalHalt {
        LocalHalt { scope, reason: rtv_core::ReasonKind::Crisis, note: String::new(), by: "op@host".into(), at: None }
    }

    #[test]
    fn without_a_lease_nothing_passes() {
        let (_home, gate) = gate();
        let stopped = |gate: &Gate| gate.check(&operation(Action::Publish)).unwrap_err();
        assert_eq!(stopped(&gate), Stopped::NoLease);
        // A renewal says nothing while no switches were ever read.
        gate.renew(BootTime::now());
        assert_eq!(stopped(&gate), Stopped::NoLease);
        assert_eq!((gate.epoch(), gate.lease_left(), gate.lease_age()), (None, None, None));
        // And a copy says nothing before it is acknowledged.
        gate.install(copy(4, &[]));
        assert_eq!(stopped(&gate), Stopped::NoLease);
        gate.renew(BootTime::now());
        assert_eq!(gate.check(&operation(Action::Publish)).unwrap().epoch, 4);
        assert!(gate.lease_left().unwrap() <= LEASE && gate.lease_age().unwrap() < LEASE);
        gate.close();
        assert_eq!(stopped(&gate), Stopped::NoLease);
    }

    #[test]
    fn a_lease_counts_from_the_moment_before_the_reading_and_ends_by_itself() {
        let (_home, gate) = gate();
        gate.install(copy(1, &[]));
        let read_at = BootTime::now().minus(LEASE).plus(Duration::from_millis(60));
        gate.renew(read_at);
        assert!(is_open(&gate));
        std::thread::sleep(Duration::from_millis(70));
        assert!(!is_open(&gate), "it lapses {LEASE:?} after the reading began");
        // A reading that is older than the lease renews nothing, and one from the future counts from now.
        gate.renew(read_at);
        assert!(!is_open(&gate));
        gate.renew(BootTime::now().plus(Duration::from_hours(1)));
        assert!(is_open(&gate) && gate.lease_left().unwrap() <= LEASE);
        gate.renew(read_at);
        assert!(is_open(&gate), "an older reading does not shorten a lease");
    }

    #[test]
    fn installing_waits_for_a_first_write_that_has_begun() {
        let (_home, gate) = open_gate(&[]);
        let (begun, wait_for_begin) = mpsc::channel();
        let writer = std::thread::spawn({
            let gate = gate.clone();
            move || {
                let written = gate.first_write(&operation(Action::Publish), || {
                    begun.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(150));
                    Instant::now()
                });
                written.unwrap()
            }
        });
        wait_for_begin.recv().unwrap();
        gate.install(copy(2, &[Scope::GLOBAL]));
        let installed_at = Instant::now();
        let (pass, written_at) = writer.join().unwrap();
        assert!(installed_at >= written_at, "what was checked against the older copy had left");
        assert_eq!(pass.epoch, 1);
        assert!(gate.is_late(&pass, BootTime::now()));
        let late = gate.late(&operation(Action::Publish), &pass, 0, false).unwrap();
        assert_eq!((late.checked_epoch, late.epoch, late.is_stopped), (1, 2, true));
        assert!(!is_open(&gate));
    }

    #[test]
    fn closing_waits_for_a_first_write_too() {
        let (_home, gate) = open_gate(&[]);
        let (begun, wait_for_begin) = mpsc::channel();
        let writer = std::thread::spawn({
            let gate = gate.clone();
            move || {
                gate.first_write(&operation(Action::Publish), || {
                    begun.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(100));
                    Instant::now()
                })
            }
        });
        wait_for_begin.recv().unwrap();
        gate.close();
        let closed_at = Instant::now();
        assert!(closed_at >= writer.join().unwrap().unwrap().1);
    }

    #[test]
    fn what_is_stopped_is_never_written() {
        let (_home, gate) = open_gate(&[Scope::GLOBAL]);
        let stopped =
            gate.first_write(&operation(Action::Publish), || unreachable!("it is stopped")).map(|_: (Pass, ())| ());
        assert!(matches!(stopped, Err(Stopped::Switch { scope: Scope::GLOBAL, .. })), "{stopped:?}");
        // Cleaning up goes on.
        assert!(gate.check(&operation(Action::Delete)).is_ok());
        gate.install(copy(2, &[Scope::Everything]));
        assert!(gate.check(&operation(Action::Delete)).is_err());
        gate.install(copy(3, &[Scope::Drill]));
        assert!(is_open(&gate));
    }

    #[test]
    fn a_local_file_stops_with_the_next_check_and_until_it_is_gone() {
        let (home, gate) = open_gate(&[]);
        let folder = home.path().join("halt.d");
        assert!(is_open(&gate));
        // Within one tick of the file system's clock: written, removed and written again.
        for _ in 0..50 {
            let name = gate.folder().write(&local(Scope::GLOBAL)).unwrap();
            let stopped = gate.check(&operation(Action::Publish)).unwrap_err();
            assert_eq!(stopped, Stopped::LocalFile { name: name.clone(), scope: Scope::GLOBAL });
            assert!(gate.check(&operation(Action::Delete)).is_ok());
            std::fs::remove_file(folder.join(name)).unwrap();
            assert!(is_open(&gate));
        }
        // And the same when nothing has changed for a while.
        std::thread::sleep(Duration::from_millis(250));
        gate.renew(BootTime::now());
        assert!(is_open(&gate) && is_open(&gate));
        let name = gate.folder().write(&local(Scope::GLOBAL)).unwrap();
        assert!(!is_open(&gate));
        std::thread::sleep(Duration::from_millis(250));
        gate.renew(BootTime::now());
        assert!(!is_open(&gate) && !is_open(&gate));
        // An edit in place is a change of the file, not of the folder.
        std::fs::write(folder.join(&name), r#"{"scope": {"part": {"platform": "x"}}}"#).unwrap();
        assert!(is_open(&gate));
        std::fs::write(folder.join(&name), r#"{"scope": {"part": {"platform": "sandbox"}}}"#).unwrap();
        assert!(!is_open(&gate));
    }

    #[test]
    fn a_permit_is_good_for_its_operation_and_a_short_time() {
        let publish = operation(Action::Publish);
        let permit = |issued| Permit::new(publish, 1, 7, issued);
        assert_eq!(permit(BootTime::now()).use_up(&publish), Ok(publish));
        assert_eq!(permit(BootTime::now()).use_up(&operation(Action::Reply)), Err(PermitRefused::OtherOperation));
        let other = Operation { account: Uuid::from_u128(9).into(), ..publish };
        assert_eq!(permit(BootTime::now()).use_up(&other), Err(PermitRefused::OtherOperation));
        let old = permit(BootTime::now().minus(Permit::LIFETIME + Duration::from_millis(1)));
        assert!(matches!(old.use_up(&publish), Err(PermitRefused::TooOld { .. })));
    }

    fn any_scope() -> impl Strategy<Value = Scope> {
        // Few ids, so that scopes and operations meet.
        let id = || (1_u128..4).prop_map(Uuid::from_u128);
        let platform = || proptest::sample::select(Platform::ALL.to_vec());
        let action = || proptest::sample::select(Action::ALL.to_vec());
        let maybe = proptest::option::of::<BoxedStrategy<Uuid>>;
        prop_oneof![
            1 => Just(Scope::Everything),
            1 => Just(Scope::Drill),
            20 => (maybe(id().boxed()), proptest::option::of(platform()), proptest::option::of(action())).prop_map(
                |(tenant, platform, action)| Scope::Part { tenant: tenant.map(TenantId::from), platform, action }
            ),
            10 => (id(), id()).prop_map(|(tenant, account)| Scope::Account { tenant: tenant.into(), account: account.into() }),
            10 => (id(), id())
                .prop_map(|(tenant, campaign)| Scope::Campaign { tenant: tenant.into(), campaign: campaign.into() }),
        ]
    }

    fn any_operation() -> impl Strategy<Value = Operation> {
        let id = || (1_u128..4).prop_map(Uuid::from_u128);
        let platform = proptest::sample::select(Platform::ALL.to_vec());
        let action = proptest::sample::select(Action::ALL.to_vec());
        (id(), platform, action, id(), proptest::option::of(id())).prop_map(
            |(tenant, platform, action, account, campaign)| Operation {
                tenant: tenant.into(),
                platform,
                action,
                account: account.into(),
                campaign: campaign.map(CampaignId::from),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The hashed check says what asking every switch would say, and names one that really covers it.
        #[test]
        fn the_index_stops_exactly_what_a_switch_covers(
            engaged in proptest::collection::vec(any_scope(), 0..12),
            operations in proptest::collection::vec(any_operation(), 1..20),
        ) {
            let engaged = copy(1, &engaged).engaged;
            let index = Index::new(&engaged);
            for operation in operations {
                let found = index.find(&operation);
                prop_assert_eq!(found.is_some(), engaged.iter().any(|one| one.scope.covers(&operation)));
                if let Some(found) = found {
                    prop_assert!(engaged.contains(&found) && found.scope.covers(&operation));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Whatever happened before, a write happens exactly where lease, switches and files let it.
        #[test]
        fn nothing_is_written_that_anything_stops(
            steps in proptest::collection::vec((0_u8..6, any_scope(), any_operation()), 1..40),
        ) {
            let (home, gate) = gate();
            let folder = home.path().join("halt.d");
            let (mut has_copy, mut has_lease, mut engaged) = (false, false, Vec::new());
            let mut files: Vec<(String, Option<Scope>)> = Vec::new();
            for (number, (step, scope, operation)) in steps.into_iter().enumerate() {
                match step {
                    0 => {
                        engaged.push(scope);
                        gate.install(copy(number.try_into().unwrap(), &engaged));
                        has_copy = true;
                    }
                    1 => {
                        engaged.clear();
                        gate.install(copy(number.try_into().unwrap(), &engaged));
                        has_copy = true;
                    }
                    2 => {
                        gate.renew(BootTime::now());
                        has_lease |= has_copy;
                    }
                    3 if number % 5 == 0 => {
                        gate.close();
                        has_lease = false;
                    }
                    4 if number % 3 == 0 => files.push((gate.folder().write(&local(scope)).unwrap(), Some(scope))),
                    4 if number % 7 == 0 => {
                        std::fs::write(folder.join("broken"), "").unwrap();
                        files.push(("broken".to_owned(), None));
                    }
                    5 => {
                        for (name, _) in files.drain(..) {
                            _ = std::fs::remove_file(folder.join(name));
                        }
                    }
                    _ => {}
                }
                if has_lease {
                    gate.renew(BootTime::now());
                }
                let is_stopped = !has_lease
                    || engaged.iter().any(|scope| scope.covers(&operation))
                    || files.iter().any(|(_, scope)| scope.is_none_or(|scope| scope.covers(&operation)));
                let mut is_written = false;
                let outcome = gate.first_write(&operation, || is_written = true);
                prop_assert_eq!(is_written, !is_stopped);
                prop_assert_eq!(outcome.is_ok(), is_written);
            }
        }
    }
}
