//! The composition root: configuration, routes, middleware, commands and jobs are put together here, and no rule of the
//! product lives here. A library beside the binary, so that tests drive the very router that serves.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod audit_key;
pub mod cli;
pub mod config;
pub mod http;
pub mod jobs;
pub mod key_file;
pub mod middleware;
pub mod networks;
pub mod press;
pub mod router;
pub mod serve;
pub mod state;
