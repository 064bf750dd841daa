#!lua flags=allow-oom
-- claim_job: Let a process do the next step of the job that is due first. If the process dies, another one does the
-- step again, because the job is due once more after the time that a step may take.
--
-- ARGV  1 token, which allows the step to write
-- Reply CLAIMED, job, record
--       NOT_NOW, ms       the next job is due after this time; -1: there is none
--
-- requires: now_ms, replayed

local token, now = ARGV[1], now_ms()
local due = redis.call('ZRANGE', KEY.jobs_due, 0, -1, 'WITHSCORES')  -- at most `max_open_jobs`
for i = 1, #due, 2 do  -- the reply of the first run was lost
  local key = KEY.job .. due[i]
  if redis.pcall('HGET', key, 'token') == token then return replayed({'CLAIMED', due[i], redis.call('HGETALL', key)}) end
end
for i = 1, #due, 2 do
  local job, at = due[i], tonumber(due[i + 1])
  if redis.call('TYPE', KEY.job .. job).ok ~= 'hash' then  -- expired, or replaced by another program
    redis.call('ZREM', KEY.jobs_due, job)
  elseif at > now then
    return {'NOT_NOW', at - now}
  else
    redis.call('HSET', KEY.job .. job, 'token', token)
    redis.call('ZADD', KEY.jobs_due, now + POLICY.job_lease_ms, job)
    return {'CLAIMED', job, redis.call('HGETALL', KEY.job .. job)}
  end
end
return {'NOT_NOW', -1}
