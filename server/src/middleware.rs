//! What happens around every request, outermost first: [`observe`] (id, log, metrics), [`shield`] (panics, security
//! headers, origin), [`identify`] (who asks). Sessions are kept by [`session_store`].

pub mod client_address;
pub mod identify;
pub mod observe;
pub mod session_store;
pub mod shield;
