//! The design system: components that take values and show them. Nothing here loads, saves, or knows a
//! server function; a page does that and hands the words and figures in. The look lies in `style/`, whose
//! classes these components name (`c-` component, `l-` layout, `u-` utility). No component writes a `style`
//! attribute, because the content security policy forbids it, and each works before and without scripts.

// The component macro repeats each function inside a hidden one, which the lint takes for unreachable.
#![allow(unreachable_pub)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod banner;
mod button;
mod card;
mod chart;
mod confirm;
mod diff;
mod disclosure;
mod feedback;
mod field;
mod file_field;
mod icon;
mod kpi;
mod matrix;
mod menu;
mod page;
mod palette;
mod progress;
mod radio;
mod shell;
mod steps;
mod switch_state;
mod table;
mod tabs;
mod tally;
mod target;
mod words;

pub use banner::{BannerFact, HaltBanner};
pub use button::{Button, ButtonKind, LinkButton, SegmentLink, Segments, Variant};
pub use card::{Card, Definition, DefinitionList};
pub use chart::{ChartFrame, Picture};
pub use confirm::{ConfirmPage, TypedName};
pub use diff::{Diff, FieldChange};
pub use disclosure::Disclosure;
pub use feedback::{
    Badge, EmptyState, ErrorState, ErrorSummary, Flash, Notice, Skeleton, SkeletonShape, Toast, Toasts, Tone,
};
pub use field::{
    Checkbox, CheckboxGroup, CheckboxList, CheckboxOption, Field, FilterBar, SelectField, SelectOption, TextArea,
};
pub use file_field::FileField;
pub use icon::{Icon, IconName};
pub use kpi::{Direction, Judgement, KpiCard, KpiChange, KpiDelta, KpiGrid, Sparkline};
pub use matrix::{Matrix, MatrixCell, MatrixMark, MatrixRow};
pub use menu::{Choice, ChoiceForm, ChoiceOption, TenantLink, TenantList};
pub use page::{AuthLayout, BareLayout, ErrorPage, PageHeader, ProductMark};
pub use palette::{KeyDialog, KeyGroup, KeyList, Palette, PaletteGroup, PaletteItem, ResultList};
pub use progress::Progress;
pub use radio::{RadioGroup, RadioOption};
pub use shell::{Crumb, Frame, NavGroup, NavItem, Shell};
pub use steps::{Step, StepState, Steps};
pub use switch_state::{SwitchBadge, SwitchState};
pub use table::{Pager, RowLink, SortHeader, SortOrder, Table};
pub use tabs::{TabLink, Tabs};
pub use tally::{Tally, TallyList};
pub use target::TargetBar;
pub use words::Words;
