-- requires: release_slots, waits

-- Let a queued head wait for a hold, without a slot. Its time in `held` is that of its first hold, so that a turn which
-- was admitted in vain keeps its place.
--
-- `rescue` admits it. Its entry in the due index is for the case that the keys of the hold are lost.
local function hold_turn(turn, was, name, now)
  local since = was.held_at or now
  local hold_until, reason = unpack(redis.call('HMGET', KEY.hold .. name, 'until', 'reason'))
  local until_at = math.max(tonumber(hold_until or 0), now + POLICY.hold_poll_ms)
  if was.held_by and was.held_by ~= name then redis.call('ZREM', KEY.held .. was.held_by, turn) end
  redis.call('HSET', KEY.turn .. turn, 'held_by', name, 'held_at', since, 'retry_at', until_at)
  redis.call('HDEL', KEY.turn .. turn, 'admitted_by')
  begin_wait(turn, was, reason == 'outage' and 'model_outage' or 'model_paused', now, name)
  redis.call('ZADD', KEY.held .. name, since, turn)
  redis.call('ZADD', KEY.due, until_at + POLICY.slot_wait_ms, turn)
  redis.call('ZREM', KEY.waiting, turn)
  release_slots(turn, was, now)
end
