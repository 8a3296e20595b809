//! The server as it serves: the router of the program, its middleware and its commands, on a real PostgreSQL. Each test
//! has a database of its own; `test_app` builds the server around it, the other files are named after what they prove.
#![allow(clippy::unwrap_used)]
// A test may build its texts the plain way, and one of them panics on purpose.
#![allow(clippy::format_push_string, clippy::manual_assert)]

mod api;
mod api_permission;
mod architecture;
mod audit;
mod command;
mod content;
mod dashboard;
mod delivery;
mod disabled;
mod full_disk;
mod gate;
mod headers;
mod health;
mod import;
mod import_page;
mod invitation;
mod isolation;
mod kill_switch_api;
mod kill_switch_page;
mod mail;
mod maintenance;
mod password_reset;
mod permission;
mod preference;
mod queries;
mod read_only;
mod report;
mod report_run;
mod sample_data;
mod sandbox;
mod schedule;
mod search;
mod second_factor;
mod settings;
mod sign_in;
mod staff;
mod team;
mod test_app;
mod trouble;
