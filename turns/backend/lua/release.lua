#!lua flags=allow-oom
-- release: Hand a turn back at once, so that another worker can claim it before the lease runs out.
--
-- ARGV  1 turn id
--       2 token, or '' for a head whose hint this worker received and which it did not claim
--       3 what the run took, as `Spending.packed` composes it, or ''
-- Reply RELEASED  the turn is queued and dispatched, with its attempt number unchanged
--       LOST      there is nothing to hand back
--
-- requires: dispatch, now_ms, read_record, requeue, transitions

local turn, token, spent = unpack(ARGV, 1, 3)
local was = read_record(turn)
if not AFTER[was.status] or redis.call('LINDEX', KEY.queue .. was.session, 0) ~= turn then return {'LOST'} end

local now = now_ms()
if token == '' then
  if was.status ~= 'queued' or was.retry_at then return {'LOST'} end
else
  if was.token ~= token or not AFTER[was.status].release then return {'LOST'} end
  was.spent = spent ~= '' and spent or nil
  requeue(turn, was, 'release', was.attempt, now)
end
dispatch(turn, now, was)
return {'RELEASED'}
