-- requires: tenant_of, user_of

-- Remove an ended turn from all lists, because its record is deleted or expires now.
local function remove_from_lists(session, turn)
  local tenant, user = tenant_of(session), user_of(session)
  redis.call('ZREM', KEY.expiring, session .. '/' .. turn)
  redis.call('ZREM', KEY.failed, tenant .. '/' .. turn)
  redis.call('ZREM', KEY.turns .. tenant, turn)
  redis.call('ZREM', KEY.session_turns .. session, turn)
  if user then redis.call('ZREM', KEY.user_turns .. user, turn) end
end
