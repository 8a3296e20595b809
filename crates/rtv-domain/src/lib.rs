//! Every rule of RTV, every permission check, every audit event and every line of SQL.
//!
//! A caller (a page, an API route, a command) makes a [`Context`], names what it wants to do, and gets a typed value
//! or an [`rtv_core::Error`]. Nothing here knows Leptos or axum. `transaction.rs` is the only file that takes a
//! connection from the pool.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod account;
pub mod api_answer;
pub mod api_key;
pub mod audit;
pub mod campaign;
pub mod clock;
pub mod competitor;
pub mod confirmation;
pub mod content;
pub mod context;
pub mod coverage;
pub mod daily_metric;
pub mod database;
pub mod delivery;
pub mod demo;
pub mod effective_access;
pub mod format;
pub mod import;
pub mod invitation;
pub mod kill_switch;
pub mod kpi;
pub mod kpi_daily;
pub mod life_cycle;
pub mod limit;
pub mod logo;
pub mod mail;
pub mod maintenance;
pub mod mapping;
pub mod member;
pub mod news;
pub mod password;
pub mod password_reset;
pub mod post;
pub mod post_hour;
pub mod preference;
pub mod profile;
pub mod ranking;
pub(crate) mod ready;
pub mod report;
pub mod revision;
pub mod role;
pub mod roster;
pub mod sample_data;
pub mod schema;
pub mod scorecard;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod target;
pub mod team;
pub mod tenant;
pub mod token;
pub mod transaction;
pub mod user;
pub mod vault;
pub mod visit;
pub mod zone;

pub use clock::Clock;
pub use context::{Actor, Context, RequestInfo, Tenant, TenantContext};
pub use database::{Database, PoolSettings};
pub use transaction::{Resource, StaffPermission, Tx, WorkKind};
