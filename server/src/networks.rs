//! The platforms as the domain asks for them when an account is connected.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rtv_core::Platform;
use rtv_domain::account::{Networks, Profile, Trouble};
use rtv_platforms::{Adapters, ReadError};
use secrecy::SecretString;

/// The adapters, asked only whose a token is: that has no side effect and passes no gate.
#[derive(Debug, Clone)]
pub struct Platforms(pub Adapters);

impl Networks for Platforms {
    fn who_am_i<'a>(&'a self, platform: Platform, token: &'a SecretString) -> BoxFuture<'a, Result<Profile, Trouble>> {
        async move {
            let adapter = self.0.of(platform).ok_or(Trouble::Unsupported)?;
            let profile = adapter.who_am_i(token).await.map_err(|error| match error {
                ReadError::Unauthorized { words } => Trouble::Refused(words),
                ReadError::Limited { .. } | ReadError::Unavailable { .. } => Trouble::Unavailable(error.to_string()),
            })?;
            Ok(Profile { remote_id: profile.remote_id, name: profile.handle })
        }
        .boxed()
    }
}
