-- Targets, the roll-up of posts by hour of the week, and what lists of posts are ordered by.

-- What a tenant wants to reach in a calendar month; a rate is wanted at any time.
create table target (
  tenant_id uuid not null,
  id uuid not null,
  kpi text not null,
  -- What it is for: a platform, an account, or, with neither, everything of the tenant.
  platform text,
  account_id uuid,
  amount numeric(18, 6) not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint target_key primary key (tenant_id, id),
  constraint target_scope_unique unique nulls not distinct (tenant_id, kpi, platform, account_id),
  constraint target_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint target_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint target_scope check (platform is null or account_id is null),
  constraint target_amount check (amount > 0)
);

-- Posts by the hour of the tenant's day on which they were published, with their totals to date. Kept in the transaction
-- that changes the posts, like kpi_daily.
create table post_hour (
  tenant_id uuid not null,
  first_day date not null,
  last_day date not null,
  -- −1 where only the month is known.
  hour smallint not null,
  account_id uuid not null,
  -- The nil UUID where a post belongs to no campaign: a key cannot hold null.
  campaign_id uuid not null,
  posts bigint not null,
  engagements bigint not null,
  engagements_posts bigint not null,
  -- Numerator and denominator of the engagement rate, over posts that have both, and how many have a rate.
  rate_engagements bigint not null,
  rate_base bigint not null,
  rate_posts bigint not null,
  constraint post_hour_key primary key (tenant_id, first_day, last_day, hour, account_id, campaign_id),
  constraint post_hour_account foreign key (tenant_id, account_id) references account (tenant_id, id) on delete cascade,
  constraint post_hour_hour check (hour between -1 and 23)
);
create index post_hour_by_account on post_hour (tenant_id, account_id, first_day);

-- Posts of a day stand by their time. One of which only the month is known stands behind those of the month's first day,
-- and has a value there, because a cursor cannot compare with null.
alter table post
  add column listed_at timestamptz not null
    generated always as (coalesce(published_at, timestamptz '-infinity')) stored,
  -- A generated column cannot read another one, hence the sum of the four parts again.
  add column engagement_rate double precision generated always as (
    case when coalesce(reactions, comments, shares, clicks) is null then null
    else
      (coalesce(reactions, 0) + coalesce(comments, 0) + coalesce(shares, 0) + coalesce(clicks, 0))::double precision
      / nullif(coalesce(impressions, reach), 0)
    end
  ) stored;
drop index post_by_day;
create index post_by_time on post (tenant_id, published_from desc, listed_at desc, id desc);

-- The best and the worst of each day stand at the ends of these, so that a ranking reads a few entries a day and no fact.
create index post_by_reach on post (tenant_id, published_from, reach, id)
  include (account_id, campaign_id, published_to) where reach is not null;
create index post_by_impressions on post (tenant_id, published_from, impressions, id)
  include (account_id, campaign_id, published_to) where impressions is not null;
create index post_by_engagements on post (tenant_id, published_from, engagements, id)
  include (account_id, campaign_id, published_to) where engagements is not null;
create index post_by_engagement_rate on post (tenant_id, published_from, engagement_rate, id)
  include (account_id, campaign_id, published_to) where engagement_rate is not null;
create index post_by_sentiment on post (tenant_id, published_from, sentiment, id)
  include (account_id, campaign_id, published_to) where sentiment is not null;
create index post_by_conversions on post (tenant_id, published_from, conversions, id)
  include (account_id, campaign_id, published_to) where conversions is not null;
create index post_by_revenue on post (tenant_id, published_from, revenue, id)
  include (account_id, campaign_id, published_to) where revenue is not null;

-- Row security binds the owner too, who has no tenant: what is already there is rolled up with it set aside.
alter table post no force row level security;
alter table tenant no force row level security;
insert into post_hour (
  tenant_id, first_day, last_day, hour, account_id, campaign_id, posts, engagements, engagements_posts, rate_engagements,
  rate_base, rate_posts
)
select
  post.tenant_id, post.published_from, post.published_to,
  coalesce(extract(hour from post.published_at at time zone tenant.time_zone), -1)::smallint,
  post.account_id, coalesce(post.campaign_id, '00000000-0000-0000-0000-000000000000'), count(*),
  coalesce(sum(post.engagements), 0)::bigint, count(post.engagements),
  coalesce(sum(post.engagements) filter (where coalesce(post.impressions, post.reach) is not null), 0)::bigint,
  coalesce(sum(coalesce(post.impressions, post.reach)) filter (where post.engagements is not null), 0)::bigint,
  count(post.engagement_rate)
from post
join tenant on tenant.id = post.tenant_id
group by 1, 2, 3, 4, 5, 6;
alter table tenant force row level security;
alter table post force row level security;

do $$
declare
  name text;
begin
  foreach name in array array['target', 'post_hour'] loop
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
