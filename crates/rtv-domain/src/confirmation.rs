//! Freshness: acts that are dangerous in the hands of somebody who found an open browser ask for the password or a code
//! once more when the last proof is older than five minutes.
//!
//! An act calls [`Context::require_fresh`] before it changes anything. A caller that gets [`Error::NotFresh`] leads the
//! person to `/me/confirm` and back.

use chrono::TimeDelta;
use rtv_core::Error;
use secrecy::{ExposeSecret as _, SecretString};

use crate::context::{Actor, Context};
use crate::password::Passwords;
use crate::second_factor;
use crate::sign_in::{self, Verified};
use crate::vault::Vault;

/// How long a proof counts as fresh.
pub const FRESH: TimeDelta = TimeDelta::minutes(5);

impl Context {
    /// The guard of dangerous acts: passes whoever gave a password or a code within the last five minutes, and the
    /// operator at the command line, who has proved who they are to the machine.
    pub fn require_fresh(&self) -> Result<(), Error> {
        match self.actor() {
            Actor::Operator(_) => Ok(()),
            Actor::Person(person) => {
                let is_fresh = person.proved_at.is_some_and(|at| self.now() < at + FRESH);
                if is_fresh { Ok(()) } else { Err(Error::NotFresh) }
            }
            Actor::Anonymous => Err(Error::SignedOut),
            // A key proves that somebody has the key. What is dangerous takes a person.
            Actor::ApiKey(_) | Actor::System(_) => Err(Error::NotFresh),
        }
    }
}

/// What a person gives to confirm that it is them: the password, or a code.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// The password; empty where a code is given.
    pub password: SecretString,
    /// A code of the app, or a recovery code.
    pub code: String,
}

/// Checks the proof. [`sign_in::complete`] then gives the person a new session, which is fresh.
pub async fn confirm(ctx: &Context, passwords: &Passwords, vault: &Vault, proof: &Proof) -> Result<Verified, Error> {
    let person = ctx.person().ok_or(Error::SignedOut)?;
    if !proof.code.trim().is_empty() && person.has_second_factor {
        return second_factor::check_own(ctx, vault, &proof.code, "user.confirm").await;
    }
    if proof.password.expose_secret().is_empty() {
        let what = if person.has_second_factor { "Enter your password, or a code." } else { "Enter your password." };
        return Err(Error::invalid("password", what));
    }
    sign_in::check_own(ctx, passwords, &proof.password, "user.confirm")
        .await?
        .ok_or_else(|| Error::invalid("password", "This is not your password. Check it and try again."))
}
