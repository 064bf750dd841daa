#!lua flags=allow-oom
-- rescue: Process due turns, record that this worker is alive, and snapshot the counters.
--
-- A turn is due if its hint got lost, its retry time has come or its worker's lease ran out. Any number of workers may
-- do this at once, because each entry is moved ahead in the step that acts on it.
--
-- ARGV  1 worker, or '' to record nothing
--       2 maximum number of turns to process
--       3 the hint with its placeholder, as this worker's Celery writes it, or ''
--       4 where to keep it: 'hint', or 'chain_hint' if this worker runs custom chains
-- Reply turn id, outcome, turn id, outcome, …  outcome: DISPATCHED (once more), RESCUED (its lease ran out), LOST
--       (likewise, but it has lost too many workers and has failed), WAITING (its hint is still in the broker's
--       list, leases could not be renewed, or the workers are paused), GONE (there is no such turn),
--       EXPIRED (it was not started in time and has ended)
--
-- requires: dispatch, finish, is_hint_queued, lose_run, now_ms, read_record, remove_from_lists, snapshot_counters
-- requires: transitions

local worker, limit, hint, hint_field = unpack(ARGV, 1, 4)
local now = now_ms()
snapshot_counters(now)

-- If no worker has sent a heartbeat for a while, the store was unreachable and no lease could be renewed. Leases then
-- run out one lease time from now at the earliest; likewise if the clock was set back to before that moment.
local newest = redis.call('ZRANGE', KEY.workers, 0, 0, 'REV', 'WITHSCORES')[2]
local since = tonumber(redis.call('HGET', KEY.service, 'renewable_since') or 0)
if not newest or now - newest > POLICY.beat_gap_ms or since > now then
  redis.call('HSET', KEY.service, 'renewable_since', now)
  since = now
end
local leases_run_out_from = since + POLICY.lease_ms

if worker ~= '' then redis.call('ZADD', KEY.workers, now, worker) end
if hint ~= '' and redis.call('HGET', KEY.service, hint_field) ~= hint then
  redis.call('HSET', KEY.service, hint_field, hint)
end
redis.call('ZREMRANGEBYSCORE', KEY.workers, '-inf', now - POLICY.worker_ttl_ms)
for _, expired in ipairs(redis.call('ZRANGE', KEY.expiring, '-inf', now, 'BYSCORE', 'LIMIT', 0, 10 * limit)) do
  remove_from_lists(string.match(expired, '^(.+)/(.+)$'))
end

local are_paused = redis.call('HEXISTS', KEY.service, 'workers') == 1

local function rescue_turn(turn)
  local was = read_record(turn)
  if not AFTER[was.status] then
    redis.call('ZREM', KEY.due, turn)
    return 'GONE'
  end
  if was.status == 'in_progress' then
    if now < leases_run_out_from then
      redis.call('ZADD', KEY.due, leases_run_out_from, turn)
      return 'WAITING'
    end
    return lose_run(turn, was, now, 1) and 'RESCUED' or 'LOST'
  end
  if are_paused then
    redis.call('ZADD', KEY.due, now + POLICY.pause_poll_ms, turn)
    return 'WAITING'
  end
  if not was.retry_at and was.hinted_at and is_hint_queued(was.hinted_at, was.queue) then
    -- The interval grows, so that a long backlog is not checked more often than it moves.
    redis.call('ZADD', KEY.due, now + math.max(POLICY.hint_grace_ms, (now - was.hinted_at) / 2), turn)
    return 'WAITING'
  end
  redis.call('HDEL', KEY.turn .. turn, 'retry_at')
  dispatch(turn, now, was)
  return 'DISPATCHED'
end

local function expire_turn(turn)
  local was = read_record(turn)
  local to = (AFTER[was.status] or {}).expire
  if not to then
    redis.call('ZREM', KEY.start_by, turn)
    return 'GONE'
  end
  finish(turn, was, to, 'expired', now, 'status_reason', 'expired')
  return 'EXPIRED'
end

local processed = {}
for _, turn in ipairs(redis.call('ZRANGE', KEY.start_by, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  processed[#processed + 1] = turn
  processed[#processed + 1] = expire_turn(turn)
end
for _, turn in ipairs(redis.call('ZRANGE', KEY.due, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  processed[#processed + 1] = turn
  processed[#processed + 1] = rescue_turn(turn)
end
return processed
