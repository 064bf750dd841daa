-- Know a session's tenant and how long the session is kept; loaded in front of every verb.

-- Return the tenant of a session, whose name `session_key` in `keys.py` composes.
local function tenant_of(session)
  return string.match(session, '^([^/]+)/') or POLICY.default_tenant
end

-- Keep the keys of a session without a time to live, because it has a live turn.
local function persist_session(session)
  redis.call('PERSIST', KEY.session .. session)
  redis.call('PERSIST', KEY.history .. session)
end

-- Record that the session is active now.
local function touch_session(session, now)
  local index = KEY.sessions .. tenant_of(session)
  redis.call('ZADD', index, now, session)
  redis.call('PEXPIRE', index, POLICY.session_ttl_ms)
end

-- Create the session for its first turn or for imported messages. Sessions of its tenant that have been inactive for the
-- retention time leave the list.
local function begin_session(session, session_id, user_id, now)
  redis.call('HSET', KEY.session .. session, 'session_id', session_id, 'user_id', user_id)
  redis.call('ZREMRANGEBYSCORE', KEY.sessions .. tenant_of(session), '-inf', now - POLICY.session_ttl_ms)
end

-- Keep the session for the retention time from now on, because it has no live turn any more.
local function start_session_retention(session, now)
  redis.call('PEXPIRE', KEY.session .. session, POLICY.session_ttl_ms)
  redis.call('PEXPIRE', KEY.history .. session, POLICY.session_ttl_ms)
  touch_session(session, now)
end

-- Remove an ended turn from all lists, because its record is deleted or expires now.
local function remove_from_lists(session, turn)
  local tenant = tenant_of(session)
  redis.call('ZREM', KEY.expiring, session .. '/' .. turn)
  redis.call('ZREM', KEY.failed, tenant .. '/' .. turn)
  redis.call('ZREM', KEY.turns .. tenant, turn)
  redis.call('ZREM', KEY.session_turns .. session, turn)
end
