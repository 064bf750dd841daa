#!lua flags=allow-oom
-- release: hands a turn back at once, so that another worker takes it without waiting for the lease.
--
-- ARGV  1 turn id
--       2 token, or '' for a head that this worker was told of and did not claim
-- Reply RELEASED  the turn is queued and dispatched; its attempt stays what it was
--       LOST      there is nothing to hand back

local turn, token = ARGV[1], ARGV[2]
local was = look_up(turn)
if not AFTER[was.status] or redis.call('LINDEX', KEY.queue .. was.session, 0) ~= turn then return {'LOST'} end

local now = now_ms()
if token == '' then
  if was.status ~= 'queued' or was.retry_at then return {'LOST'} end
else
  if was.token ~= token or not AFTER[was.status].release then return {'LOST'} end
  requeue(turn, was.claims, 'release', was.attempt, now)
end
dispatch(turn, now, was.session, was.lane)
return {'RELEASED'}
