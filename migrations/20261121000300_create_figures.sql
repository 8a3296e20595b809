-- Accounts, campaigns, posts, what was measured, the daily roll-ups, and imports.
--
-- Counts are bigint and null where the platform does not report them: missing is not zero.

create table account (
  tenant_id uuid not null,
  id uuid not null,
  platform text not null,
  -- The platform's own id of the page or handle.
  external_id text not null,
  name text not null,
  -- 'period': daily figures arrive for it; 'lifetime': only totals to date of each post.
  basis text not null default 'lifetime',
  created_by_import uuid,
  created_at timestamptz not null default now(),
  constraint account_key primary key (tenant_id, id),
  constraint account_external_unique unique (tenant_id, platform, external_id),
  constraint account_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint account_basis check (basis in ('period', 'lifetime')),
  constraint account_external_id_length check (length(external_id) between 1 and 255),
  constraint account_name_length check (length(name) between 1 and 255)
);

create table campaign (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  starts_on date,
  ends_on date,
  -- In the tenant's currency.
  budget numeric(18, 2),
  created_by_import uuid,
  created_at timestamptz not null default now(),
  constraint campaign_key primary key (tenant_id, id),
  constraint campaign_name_unique unique (tenant_id, name),
  constraint campaign_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint campaign_days check (ends_on >= starts_on),
  constraint campaign_name_length check (length(name) between 1 and 255)
);

create table import (
  tenant_id uuid not null,
  id uuid not null,
  file_name text not null,
  file_sha256 bytea not null,
  file_bytes bigint not null,
  mapping text not null,
  time_zone text,
  duplicate_rule text not null,
  state text not null,
  rows_read bigint not null,
  rows_new bigint not null,
  rows_changed bigint not null,
  rows_unchanged bigint not null,
  rows_duplicate bigint not null,
  rows_refused bigint not null,
  -- Sentences: what the file lacks, how it was read.
  notes jsonb not null,
  actor_label text not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  rolled_back_at timestamptz,
  constraint import_key primary key (tenant_id, id),
  constraint import_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint import_state check (state in ('done', 'rolled_back')),
  constraint import_duplicate_rule check (duplicate_rule in ('first', 'last', 'refuse'))
);
create index import_by_time on import (tenant_id, started_at desc, id desc);

create table post (
  tenant_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  campaign_id uuid,
  -- The platform's own id, or a digest of the row where a file has no ids.
  external_id text not null,
  kind text,
  body text,
  -- Null where only the month is known.
  published_at timestamptz,
  -- First and last day, in the tenant's zone, on which it may have been published; equal where the day is known.
  published_from date not null,
  published_to date not null,
  reach bigint,
  impressions bigint,
  reactions bigint,
  comments bigint,
  shares bigint,
  clicks bigint,
  -- Sum of those of the four above that are known; null when none is.
  engagements bigint generated always as (
    case when coalesce(reactions, comments, shares, clicks) is null then null
    else coalesce(reactions, 0) + coalesce(comments, 0) + coalesce(shares, 0) + coalesce(clicks, 0) end
  ) stored,
  conversions bigint,
  revenue numeric(18, 2),
  cost numeric(18, 2),
  sentiment double precision,
  content_digest bytea not null,
  -- The import that wrote it last; only that one may be rolled back.
  import_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint post_key primary key (tenant_id, id),
  constraint post_external_unique unique (tenant_id, account_id, external_id),
  constraint post_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint post_campaign foreign key (tenant_id, campaign_id) references campaign (tenant_id, id),
  constraint post_import foreign key (tenant_id, import_id) references import (tenant_id, id),
  constraint post_published_days check (published_to >= published_from)
);
create index post_by_day on post (tenant_id, published_from desc, id desc);
create index post_by_import on post (tenant_id, import_id) where import_id is not null;

-- What one post gained on one day.
create table post_daily (
  tenant_id uuid not null,
  post_id uuid not null,
  day date not null,
  reach bigint,
  impressions bigint,
  reactions bigint,
  comments bigint,
  shares bigint,
  clicks bigint,
  engagements bigint generated always as (
    case when coalesce(reactions, comments, shares, clicks) is null then null
    else coalesce(reactions, 0) + coalesce(comments, 0) + coalesce(shares, 0) + coalesce(clicks, 0) end
  ) stored,
  conversions bigint,
  revenue numeric(18, 2),
  cost numeric(18, 2),
  sentiment_sum double precision,
  sentiment_count bigint,
  constraint post_daily_key primary key (tenant_id, post_id, day),
  constraint post_daily_post foreign key (tenant_id, post_id) references post (tenant_id, id) on delete cascade
);
create index post_daily_by_day on post_daily (tenant_id, day);

-- What one account had at the end of one day.
create table account_daily (
  tenant_id uuid not null,
  account_id uuid not null,
  day date not null,
  followers bigint not null,
  constraint account_daily_key primary key (tenant_id, account_id, day),
  constraint account_daily_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint account_daily_followers check (followers >= 0)
);

-- The roll-up that every figure of a page is read from. A row sums one account's and one campaign's posts of one day
-- (basis 'lifetime': published on it; basis 'period': gained on it). Beside each sum stands from how many posts it
-- comes, so that coverage can be told. Posts of which only the month is known span first_day to last_day.
create table kpi_daily (
  tenant_id uuid not null,
  basis text not null,
  first_day date not null,
  last_day date not null,
  account_id uuid not null,
  -- The nil UUID where a post belongs to no campaign: a key cannot hold null.
  campaign_id uuid not null,
  posts bigint not null,
  reach bigint,
  reach_posts bigint not null,
  impressions bigint,
  impressions_posts bigint not null,
  engagements bigint,
  engagements_posts bigint not null,
  -- Numerators and denominators of the engagement rate, over posts that have both.
  rate_engagements bigint not null,
  rate_impressions bigint not null,
  rate_by_reach_engagements bigint not null,
  rate_reach bigint not null,
  rate_posts bigint not null,
  conversions bigint,
  conversions_posts bigint not null,
  revenue numeric(18, 2),
  revenue_posts bigint not null,
  -- Over posts that have both, for ROI.
  roi_revenue numeric(18, 2) not null,
  roi_cost numeric(18, 2) not null,
  roi_posts bigint not null,
  sentiment_sum double precision not null,
  sentiment_count bigint not null,
  constraint kpi_daily_key primary key (tenant_id, basis, first_day, last_day, account_id, campaign_id),
  constraint kpi_daily_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint kpi_daily_basis check (basis in ('period', 'lifetime'))
);
create index kpi_daily_by_account on kpi_daily (tenant_id, account_id, basis, first_day);

-- What an import changed, so that it can be taken back.
create table import_change (
  tenant_id uuid not null,
  import_id uuid not null,
  post_id uuid not null,
  -- The row as it was; null for one that the import made.
  before jsonb,
  constraint import_change_key primary key (tenant_id, import_id, post_id),
  constraint import_change_import foreign key (tenant_id, import_id) references import (tenant_id, id) on delete cascade
);

create table import_refusal (
  tenant_id uuid not null,
  import_id uuid not null,
  row_number bigint not null,
  field text,
  reason text not null,
  raw text not null,
  constraint import_refusal_key primary key (tenant_id, import_id, row_number),
  constraint import_refusal_import foreign key (tenant_id, import_id) references import (tenant_id, id) on delete cascade
);

do $$
declare
  name text;
begin
  foreach name in array array[
    'account', 'campaign', 'import', 'post', 'post_daily', 'account_daily', 'kpi_daily', 'import_change', 'import_refusal'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
  end loop;
end
$$;
