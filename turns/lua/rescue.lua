#!lua flags=allow-oom
-- rescue: looks at what is due, and records that this worker lives, and how much was counted.
--
-- A due turn is one whose hint got lost, whose retry time came, or whose worker's lease ran out. Any number of
-- workers may do this at once: each entry is moved ahead in the step that acts on it.
--
-- ARGV  1 worker, or '' to record nothing
--       2 most turns to look at
--       3 the hint with its placeholder, as this worker's Celery writes it, or ''
-- Reply turn id, word, turn id, word, …  word: DISPATCHED (again), RESCUED (its lease ran out), LOST (the same,
--       and it was the last attempt: failed), WAITING (its hint is still in the broker's list, or
--       nobody could renew, or the workers are paused), GONE (no such turn),
--       EXPIRED (it was not started in time, and has ended for that)

local worker, limit, hint, now = ARGV[1], ARGV[2], ARGV[3], now_ms()
note_minute(now)

-- Where no worker has beaten for a while, the store was away and none could renew: leases run from here on. So they do
-- where that is still to come, because the clock went back.
local newest = redis.call('ZRANGE', KEY.workers, 0, 0, 'REV', 'WITHSCORES')[2]
local since = tonumber(redis.call('HGET', KEY.service, 'renewable_since') or 0)
if not newest or now - newest > POLICY.beat_gap_ms or since > now then
  redis.call('HSET', KEY.service, 'renewable_since', now)
  since = now
end
local leases_run_out_from = since + POLICY.lease_ms

if worker ~= '' then redis.call('ZADD', KEY.workers, now, worker) end
if hint ~= '' and redis.call('HGET', KEY.service, 'hint') ~= hint then redis.call('HSET', KEY.service, 'hint', hint) end
redis.call('ZREMRANGEBYSCORE', KEY.workers, '-inf', now - POLICY.worker_ttl_ms)
for _, expired in ipairs(redis.call('ZRANGE', KEY.expiring, '-inf', now, 'BYSCORE', 'LIMIT', 0, 10 * limit)) do
  unlist(string.match(expired, '^(.+)/(.+)$'))
end

local are_paused = redis.call('HEXISTS', KEY.service, 'workers') == 1

local function look_at(turn)
  local was = look_up(turn)
  if not AFTER[was.status] then
    redis.call('ZREM', KEY.due, turn)
    return 'GONE'
  end
  if was.status == 'in_progress' then
    if now < leases_run_out_from then
      redis.call('ZADD', KEY.due, leases_run_out_from, turn)
      return 'WAITING'
    end
    if tonumber(was.attempt) >= POLICY.max_attempts then
      finish(turn, was, AFTER[was.status].lose, 'worker_lost', now, 'error_code', 'worker_lost')
      return 'LOST'
    end
    count('rescued')
    requeue(turn, was.claims, 'rescue', was.attempt + 1, now)
    dispatch(turn, now, was.session, was.lane)
    return 'RESCUED'
  end
  if are_paused then
    redis.call('ZADD', KEY.due, now + POLICY.paused_look_ms, turn)
    return 'WAITING'
  end
  if not was.retry_at and was.hinted_at and still_in_list(was.hinted_at) then
    -- Later each time, so that a long backlog is not looked at more often than it moves.
    redis.call('ZADD', KEY.due, now + math.max(POLICY.hint_grace_ms, (now - was.hinted_at) / 2), turn)
    return 'WAITING'
  end
  redis.call('HDEL', KEY.turn .. turn, 'retry_at')
  dispatch(turn, now, was.session, was.lane)
  return 'DISPATCHED'
end

local function expire(turn)
  local was = look_up(turn)
  local to = (AFTER[was.status] or {}).expire
  if not to then
    redis.call('ZREM', KEY.start_by, turn)
    return 'GONE'
  end
  finish(turn, was, to, 'expired', now, 'status_reason', 'expired')
  return 'EXPIRED'
end

local seen = {}
for _, turn in ipairs(redis.call('ZRANGE', KEY.start_by, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  seen[#seen + 1] = turn
  seen[#seen + 1] = expire(turn)
end
for _, turn in ipairs(redis.call('ZRANGE', KEY.due, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  seen[#seen + 1] = turn
  seen[#seen + 1] = look_at(turn)
end
return seen
