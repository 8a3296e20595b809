-- What `rtv demo` writes is marked row by row, so that it can go without touching anything else, and accounts tell how
-- far their daily figures reach.

alter table tenant
  -- Made by the demo: it may be filled again as long as nothing real is in it.
  add column is_sample boolean not null default false,
  -- Last day of the sample data that is in it, and how many posts were drawn; null while there is none.
  add column sample_until date,
  add column sample_posts bigint,
  add constraint tenant_sample_is_whole check ((sample_until is null) = (sample_posts is null)),
  add constraint tenant_sample_is_marked check (is_sample or sample_until is null);

-- Everybody knows the password of these people: a production server refuses to sign them in.
alter table app_user add column is_sample boolean not null default false;

alter table account
  add column is_sample boolean not null default false,
  -- Last day for which daily gains have arrived, and when the last ones were stored.
  add column figures_until date,
  add column measured_at timestamptz;
alter table campaign add column is_sample boolean not null default false;
-- A post of the sample that a real import has changed is real from then on: its import_id says so.
alter table post add column is_sample boolean not null default false;
alter table post_daily add column is_sample boolean not null default false;
alter table account_daily add column is_sample boolean not null default false;

-- How many posts (basis 'period': posts on days) have scored engagements; sentiment_count counts what was scored, which
-- is the same only for totals. The owner is bound by forced row security too, and sees no tenant's rows.
alter table kpi_daily add column sentiment_posts bigint not null default 0;
alter table kpi_daily no force row level security;
update kpi_daily set sentiment_posts = sentiment_count;
alter table kpi_daily force row level security;
alter table kpi_daily alter column sentiment_posts drop default;
