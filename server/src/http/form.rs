//! What the routes of forms have in common: who asks, what the form holds, and the tenant that it is about.

use axum::extract::Extension;
use rtv_core::Error;
use rtv_domain::{TenantContext, access};

/// Who asks.
pub type Asked = Extension<app::request::Request>;

/// The fields of a form in the order of the page. A name may repeat.
pub type Pairs = Vec<(String, String)>;

/// The first value of a field; empty where there is none.
pub fn value(pairs: &[(String, String)], name: &str) -> String {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// All values of a field that may repeat.
pub fn values(pairs: &[(String, String)], name: &str) -> Vec<String> {
    pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
}

/// An id of an address. Not an id, so nothing: as one that does not exist.
pub fn id<T: core::str::FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

/// Enters the tenant of an address.
pub async fn enter(asked: &app::request::Request, tenant: &str) -> Result<TenantContext, Error> {
    access::enter(&asked.context, tenant).await
}
