-- A claim that a sender could not make into an intent, on a full disk for example, may outlive the halt that covered it. When a
-- switch is released, somebody decides what becomes of what it kept back; that decision holds for such claims too. So each
-- switch says when it was released last, by the clock that claims are dated by. No index holds it: a flip stays a HOT update.
alter table kill_switch add column released_at timestamptz;

-- A switch that covers the operation and is engaged, or was released after that moment; the widest first, null where none is. By
-- keys alone, however many there are.
create function rtv_halting_switch(
  of_tenant uuid, of_platform text, of_action text, of_account uuid, of_campaign uuid, since timestamptz
) returns uuid
  language sql stable parallel safe
begin atomic
  select found.id
  from (
    select kill_switch.id, case kill_switch.kind when 'everything' then 0 else 1 end as place, kill_switch.is_engaged
    from kill_switch
    where kill_switch.tenant_id = '00000000-0000-0000-0000-000000000000'
      and (kill_switch.is_engaged or kill_switch.released_at > since)
      and kill_switch.scope = any (
        case when of_action = 'delete'
          then array['everything', 'part:*:delete', 'part:' || of_platform || ':delete']
          else array['everything', 'part:*:*', 'part:' || of_platform || ':*', 'part:*:' || of_action, 'part:' || of_platform || ':' || of_action]
        end
      )
    union all
    select kill_switch.id, case kill_switch.kind when 'part' then 2 else 3 end, kill_switch.is_engaged
    from kill_switch
    where kill_switch.tenant_id = of_tenant
      and (kill_switch.is_engaged or kill_switch.released_at > since)
      and kill_switch.scope = any (
        case when of_action = 'delete'
          then array['part:*:delete', 'part:' || of_platform || ':delete']
          else array[
            'part:*:*', 'part:' || of_platform || ':*', 'part:*:' || of_action, 'part:' || of_platform || ':' || of_action,
            'account:' || of_account::text, 'campaign:' || of_campaign::text
          ]
        end
      )
  ) as found
  -- What is engaged now holds it on; what was released has its plan.
  order by not found.is_engaged, found.place
  limit 1;
end;

create or replace function rtv_covering_switch(
  of_tenant uuid, of_platform text, of_action text, of_account uuid, of_campaign uuid
) returns uuid
  language sql stable parallel safe
begin atomic
  select rtv_halting_switch(of_tenant, of_platform, of_action, of_account, of_campaign, 'infinity');
end;
