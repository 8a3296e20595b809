//! All that leaves the building. This is the only crate that connects to other machines, and a test of the workspace holds
//! that: mail is handed to a mail server, and platforms are called through the gate. It knows no table and no rule of RTV:
//! values in, an answer out.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod boot_time;
pub mod gate;
pub mod halt_folder;
pub mod http;
pub mod mail;
mod public_address;
