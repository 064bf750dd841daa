#!lua flags=allow-oom
-- create_job: Store a job, which web processes then carry out step by step.
--
-- ARGV  1 job id
--       2 digest of its specification
--       3 last time (ms) at which a turn may have been accepted or have failed, or '' for now
--       4… further fields of its record: field, value, …
-- Reply ACCEPTED, record    the job is stored and due
--       REPLAYED, record    it was stored before
--       KEY_REUSED          a different job has this id
--       OVERLOADED          too many jobs have not ended
--
-- requires: now_ms, replayed

local job, fingerprint, before = unpack(ARGV, 1, 3)
local fields = {unpack(ARGV, 4)}
local key, now = KEY.job .. job, now_ms()
local used = redis.call('HGET', key, 'fingerprint')
if used == fingerprint then return replayed({'REPLAYED', redis.call('HGETALL', key)}) end
if used then return {'KEY_REUSED'} end

local kept = {}
for _, listed in ipairs(redis.call('ZRANGE', KEY.jobs, 0, -1)) do  -- at most `max_jobs`
  if redis.call('EXISTS', KEY.job .. listed) == 1 then
    kept[#kept + 1] = listed
  else
    redis.call('ZREM', KEY.jobs, listed)
    redis.call('ZREM', KEY.jobs_due, listed)
  end
end
if redis.call('ZCARD', KEY.jobs_due) >= POLICY.max_open_jobs then return {'OVERLOADED'} end
local surplus = #kept - POLICY.max_jobs + 1
for _, oldest in ipairs(kept) do
  if surplus > 0 and not redis.call('ZSCORE', KEY.jobs_due, oldest) then
    redis.call('UNLINK', KEY.job .. oldest, KEY.discarded .. oldest)
    redis.call('ZREM', KEY.jobs, oldest)
    surplus = surplus - 1
  end
end

redis.call('HSET', key, 'fingerprint', fingerprint, 'created_at', now,
  'before', math.min(now, tonumber(before) or now), unpack(fields))
redis.call('PEXPIRE', key, POLICY.job_ttl_ms)
redis.call('ZADD', KEY.jobs, now, job)
redis.call('ZADD', KEY.jobs_due, now, job)
return {'ACCEPTED', redis.call('HGETALL', key)}
