-- requires: tenant_of

-- Create the session for its first turn or for imported messages. Sessions of its tenant that have been inactive for the
-- retention time leave the list.
local function begin_session(session, session_id, user_id, now)
  redis.call('HSET', KEY.session .. session, 'session_id', session_id, 'user_id', user_id)
  redis.call('ZREMRANGEBYSCORE', KEY.sessions .. tenant_of(session), '-inf', now - POLICY.session_ttl_ms)
end
