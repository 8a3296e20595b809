//! The sandbox network's clock. It is another network and has its own: no clock of RTV is shifted here.

use chrono::{DateTime, SecondsFormat, Utc};

/// Now.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

/// As the ledger and the answers write a time: RFC 3339 in UTC with microseconds.
pub(crate) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
