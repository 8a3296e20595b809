//! Passwords: strength, hashing and checking with argon2id, on a bounded number of threads.
//!
//! A hash takes tens of milliseconds of a core by design, so a flood of sign-ins could starve everything else. Hashes run on
//! half of the cores, a short queue waits for them, and beyond it people are told to try again; the other pages keep their
//! speed. A sign-in takes its permit before it asks the database anything, so a flood holds no more connections than there
//! are permits.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rtv_core::Error;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Fewest characters of a password.
pub const SHORTEST: usize = 12;
/// Most bytes; longer input only costs time.
pub const LONGEST: usize = 1_024;

/// The one place where passwords are hashed and checked.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    pausing: Arc<AtomicUsize>,
    /// Hash of a password that nobody has: an unknown account costs the same work as a known one.
    decoy: Arc<str>,
}

impl Passwords {
    /// Hashes that run at the same time: half of the cores, so that the others stay free for pages.
    pub fn permits() -> usize {
        std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
    }

    /// Sign-ins that may wait for a permit.
    pub const WAITING: usize = 32;
    /// Refusals that may pause at a time: each holds its request in memory.
    const PAUSING: usize = 512;
    /// How long a refusal pauses.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Prepares the decoy, which takes as long as one hash.
    pub fn prepare() -> Result<Self, Error> {
        let decoy = hash_now(b"nobody has this password")?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(Self::permits())),
            waiting: Arc::new(AtomicUsize::new(0)),
            pausing: Arc::new(AtomicUsize::new(0)),
            decoy: decoy.into(),
        })
    }

    /// Waits for the permit to hash. Where too many wait already: [`Error::Limit`], after a while: an answer costs more than a
    /// pause, and who asks again at once would cost the next one.
    pub async fn permit(&self) -> Result<Permit, Error> {
        let Some(_place) = Place::take(&self.waiting, Self::WAITING) else {
            if let Some(_pause) = Place::take(&self.pausing, Self::PAUSING) {
                tokio::time::sleep(Self::PAUSE).await;
            }
            return Err(Error::Limit { message: "Many people are signing in right now.".into(), seconds: 5 });
        };
        self.permits.clone().acquire_owned().await.map(Permit).map_err(|_| Error::Internal)
    }

    /// Checks a password against the stored hash, or against the decoy where there is none. `Some(hash)` beside
    /// `true` is the hash to store instead, made with today's parameters.
    pub async fn check(
        &self,
        _permit: &Permit,
        password: &SecretString,
        stored: Option<String>,
    ) -> Result<(bool, Option<String>), Error> {
        let password = password.clone();
        let (hash, is_known) = match stored {
            Some(hash) => (hash, true),
            None => (self.decoy.to_string(), false),
        };
        run(move || {
            let parsed = PasswordHash::new(&hash).map_err(|error| {
                tracing::error!(%error, "a stored password hash cannot be read");
                Error::Internal
            })?;
            let is_right = engine()?.verify_password(password.expose_secret().as_bytes(), &parsed).is_ok() && is_known;
            let renewed = if is_right && is_outdated(&parsed) {
                Some(hash_now(password.expose_secret().as_bytes())?)
            } else {
                None
            };
            Ok((is_right, renewed))
        })
        .await
    }

    /// Makes the hash of a new password.
    pub async fn hash(&self, password: &SecretString) -> Result<String, Error> {
        let _permit = self.permit().await?;
        let password = password.clone();
        run(move || hash_now(password.expose_secret().as_bytes())).await
    }
}

/// The right to hash, given back when dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

/// A place among so many, given back when dropped: also when the request is cancelled.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(taken: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Place(taken);
        (taken.fetch_add(1, Ordering::SeqCst) < most).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "hashing a password panicked");
        Err(Error::Internal)
    })
}

/// Memory in KiB, passes and lanes. Chosen so that one hash takes 50 to 150 ms on two cores of a small server; the
/// benchmark prints the figure. They are above the second choice of RFC 9106, section 4, scaled to 48 MiB.
const MEMORY_KIB: u32 = 48 * 1_024;
const PASSES: u32 = 3;

