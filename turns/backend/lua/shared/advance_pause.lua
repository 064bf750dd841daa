-- requires: dispatch, is_paused, is_queued

-- The batches double, so that a provider gets its load back within a few seconds instead of at once.
local MAX_HINTS = 500  -- while fewer hints wait for a worker, batches of full size follow each other at once

-- Dispatch turns that waited for a part whose pause is over, oldest first. Return those that still waited.
local function resume_turns(part, max, now)
  local resumed = {}
  for _, turn in ipairs(redis.call('ZRANGE', KEY.paused .. part, 0, max - 1)) do
    redis.call('ZREM', KEY.paused .. part, turn)
    if is_queued(turn) and redis.call('HGET', KEY.turn .. turn, 'paused_by') == part then
      redis.call('HDEL', KEY.turn .. turn, 'paused_by')
      redis.call('HSET', KEY.turn .. turn, 'resumed', 1)
      dispatch(turn, now)
      resumed[#resumed + 1] = turn
    end
  end
  return resumed
end

-- Return the time of the next batch; at once only if the last one was full, because smaller ones are the first ones.
local function next_batch_at(is_full, now)
  local hints = redis.call('LLEN', KEY.hints) + redis.call('LLEN', KEY.chain_hints)
  return now + (is_full and hints < MAX_HINTS and 0 or POLICY.pause_poll_ms)
end

-- End a pause whose time has passed, and dispatch the next batch of its turns if it is over. Return them.
--
-- If the store has lost the record of the pause, it is over too, and a new record keeps the order of its turns.
local function advance_pause(part, max, now)
  local text = redis.call('HGET', KEY.service, part)
  local pause = read_pause(text)
  if is_paused(text, now) then
    redis.call('ZADD', KEY.pauses, math.min(pause.until_at or math.huge, now + POLICY.slot_wait_ms), part)
    return {}
  end
  pause.ended_at = pause.ended_at or now
  pause.batch = math.min(max, pause.batch and pause.batch * 2 or POLICY.first_resumed)
  local resumed = resume_turns(part, pause.batch, now)
  if redis.call('EXISTS', KEY.paused .. part) == 0 then
    redis.call('HDEL', KEY.service, part)
    redis.call('ZREM', KEY.pauses, part)
  else
    redis.call('HSET', KEY.service, part, cjson.encode(pause))
    redis.call('ZADD', KEY.pauses, next_batch_at(pause.batch == max, now), part)
  end
  return resumed
end
