-- requires: session_version, tenant_of

local DETAILS = {'title', 'own_title', 'metadata', 'archived', 'ttl_ms', 'created_at', 'forked_from'}

-- Return a session as session_id, user_id, number of messages, time (ms) of its last activity, '1' if its head is
-- running, its live turns in order, its version and further fields of its record as name, value, …; nil if there is no
-- such session.
local function session_snapshot(session)
  local key = KEY.session .. session
  local id, user, changes = unpack(redis.call('HMGET', key, 'session_id', 'user_id', 'changes'))
  local messages = count_messages(session) or 0
  if not id and messages == 0 then return nil end
  local live = redis.call('LRANGE', KEY.queue .. session, 0, -1)  -- bounded by the backlog
  local running = live[1] and redis.call('HGET', KEY.turn .. live[1], 'status') == 'in_progress'
  local active_at = redis.call('ZSCORE', KEY.sessions .. tenant_of(session), session)
  local details = {'ttl_ms', tostring(POLICY.session_ttl_ms)}  -- unless the session has its own
  for i, value in ipairs(redis.call('HMGET', key, unpack(DETAILS))) do
    if value then details[#details + 1], details[#details + 2] = DETAILS[i], value end
  end
  return {id or '', user or '', messages, active_at or '', running and '1' or '0', live,
    messages + tonumber(changes or 0), details}
end
