#!lua
-- import_messages: an empty, idle session has these messages: all of them, at once, or none.
--
-- Without allow-oom: when memory is full they are refused before anything is written.
-- In a tenant's rate it counts as one turn, whatever its size, which the endpoint bounds.
--
-- ARGV  1 session
--       2 session_id
--       3 user_id, or ''
--       4 digest of the messages
--       5 how many they are
--       6 the version of the file that has them; '' where histories are no files
--       7… the messages as stored, oldest first; none where a file has them
-- Reply IMPORTED, session    they are its history; session: as `show_session` describes it
--       REPLAYED, session    these very messages were imported into it before; it may have gone on since
--       NOT_EMPTY            it has other messages
--       SESSION_BUSY         it has live turns
--       PAUSED, TENANT_BACKLOG_FULL, RATE_LIMITED, ms, TOKENS_SPENT, ms  as `accept`: who may not submit may not import

local session, session_id, user_id, digest, count, version = unpack(ARGV, 1, 6)
local key, history, queue = KEY.session .. session, KEY.history .. session, KEY.queue .. session

local imported, file = unpack(redis.call('HMGET', key, 'imported', 'file'))
if imported == digest then
  -- The same version: the reply of the first run was lost, and the client asked again.
  return again({version ~= '' and file == version and 'IMPORTED' or 'REPLAYED', show_session(session)})
end
if count_messages(session) ~= 0 then return {'NOT_EMPTY'} end
if redis.call('EXISTS', queue) == 1 then return {'SESSION_BUSY'} end
if redis.call('HEXISTS', KEY.service, 'intake') == 1 then return {'PAUSED'} end
local now, tenant = now_ms(), tenant_of(session)
local refusal = quota_refusal(tenant, now)
if refusal then return refusal end

begin_session(session, session_id, user_id, now)
redis.call('HSET', key, 'imported', digest)
if POLICY.history == 'file' then
  redis.call('HSET', key, 'messages', count, 'file', version)
else
  for i = 7, #ARGV, 1000 do  -- Lua's stack holds some thousands
    redis.call('LPUSH', history, unpack(ARGV, i, math.min(i + 999, #ARGV)))
  end
end
take_rate(tenant, now)
let_session_age(session, now)
return {'IMPORTED', show_session(session)}
