//! The pages of RTV and the server functions that feed them. A page is a file; its server functions are in `api.rs` in
//! the folder of the same name, and hold no rule: they make a context, call the domain once and shape the answer.
#![cfg_attr(test, allow(clippy::unwrap_used))]
// Fires on components behind private modules, which the router reaches by their function.
#![allow(unreachable_pub)]
// Components name their properties; a doc comment on the page says what it is.
#![allow(missing_docs)]

pub mod account;
pub mod announce;
#[cfg(feature = "ssr")]
pub mod api_docs;
pub mod api_key;
#[cfg(feature = "hydrate")]
mod arrival;
pub mod audit;
pub mod brand;
pub mod competitor;
pub mod confirmation;
pub mod content;
pub mod dashboard;
pub mod delivery;
pub mod error;
#[cfg(feature = "ssr")]
pub mod gallery;
pub mod help;
pub mod home;
pub mod import;
pub mod invitation;
pub mod keyboard;
pub mod kill_switch;
#[cfg(feature = "ssr")]
pub mod limit;
pub mod maintenance;
pub mod not_found;
pub mod page;
pub mod palette;
pub mod password_reset;
pub mod post;
pub mod preference;
pub mod profile;
#[cfg(feature = "ssr")]
mod publish;
#[cfg(feature = "hydrate")]
mod recent;
pub mod report;
#[cfg(feature = "ssr")]
pub mod request;
pub mod routes;
pub mod search;
pub mod second_factor;
pub mod session;
pub mod settings;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod sign_in;
pub mod staff;
pub mod target;
pub mod team;
