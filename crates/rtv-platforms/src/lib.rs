//! One adapter for each platform, behind one trait: it writes the platform's requests and reads its answers, and knows no
//! table and no rule of RTV. What leaves goes through the guarded client of `rtv-outbound`. What a platform takes stands in
//! [`rtv_core::capability`], which forms and validation read too.
//!
//! Every adapter passes the same contract suite (`tests/contract.rs`) against a counterpart that speaks the platform's interface.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod adapter;
pub mod sandbox;

pub use adapter::{
    Adapter, Adapters, Addressee, Deleted, Found, Lookup, Posting, Profile, Published, ReadError, Refusal, RemotePost,
};
pub use rtv_core::capability;
