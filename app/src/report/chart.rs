//! The chart of a report's table in the tenant's words and colour: the same for pages, pictures and files.

use rtv_charts::{ReportChart, Words};
use rtv_core::report::{ChartKind, Table};
use rtv_domain::Tenant;
use rtv_domain::format::Format;

/// What is drawn of a table, and what there was no room for.
pub fn chart(tenant: &Tenant, title: &str, kind: ChartKind, table: &Table) -> ReportChart {
    let format = Format::of(tenant);
    let cell = |kind, cell: &_| Some(format.cell(kind, cell));
    let words = Words {
        numbers: crate::dashboard::number_style(tenant),
        brand: tenant.brand,
        cell: Some(&cell),
        ..Words::english(title, &tenant.currency)
    };
    ReportChart::of(kind, table, &words)
}
