//! The rules of the domain on a real PostgreSQL, reached as the serving role reaches it. Each test has a database of
//! its own; `world` makes the tenants, people and sessions in it, the other files are named after what they prove.
#![allow(clippy::unwrap_used)]

mod access;
mod daily_metric;
mod demo;
mod figures;
mod import;
mod isolation;
mod session;
mod sign_in;
mod tenant;
mod user;
mod world;
