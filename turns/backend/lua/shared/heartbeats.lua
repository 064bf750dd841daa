-- requires: count

-- If the last heartbeat is in the future, the clock was set back, or another server with an earlier clock is the primary
-- now. Then let each head, hold and pause be checked at once, because the times in the indexes are too late, and return true.
local function follow_clock(now)
  local newest = redis.call('ZRANGE', KEY.workers, 0, 0, 'REV', 'WITHSCORES')[2]
  if not newest or newest - now < POLICY.clock_step_ms then return false end
  redis.call('ZREMRANGEBYSCORE', KEY.workers, now, '+inf')
  redis.call('HSET', KEY.service, 'renewable_since', now)  -- also if a heartbeat before `now` remains
  for _, index in ipairs({KEY.due, KEY.holds, KEY.pauses, KEY.crowded}) do redis.call('ZUNIONSTORE', index, 1, index, 'WEIGHTS', 0) end
  count('repaired|clock')
  return true
end

-- If no worker has sent a heartbeat for a while, the store was unreachable and no lease could be renewed. Leases then
-- run out one lease time from now at the earliest; likewise if the clock was set back to before that moment.
local function leases_can_run_out_from(now)
  local newest = redis.call('ZRANGE', KEY.workers, 0, 0, 'REV', 'WITHSCORES')[2]
  local since = tonumber(redis.call('HGET', KEY.service, 'renewable_since') or 0)
  if not newest or now - newest > POLICY.beat_gap_ms or since > now then
    redis.call('HSET', KEY.service, 'renewable_since', now)
    since = now
  end
  return since + POLICY.lease_ms
end
