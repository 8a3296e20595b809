-- Competitors of a tenant, and what is known of them by platform and calendar month. People enter it, or take it from a file.

create table competitor (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  created_at timestamptz not null,
  created_by text not null,
  updated_at timestamptz not null,
  changed_by text not null,
  -- One that was removed can be brought back; its figures stay.
  removed_at timestamptz,
  is_sample boolean not null default false,
  constraint competitor_key primary key (tenant_id, id),
  constraint competitor_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint competitor_name_length check (length(name) between 1 and 120)
);
create unique index competitor_name_unique on competitor (tenant_id, lower(name));

create table competitor_month (
  tenant_id uuid not null,
  competitor_id uuid not null,
  platform text not null,
  -- Its first day.
  month date not null,
  -- At the end of the month.
  followers bigint,
  -- Published in the month.
  posts bigint,
  -- Reactions, comments and shares of these posts: what anybody can see.
  interactions bigint,
  changed_at timestamptz not null,
  changed_by text not null,
  is_sample boolean not null default false,
  constraint competitor_month_key primary key (tenant_id, competitor_id, platform, month),
  constraint competitor_month_competitor foreign key (tenant_id, competitor_id)
    references competitor (tenant_id, id) on delete cascade,
  constraint competitor_month_first_day check (extract(day from month) = 1),
  constraint competitor_month_known check (coalesce(followers, posts, interactions) is not null),
  constraint competitor_month_counts check (followers >= 0 and posts >= 0 and interactions >= 0)
);
create index competitor_month_by_month on competitor_month (tenant_id, month);

do $$
declare
  name text;
begin
  foreach name in array array['competitor', 'competitor_month'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
    execute format('grant select, insert, update, delete on %I to rtv_app', name);
    execute format(
      'create trigger refuse_change_while_reading before insert or update or delete on %I
       for each statement execute function rtv_refuse_change()',
      name
    );
  end loop;
end
$$;
