#!lua flags=allow-oom
-- erase: Cancel the live turns of a session and delete its history, its turns and their events.
--
-- A worker that still runs one of these turns has lost its lease, so it cannot write anything any more.
--
-- ARGV  1 session
--       2 maximum number of turns to delete in one call
-- Reply ERASED  nothing of the session is left (also if there was no such session)
--       MORE    ended turns are left: call this script again
--
-- requires: clear_session, drop_files, now_ms, publish_session_change, remove_from_lists, session_files, tenant_of

local session, max_turns = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
clear_session(remove_lost_turns(session, redis.call('LRANGE', KEY.queue .. session, 0, -1), now), 'rollback', now)

for _, turn in ipairs(redis.call('ZRANGE', KEY.session_turns .. session, 0, max_turns - 1)) do
  local idempotency, files = unpack(redis.call('HMGET', KEY.turn .. turn, 'idempotency', 'files'))
  if files then drop_turn_files(files, turn, now) end
  if idempotency then redis.call('UNLINK', KEY.idempotency .. idempotency) end
  redis.call('UNLINK', KEY.turn .. turn, KEY.events .. turn)
  remove_from_lists(session, turn)
end
for _, id in ipairs(session_files(session)) do drop_file(id, 's/' .. session, now) end
redis.call('UNLINK', KEY.session .. session, KEY.history .. session)
if POLICY.history == 'file' then  -- so that a file which is still there counts as empty
  redis.call('HSET', KEY.session .. session, 'messages', 0)
  redis.call('PEXPIRE', KEY.session .. session, POLICY.erased_ttl_ms)
end
redis.call('ZREM', KEY.sessions .. tenant_of(session), session)
redis.call('ZREM', KEY.user_sessions .. tenant_of(session), session)
if redis.call('EXISTS', KEY.session_turns .. session) == 1 then return {'MORE'} end
publish_session_change(session, 'erased')
return {'ERASED'}
