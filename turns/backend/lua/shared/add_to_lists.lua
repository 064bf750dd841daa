-- requires: tenant_of, user_of

-- Add a new turn to the lists of its tenant, its user and its session, from which `remove_from_lists` removes it.
local function add_to_lists(session, turn, sequence, user_id, now)
  redis.call('ZADD', KEY.turns .. tenant_of(session), now, turn)
  redis.call('ZADD', KEY.session_turns .. session, sequence, turn)
  if user_id ~= '' then redis.call('ZADD', KEY.user_turns .. user_of(session), now, turn) end
end
