-- What a person chose about how RTV looks and behaves for them. One row per person, made with the first choice.

create table preference (
  user_id uuid not null,
  theme text not null,
  density text not null,
  -- Whether keys act that are pressed alone.
  has_single_keys boolean not null,
  updated_at timestamptz not null default now(),
  constraint preference_key primary key (user_id),
  constraint preference_app_user foreign key (user_id) references app_user (id) on delete cascade,
  constraint preference_theme check (theme in ('system', 'light', 'dark')),
  constraint preference_density check (density in ('comfortable', 'compact'))
);

alter table preference enable row level security;
alter table preference force row level security;

create policy preference_of_person on preference
  using ((select rtv_actor()) = 'person' and user_id = (select rtv_user()))
  with check ((select rtv_actor()) = 'person' and user_id = (select rtv_user()));
-- Read with the session, before anything else of a request.
create policy preference_of_session on preference for select
  using (
    (select rtv_actor()) = 'session'
    and exists (select 1 from session where session.id_hash = (select rtv_session()) and session.user_id = preference.user_id)
  );

grant select, insert, update on preference to rtv_app;
