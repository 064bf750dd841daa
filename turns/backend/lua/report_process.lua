#!lua flags=allow-oom
-- report_process: Record what a process reports about itself, and return which store this is.
--
-- ARGV  1 process
--       2 its kind: 'loop', 'chains' or 'web'
--       3 id for the store, if it has none yet
--       4 '1' if the process knows that callers need an API key, else '0'
--       5… fields of its record, as name, value, name, value
-- Reply REPORTED, id of the store, time (ms) at which it got that id, '1' if callers need an API key, else '0'
--
-- requires: now_ms

local process, kind, proposed_id, needs_keys = unpack(ARGV, 1, 4)
local key, now = KEY.process .. process, now_ms()

-- Record a time in which no worker of this kind was running.
local function follow_gaps()
  local field = kind .. '_seen_at'
  local seen_at = tonumber(redis.call('HGET', KEY.service, field) or now)
  if now - seen_at > POLICY.no_worker_ms then
    redis.call('LPUSH', KEY.worker_gaps .. kind, seen_at .. '|' .. now)
    redis.call('LTRIM', KEY.worker_gaps .. kind, 0, POLICY.max_gaps - 1)
  end
  redis.call('HSET', KEY.service, field, now)
end

if redis.call('HGET', key, 'ended_by') ~= 'left' then  -- otherwise this is a late report
  redis.call('HSETNX', key, 'started_at', now)
  redis.call('HSET', key, 'kind', kind, 'seen_at', now, unpack(ARGV, 5))
  redis.call('HDEL', key, 'ended_at', 'ended_by')
  redis.call('PEXPIRE', key, POLICY.worker_ttl_ms)
  redis.call('ZADD', KEY.processes, now, process)
  if kind ~= 'web' then follow_gaps() end
end
redis.call('ZREMRANGEBYSCORE', KEY.processes, '-inf', now - POLICY.worker_ttl_ms)
redis.call('ZREMRANGEBYRANK', KEY.processes, 0, -1 - POLICY.max_processes)

if redis.call('HSETNX', KEY.service, 'store_id', proposed_id) == 1 then
  redis.call('HSET', KEY.service, 'store_id_since', now)
end
if needs_keys == '1' then redis.call('HSETNX', KEY.service, 'locked', 1) end
local id, since, locked = unpack(redis.call('HMGET', KEY.service, 'store_id', 'store_id_since', 'locked'))
return {'REPORTED', id, since or '0', locked and '1' or '0'}