fn parameters() -> Result<Params, Error> {
    Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|_| Error::Internal)
}

fn engine() -> Result<Argon2<'static>, Error> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters()?))
}

fn hash_now(password: &[u8]) -> Result<String, Error> {
    engine()?.hash_password(password).map(|hash| hash.to_string()).map_err(|error| {
        tracing::error!(%error, "hashing a password failed");
        Error::Internal
    })
}

fn is_outdated(hash: &PasswordHash) -> bool {
    let today = parameters().ok();
    Params::try_from(hash).ok().map(|params| (params.m_cost(), params.t_cost(), params.p_cost()))
        != today.map(|params| (params.m_cost(), params.t_cost(), params.p_cost()))
}

/// Refuses a password that is too short, too long or easily guessed. `about` are words that an attacker would try
/// first: name and address of the person.
pub fn refuse_weak(password: &SecretString, about: &[&str]) -> Result<(), Error> {
    let text = password.expose_secret();
    if text.chars().count() < SHORTEST {
        return Err(Error::invalid("password", format!("use at least {SHORTEST} characters.")));
    }
    if text.len() > LONGEST {
        return Err(Error::invalid("password", format!("use at most {LONGEST} bytes.")));
    }
    let estimate = zxcvbn::zxcvbn(text, about);
    if estimate.score() < zxcvbn::Score::Three {
        let advice = estimate
            .feedback()
            .and_then(zxcvbn::feedback::Feedback::warning)
            .map(|warning| format!(" {warning}"))
            .unwrap_or_default();
        return Err(Error::invalid(
            "password",
            format!("use one that is harder to guess, such as four unrelated words.{advice}"),
        ));
    }
    Ok(())
}

/// A password for a person whose password nobody typed: 20 characters from 32, about 100 bits.
pub fn generate() -> SecretString {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";
    let text: String =
        rand::random::<[u8; 20]>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_right_password_is_accepted_and_every_other_refused() {
        let passwords = Passwords::prepare().unwrap();
        let right = SecretString::from("granite kettle nine pelicans");
        let stored = passwords.hash(&right).await.unwrap();
        let permit = passwords.permit().await.unwrap();
        assert!(passwords.check(&permit, &right, Some(stored.clone())).await.unwrap().0);
        for wrong in ["granite kettle nine pelican", "", "nobody has this password"] {
            let wrong = SecretString::from(wrong);
            assert!(!passwords.check(&permit, &wrong, Some(stored.clone())).await.unwrap().0);
            assert!(!passwords.check(&permit, &wrong, None).await.unwrap().0, "an unknown account has no password");
        }
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_is_renewed() {
        let passwords = Passwords::prepare().unwrap();
        let right = SecretString::from("granite kettle nine pelicans");
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1_024, 1, 1, None).unwrap());
        let stored = weak.hash_password(right.expose_secret().as_bytes()).unwrap().to_string();
        let permit = passwords.permit().await.unwrap();
        let (is_right, renewed) = passwords.check(&permit, &right, Some(stored)).await.unwrap();
        assert!(is_right);
        let renewed = renewed.expect("outdated parameters are renewed");
        assert_eq!(passwords.check(&permit, &right, Some(renewed)).await.unwrap(), (true, None));
    }

    #[test]
    fn weak_passwords_are_refused_with_advice() {
        for weak in ["short", "password1234", "aaaaaaaaaaaaaaa", "dana.keller1990", &"x".repeat(LONGEST + 1)] {
            assert!(refuse_weak(&SecretString::from(weak.to_owned()), &["dana.keller"]).is_err(), "{weak}");
        }
        assert!(refuse_weak(&SecretString::from("granite kettle nine pelicans"), &[]).is_ok());
        for _ in 0..50 {
            assert!(refuse_weak(&generate(), &[]).is_ok());
        }
    }
}
