#!lua flags=allow-oom
-- release: hands a turn back at once, so that another worker takes it without waiting for the lease.
--
-- ARGV  1 turn id
--       2 token, or '' for a head that this worker was told of and did not claim
-- Reply RELEASED  the turn is queued and dispatched; its attempt stays what it was
--       LOST      there is nothing to hand back

local turn, token = ARGV[1], ARGV[2]
local session, status, held, claims, attempt, retry_at =
  unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'status', 'token', 'claims', 'attempt', 'retry_at'))
if not AFTER[status] or redis.call('LINDEX', KEY.queue .. session, 0) ~= turn then return {'LOST'} end

local now = now_ms()
if token == '' then
  if status ~= 'queued' or retry_at then return {'LOST'} end
else
  if held ~= token or not AFTER[status].release then return {'LOST'} end
  requeue(turn, claims, 'release', attempt, now)
end
dispatch(turn, now)
return {'RELEASED'}
