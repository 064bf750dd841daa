#!lua flags=allow-oom
-- erase: cancels what is live in a session, and deletes its history, its turns and what they said.
--
-- A worker that still runs a turn of it has lost its lease, and finds nothing to write to.
--
-- ARGV  1 session
--       2 most turns to delete in one call
-- Reply ERASED  nothing of the session is left (also when there was no such session)
--       MORE    turns are left that have ended: call again

local session, most = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
local live = forget_lost(session, redis.call('LRANGE', KEY.queue .. session, 0, -1), now)
for i = #live, 1, -1 do drop(live[i], look_up(live[i]), now) end  -- from the last to the first: none is dispatched

for _, turn in ipairs(redis.call('ZRANGE', KEY.session_turns .. session, 0, most - 1)) do
  local idempotency = redis.call('HGET', KEY.turn .. turn, 'idempotency')
  if idempotency then redis.call('UNLINK', KEY.idempotency .. idempotency) end
  redis.call('UNLINK', KEY.turn .. turn, KEY.events .. turn)
  unlist(session, turn)
end
forget_history(session)
redis.call('ZREM', KEY.sessions .. tenant_of(session), session)
return {redis.call('EXISTS', KEY.session_turns .. session) == 1 and 'MORE' or 'ERASED'}
