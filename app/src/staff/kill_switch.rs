//! `/staff/switches`: the kill switches of all tenants and the operator's own. The pages are those of a tenant, seen by staff.

use rtv_core::Error;

use super::console::{Page, Section};
use crate::kill_switch::desk::{Desk, Shown, show};
use crate::request::Request;

pub(super) async fn page(request: &Request, below: &[&str], query: &[(String, String)]) -> Result<Page, Error> {
    let Shown { crumbs, body } = show(&Desk::of_staff(&request.context), &below.join("/"), query).await?;
    Ok(Page { section: Section::Switches, crumbs, body })
}
