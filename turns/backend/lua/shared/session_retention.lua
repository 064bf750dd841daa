-- requires: tenant_of

-- Record that the session is active now.
local function touch_session(session, now)
  local index = KEY.sessions .. tenant_of(session)
  redis.call('ZADD', index, now, session)
  redis.call('PEXPIRE', index, POLICY.session_ttl_ms)
end

-- Keep the session without a limit, because a session with a live turn does not expire.
local function end_session_retention(session)
  redis.call('PERSIST', KEY.session .. session)
  redis.call('PERSIST', KEY.history .. session)
end

-- Keep the session for the retention time from now on, because it has no live turn any more.
local function start_session_retention(session, now)
  redis.call('PEXPIRE', KEY.session .. session, POLICY.session_ttl_ms)
  redis.call('PEXPIRE', KEY.history .. session, POLICY.session_ttl_ms)
  touch_session(session, now)
end
