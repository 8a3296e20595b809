//! The design system: components that take values and show them. Nothing here loads, saves, or knows a
//! server function; a page does that and hands the words and figures in. The look lies in `style/`, whose
//! classes these components name (`c-` component, `l-` layout, `u-` utility). No component writes a `style`
//! attribute, because the content security policy forbids it, and each works before and without scripts.

// The component macro repeats each function inside a hidden one, which the lint takes for unreachable.
#![allow(unreachable_pub)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod button;
mod card;
mod chart;
mod feedback;
mod field;
mod file_field;
mod icon;
mod kpi;
mod page;
mod progress;
mod radio;
mod shell;
mod steps;
mod table;
mod tally;
mod words;

pub use button::{Button, ButtonKind, LinkButton, SegmentLink, Segments, Variant};
pub use card::{Card, Definition, DefinitionList};
pub use chart::{ChartFrame, Picture};
pub use feedback::{Badge, EmptyState, ErrorSummary, Flash, Notice, Skeleton, SkeletonShape, Tone};
pub use field::{Checkbox, CheckboxGroup, CheckboxOption, Field, FilterBar, SelectField, SelectOption};
pub use file_field::FileField;
pub use icon::{Icon, IconName};
pub use kpi::{Direction, Judgement, KpiCard, KpiChange, KpiGrid, SparkPath};
pub use page::{AuthLayout, BareLayout, ErrorPage, PageHeader, ProductMark};
pub use progress::Progress;
pub use radio::{RadioGroup, RadioOption};
pub use shell::{Crumb, Frame, NavGroup, NavItem, Shell, TenantLink, TenantList};
pub use steps::{Step, StepState, Steps};
pub use table::{Pager, SortHeader, SortOrder, Table};
pub use tally::{Tally, TallyList};
pub use words::Words;
