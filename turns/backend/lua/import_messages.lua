#!lua
-- import_messages: Make these messages the history of an empty, idle session: all of them at once, or none.
--
-- The messages have been staged before, in a list or in a file, so that no single command keeps the store from others for
-- long. There is no allow-oom here: when memory is full, Redis refuses the import before anything is written.
-- An import counts as one turn in its tenant's rate, whatever its size, which the endpoint bounds.
--
-- ARGV  1 session
--       2 session_id
--       3 user_id, or ''
--       4 digest of the messages
--       5 number of messages
--       6 token of the list that contains them, newest first, or version of the file
--       7 text of the first message
-- Reply IMPORTED, session    they are its history; session: as `session_snapshot` returns it
--       REPLAYED, session    the same messages were imported into it before; it may have continued since then
--       NOT_EMPTY            it has other messages
--       SESSION_BUSY         it has live turns
--       LOST                 the list is not complete
--       PAUSED, TENANT_BACKLOG_FULL, RATE_LIMITED, ms, TOKENS_SPENT, ms  as in `accept`: the same limits apply
--
-- requires: begin_session, is_paused, now_ms, quota, replayed, session_retention, session_snapshot
-- requires: session_version, tenant_of

local session, session_id, user_id, digest, length, version, text = unpack(ARGV, 1, 7)
local key, queue = KEY.session .. session, KEY.queue .. session

local imported, file = unpack(redis.call('HMGET', key, 'imported', 'file'))
if imported == digest then
  -- With the same version, the reply of the first run was lost and the client sent the command again.
  return replayed({file == version and 'IMPORTED' or 'REPLAYED', session_snapshot(session)})
end
if count_messages(session) ~= 0 then return {'NOT_EMPTY'} end
if redis.call('EXISTS', queue) == 1 then return {'SESSION_BUSY'} end
local now, tenant = now_ms(), tenant_of(session)
if is_paused(redis.call('HGET', KEY.service, 'intake'), now) then return {'PAUSED'} end
local refusal = quota_refusal(tenant, now)
if refusal then return refusal end
if POLICY.history == 'redis' and redis.call('LLEN', KEY.import .. version) ~= tonumber(length) then return {'LOST'} end

begin_session(session, session_id, user_id, title_of(text), now)
redis.call('HSET', key, 'imported', digest)
if POLICY.history == 'file' then
  redis.call('HSET', key, 'messages', length, 'file', version)
else
  redis.call('RENAME', KEY.import .. version, KEY.history .. session)
end
advance_rate(tenant, now)
start_session_retention(session, now)
return {'IMPORTED', session_snapshot(session)}
