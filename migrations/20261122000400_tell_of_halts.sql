-- Teams are told by mail of halts and of their end. That a halt is engaged is told by a job that is written with the halt; that it
-- was released is found by the recorder, because whoever releases waits for nothing that can wait.
alter table halt add column is_release_told boolean not null default false;

-- Of what is over already nobody is told. Row security is forced, so this names who looks.
select set_config('rtv.actor', 'gate', true);
update halt set is_release_told = true where released_at is not null;
select set_config('rtv.actor', '', true);

create index halt_release_untold on halt (id) where released_at is not null and not is_release_told;

create policy job_seen_with_news_by_gate on job for select
  using ((select rtv_actor()) = 'gate' and kind = 'news.halt');
create policy job_added_with_news_by_gate on job for insert
  with check ((select rtv_actor()) = 'gate' and kind = 'news.halt');
