#!lua flags=allow-oom
-- share_hold: Bring to this partition what another one has found out about a model.
--
-- A partition that follows another one has its number in `probe`, lets its turns wait and does not probe. Its `until` is
-- a lease: if no worker extends it, because none coordinates the partitions, the partition probes by itself. With its own
-- probe, failure or answer it no longer follows, because each of them replaces `probe` or removes it.
--
-- ARGV  1 name of the hold
--       2 `until` of the hold here, as the caller has read it, or '' if there was no hold
--       3 its `answered_at`, or ''
--       4 'follow': wait for another partition; 'lead': probe from now on; 'reopen': the model is not held any more
--       5 ms until the next probe of the partition that probes
--       6 number of that partition
--       7 `reason` of its hold
--       8 `code` of its hold
--       9 `since` of its hold
--       10 `step` of its hold
-- Reply RECORDED  the hold is as the caller wants it
--       LOST      the hold has changed since the caller has read it, also because this script has run before
--
-- requires: admit, now_ms

local name, known_until, known_answer, act, remaining_ms, leader, reason, code, since, step = unpack(ARGV, 1, 10)
local key, now = KEY.hold .. name, now_ms()
local until_at, answered_at = unpack(redis.call('HMGET', key, 'until', 'answered_at'))
if (until_at or '') ~= known_until or (answered_at or '') ~= known_answer then return {'LOST'} end

if act == 'reopen' then
  reopen_hold(name, 1, now)
elseif act == 'lead' then
  redis.call('HSET', key, 'until', now + math.max(0, remaining_ms))
  redis.call('HDEL', key, 'probe')
else
  -- `rescue` takes a longer time for a clock that was set back, and lets a turn probe at once.
  local lease_ms = math.min(math.max(0, remaining_ms) + POLICY.follow_ms, POLICY.longest_pause_ms)
  redis.call('HSET', key, 'reason', reason, 'code', code, 'since', since, 'step', step,
    'probe', 'partition/' .. leader, 'until', now + lease_ms)
  redis.call('HDEL', key, 'answered_at')
  redis.call('ZADD', KEY.holds, now + POLICY.hold_poll_ms, name)
end
return {'RECORDED'}
