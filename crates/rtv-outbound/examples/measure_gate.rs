//! Measures one check of the gate with many engaged switches: what passes, and so looks at the folder of local halts too; and
//! what a switch stops before. `measure_gate [SWITCHES] [CHECKS]`. Fails where p99 of either reaches 1 µs.
//!
//! For a tenth of a second after something in the folder has changed, each check reads the folder itself. That is shown apart.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use rtv_core::{Action, Operation, Platform, Scope};
use rtv_outbound::boot_time::BootTime;
use rtv_outbound::gate::{EngagedSwitch, Gate, SwitchCopy};
use rtv_outbound::halt_folder::HaltFolder;
use uuid::Uuid;

/// Numbers that look random and are the same with every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.next() % of.len() as u64).unwrap_or_default()]
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().unwrap_or(0));
    let switches = arguments.next().unwrap_or(10_000);
    let checks = arguments.next().unwrap_or(1_000_000).max(1_000);
    let home = std::env::temp_dir().join(format!("measure-gate-{}", std::process::id()));
    let folder = match HaltFolder::open(home.join("halt.d")) {
        Ok(folder) => folder,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let gate = Gate::new(folder);
    let is_quick = measure(&gate, switches, checks);
    // Only what this program made itself.
    let _ = std::fs::remove_dir_all(&home);
    if is_quick { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn measure(gate: &Gate, switches: usize, checks: usize) -> bool {
    let mut numbers = Numbers(7);
    let tenants: Vec<Uuid> = (0..1_000).map(|_| numbers.id()).collect();
    let engaged: Vec<EngagedSwitch> = (0..switches)
        .map(|number| {
            let tenant = numbers.pick(&tenants).into();
            let scope = match number % 4 {
                0 => Scope::Account { tenant, account: numbers.id().into() },
                1 => Scope::Campaign { tenant, campaign: numbers.id().into() },
                2 => Scope::Part {
                    tenant: Some(tenant),
                    platform: Some(numbers.pick(&Platform::ALL[..6])),
                    action: Some(numbers.pick(&Action::ALL)),
                },
                _ => Scope::Part { tenant: Some(numbers.id().into()), platform: None, action: None },
            };
            EngagedSwitch { id: numbers.id().into(), scope }
        })
        .collect();
    let operations: Vec<Operation> = (0..4_096)
        .map(|_| Operation {
            tenant: numbers.pick(&tenants).into(),
            platform: Platform::Sandbox,
            action: Action::Publish,
            account: numbers.id().into(),
            campaign: Some(numbers.id().into()),
        })
        .collect();
    let stopped: Vec<Operation> = engaged
        .iter()
        .filter_map(|one| match one.scope {
            Scope::Account { tenant, account } => Some(Operation { tenant, account, ..operations[0] }),
            _ => None,
        })
        .collect();
    gate.install(SwitchCopy { epoch: 1, engaged });
    println!("one check with {switches} engaged switches, {checks} times:");
    let passing = Case { what: "passes", operations: &operations, is_stopped: false };
    let stopped = Case { what: "is stopped", operations: &stopped, is_stopped: true };
    report(gate, &Case { what: "passes, right after a change in the folder", ..passing }, 1_000);
    // Longer than the folder counts as changed; the check after that is the last one that reads it.
    std::thread::sleep(Duration::from_millis(150));
    gate.renew(BootTime::now());
    assert!(gate.check(&operations[0]).is_ok());
    let slowest = report(gate, &passing, checks);
    let slowest = if stopped.operations.is_empty() { slowest } else { slowest.max(report(gate, &stopped, checks)) };
    slowest < 1_000
}

/// What is measured under one name.
struct Case<'a> {
    what: &'a str,
    operations: &'a [Operation],
    is_stopped: bool,
}

/// Prints the times in nanoseconds and gives p99. What reading the clock takes is in them.
fn report(gate: &Gate, case: &Case<'_>, checks: usize) -> u128 {
    let mut times = Vec::with_capacity(checks);
    for operation in case.operations.iter().cycle().take(checks) {
        if times.len() % 10_000 == 0 {
            gate.renew(BootTime::now());
        }
        let started = Instant::now();
        let outcome = gate.check(operation);
        times.push(started.elapsed().as_nanos());
        assert_eq!(outcome.is_err(), case.is_stopped, "{outcome:?}");
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1_000];
    println!("  {}: p50 {} ns, p99 {} ns, p99.9 {} ns, max {} ns", case.what, at(500), at(990), at(999), at(1_000));
    at(990)
}
