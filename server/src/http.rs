//! Routes that are no pages: forms, pictures, probes.

pub mod api;
pub mod api_key;
pub mod audit;
pub mod chart;
pub mod confirmation;
pub mod download;
pub mod flash;
pub mod form;
pub mod gallery;
pub mod health;
pub mod import;
pub mod invitation;
pub mod metrics;
pub mod password_reset;
pub mod preference;
pub mod profile;
pub mod sample_data;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod staff;
pub mod target;
pub mod team;
