-- requires: count, dispatch, finish, release_slots, requeue, transitions, waits

-- Return how long (ms) a turn waits after this loss. The first one costs no delay, because most deaths have nothing to do
-- with the turn. Later delays double and are jittered: turns that were lost together, and a cause that recurs at regular
-- intervals, must not fall in step. The jitter is a digest, because Redis seeds `math.random` alike in each call.
local function loss_delay_ms(turn, losses)
  if losses < 2 then return 0 end
  local ceiling_ms = math.min(POLICY.max_retry_ms, POLICY.retry_ms * 2 ^ (losses - 2))
  local jitter = tonumber(string.sub(redis.sha1hex(turn .. losses), 1, 4), 16) / 65536
  return math.floor(ceiling_ms * (1 + jitter) / 2)
end

-- Queue a running turn again because its worker is lost, or end it if it has lost too many. Return whether it runs again.
-- A loss does not count as an attempt of the turn.
local function lose_run(turn, was, now)
  local losses = tonumber(was.losses or 0) + 1
  if losses >= POLICY.max_losses then
    finish(turn, was, AFTER[was.status].lose, 'worker_lost', now, 'error_code', 'worker_lost', 'losses', losses)
    return false
  end
  count('rescued')
  release_slots(turn, was, now)  -- those of its groups until now
  local worker = redis.call('HGET', KEY.turn .. turn, 'worker') or ''
  local beat_at = redis.call('ZSCORE', KEY.workers, worker)
  requeue(turn, was, 'rescue', was.attempt, now)
  redis.call('HSET', KEY.turn .. turn, 'losses', losses, 'last_error_code', 'worker_lost')
  was.losses = losses
  local delay_ms = loss_delay_ms(turn, losses)
  -- Since the last heartbeat of its worker, the turn may have stood still.
  local since = math.max(tonumber(was.started_at), math.min(tonumber(beat_at or now), now))
  add_wait(turn, 'worker_lost', since, now + delay_ms, worker)
  if delay_ms > 0 then
    redis.call('HSET', KEY.turn .. turn, 'retry_at', now + delay_ms)
    redis.call('ZADD', KEY.due, now + delay_ms, turn)
  else
    dispatch(turn, now, was)
  end
  return true
end
