-- requires: tenant_of

-- Record that the session is active now. `prune_sessions` removes the entries of sessions that have expired.
local function touch_session(session, now)
  redis.call('ZADD', KEY.sessions .. tenant_of(session), now, session)
end

-- Keep the session without a limit, because a session with a live turn does not expire.
local function end_session_retention(session)
  redis.call('PERSIST', KEY.session .. session)
  redis.call('PERSIST', KEY.history .. session)
end

-- Record a new turn of the session; `is_first`: the session was idle.
local function keep_active(session, is_first, now)
  if is_first then end_session_retention(session) end
  touch_session(session, now)
end

-- Let an idle session expire after its own retention time or that of the settings, counted from now on; 0 is never.
local function limit_session(session)
  local ttl_ms = tonumber(redis.call('HGET', KEY.session .. session, 'ttl_ms') or POLICY.session_ttl_ms)
  if ttl_ms == 0 then return end_session_retention(session) end
  redis.call('PEXPIRE', KEY.session .. session, ttl_ms)
  redis.call('PEXPIRE', KEY.history .. session, ttl_ms)
end

-- Keep the session for its retention time from now on, because it has no live turn any more.
local function start_session_retention(session, now)
  limit_session(session)
  touch_session(session, now)
end
