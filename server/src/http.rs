//! Routes that are no pages: forms, pictures, probes.

pub mod audit;
pub mod chart;
pub mod flash;
pub mod gallery;
pub mod health;
pub mod import;
pub mod metrics;
pub mod preference;
pub mod sample_data;
pub mod session;
pub mod sign_in;
pub mod target;
pub mod team;
