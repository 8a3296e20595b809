//! The rules of the domain on a real PostgreSQL, reached as the serving role reaches it. Each test has a database of
//! its own; `world` makes the tenants, people and sessions in it, the other files are named after what they prove.
#![allow(clippy::unwrap_used)]

mod access;
mod api_key;
mod audit;
mod competitor;
mod confirmation;
mod daily_metric;
mod delivery;
mod demo;
mod figures;
mod import;
mod import_steps;
mod invitation;
mod isolation;
mod kill_switch;
mod life_cycle;
mod limit;
mod mail;
mod maintenance;
mod mapping;
mod news;
mod password_reset;
mod post_hour;
mod preference;
mod ranking;
mod read_only;
mod report;
mod report_scope;
mod schedule;
mod scorecard;
mod second_factor;
mod session;
mod settings;
mod sign_in;
mod target;
mod team;
mod tenant;
mod user;
mod visit;
mod world;
