-- requires: release_slots, waits

-- Let a queued head wait no longer for a paused part.
local function leave_pause(turn, was)
  redis.call('ZREM', KEY.paused .. was.paused_by, turn)
  redis.call('HDEL', KEY.turn .. turn, 'paused_by')
end

-- Let a queued head wait for a paused part, without a slot. It no longer waits for its model, so that it neither fails
-- with that nor keeps others from it.
--
-- `rescue` dispatches it after the pause. Its entry in the due index is for the case that the list of the pause is lost.
local function pause_turn(turn, was, part, now)
  if was.paused_by and was.paused_by ~= part then leave_pause(turn, was) end
  if was.held_by then redis.call('ZREM', KEY.held .. was.held_by, turn) end
  redis.call('HDEL', KEY.turn .. turn, 'held_by', 'held_at', 'retry_at', 'admitted_by', 'resumed')
  redis.call('HSET', KEY.turn .. turn, 'paused_by', part)
  begin_wait(turn, was, part == 'workers' and 'workers_paused' or 'paused', now, part == 'workers' and '' or part)
  redis.call('ZADD', KEY.paused .. part, was.accepted_at, turn)
  redis.call('ZADD', KEY.pauses, 'NX', now + POLICY.pause_poll_ms, part)
  redis.call('ZADD', KEY.due, now + POLICY.slot_wait_ms, turn)
  redis.call('ZREM', KEY.waiting, turn)
  release_slots(turn, was, now)
end
