-- A tenant's picture beside its name.

create table tenant_logo (
  tenant_id uuid not null,
  kind text not null,
  content bytea not null,
  sha256 bytea not null,
  constraint tenant_logo_key primary key (tenant_id),
  constraint tenant_logo_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint tenant_logo_kind check (kind in ('image/png', 'image/jpeg')),
  constraint tenant_logo_size check (octet_length(content) between 1 and 262144)
);
alter table tenant_logo enable row level security;
alter table tenant_logo force row level security;
grant select, insert, update, delete on tenant_logo to rtv_app;
create policy tenant_logo_of_tenant on tenant_logo
  using (tenant_id = (select rtv_tenant()))
  with check (tenant_id = (select rtv_tenant()));

-- The beginning of its hash, for the picture's address: pages need no more of it.
alter table tenant add column logo_version text;
