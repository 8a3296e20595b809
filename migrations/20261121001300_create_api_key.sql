-- Keys for programs, how many requests a tenant's programs have made in a minute, and the answers that are given again to
-- a program that asks the same a second time.
--
-- One more value of rtv.actor: 'api_key', a program that has shown a key, of which rtv.token holds the hash. Once the key is
-- known the transaction is one of its tenant too.

create table api_key (
  tenant_id uuid not null,
  id uuid not null,
  name text not null,
  -- How the key begins, so that people can tell their keys apart.
  prefix text not null,
  -- SHA-256 of the key: who reads the table cannot use it.
  secret_hash bytea not null,
  permissions text[] not null,
  -- Null once the author has left the tenant. The key is dead from then on, also if they come back.
  created_by uuid,
  author_label text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_by text,
  -- To the minute.
  last_used_at timestamptz,
  constraint api_key_key primary key (tenant_id, id),
  constraint api_key_tenant foreign key (tenant_id) references tenant (id) on delete cascade,
  constraint api_key_membership foreign key (tenant_id, created_by) references membership (tenant_id, user_id)
    on delete set null (created_by),
  constraint api_key_name_length check (length(name) between 1 and 80),
  constraint api_key_secret_hash_length check (length(secret_hash) = 32),
  constraint api_key_revoked_is_whole check ((revoked_at is null) = (revoked_by is null))
);
create index api_key_by_secret_hash on api_key (secret_hash);
create index api_key_by_author on api_key (tenant_id, created_by) where created_by is not null;

-- Requests in the newest minute in which there were any; all keys of a tenant count together.
create table api_use (
  tenant_id uuid not null,
  minute timestamptz not null,
  requests integer not null,
  constraint api_use_key primary key (tenant_id),
  constraint api_use_tenant foreign key (tenant_id) references tenant (id) on delete cascade
);

-- The answer to a request that carried an Idempotency-Key, written in the transaction of what the request did.
create table api_answer (
  tenant_id uuid not null,
  api_key_id uuid not null,
  idempotency_key text not null,
  -- SHA-256 of method, address and body.
  request_digest bytea not null,
  status smallint not null,
  body text not null,
  created_at timestamptz not null,
  constraint api_answer_key primary key (tenant_id, api_key_id, idempotency_key),
  constraint api_answer_api_key foreign key (tenant_id, api_key_id) references api_key (tenant_id, id) on delete cascade,
  constraint api_answer_request_digest_length check (length(request_digest) = 32)
);
create index api_answer_by_time on api_answer (created_at);

-- An import of a program goes on from its check by itself.
alter table import add column starts_by_itself boolean not null default false;

do $$
declare
  name text;
begin
  foreach name in array array['api_key', 'api_use', 'api_answer'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy %I on %I using (tenant_id = (select rtv_tenant())) with check (tenant_id = (select rtv_tenant()))',
      name || '_of_tenant', name
    );
  end loop;
end
$$;

-- A transaction that was begun to read changes none of them, as of every table.
do $$
declare
  name text;
begin
  foreach name in array array['api_key', 'api_use', 'api_answer'] loop
    execute format(
      'create trigger refuse_change_while_reading before insert or update or delete on %I
       for each statement execute function rtv_refuse_change()',
      name
    );
  end loop;
end
$$;

create policy api_key_by_token on api_key for select
  using ((select rtv_actor()) = 'api_key' and secret_hash = (select rtv_token()));

create policy api_answer_seen_by_worker on api_answer for select
  using ((select rtv_actor()) = 'worker');
create policy api_answer_swept_by_worker on api_answer for delete
  using ((select rtv_actor()) = 'worker');

grant select, insert on api_key to rtv_app;
grant update (revoked_at, revoked_by, last_used_at) on api_key to rtv_app;
grant select, insert, update on api_use to rtv_app;
grant select, insert, delete on api_answer to rtv_app;
