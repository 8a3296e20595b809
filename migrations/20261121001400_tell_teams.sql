-- Settings of a team: the zone in which its pages show times, and which of its members are told by mail of what.

alter table team
  -- Times alone; days are counted in the tenant's zone everywhere. Null: that zone.
  add column time_zone text;

alter table team_member
  -- Kinds of news that the member is told of by mail, as words of rtv-core.
  add column news text[] not null default '{}';

alter table mail drop constraint mail_kind;
alter table mail add constraint mail_kind check (kind in ('invitation', 'password_reset', 'notice', 'news'));

-- The accounts that the file names, as far as they are known: whoever is responsible for one is told how it ended.
alter table import add column account_ids uuid[] not null default '{}';
