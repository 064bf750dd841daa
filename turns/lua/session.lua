-- Whose a session is, and how long it is kept; loaded in front of every verb.

-- Whose session it is: `keys.py` makes its name.
local function tenant_of(session)
  return string.match(session, '^([^/]+)/') or POLICY.default_tenant
end

-- Keys of a session live as long as it has live turns, and for the session retention after that.
local function keep_session(session)
  redis.call('PERSIST', KEY.session .. session)
  redis.call('PERSIST', KEY.history .. session)
end

-- The session has been active.
local function list_session(session, now)
  local index = KEY.sessions .. tenant_of(session)
  redis.call('ZADD', index, now, session)
  redis.call('PEXPIRE', index, POLICY.session_ttl_ms)
end

-- The session's first turn, or what it begins with instead. Those of its tenant that have not been active for the
-- retention leave the list.
local function begin_session(session, session_id, user_id, now)
  redis.call('HSET', KEY.session .. session, 'session_id', session_id, 'user_id', user_id)
  redis.call('ZREMRANGEBYSCORE', KEY.sessions .. tenant_of(session), '-inf', now - POLICY.session_ttl_ms)
end

local function let_session_age(session, now)
  redis.call('PEXPIRE', KEY.session .. session, POLICY.session_ttl_ms)
  redis.call('PEXPIRE', KEY.history .. session, POLICY.session_ttl_ms)
  list_session(session, now)
end

-- The turn is in no list any more: its record is not kept, or soon will not be.
local function unlist(session, turn)
  local tenant = tenant_of(session)
  redis.call('ZREM', KEY.expiring, session .. '/' .. turn)
  redis.call('ZREM', KEY.failed, tenant .. '/' .. turn)
  redis.call('ZREM', KEY.turns .. tenant, turn)
  redis.call('ZREM', KEY.session_turns .. session, turn)
end
