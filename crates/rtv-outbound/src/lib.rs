//! All that leaves the building. This is the only crate that connects to other machines, and a test of the workspace holds
//! that; today it hands mail over to a mail server. It knows no table and no rule of RTV: values in, an answer out.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod mail;
