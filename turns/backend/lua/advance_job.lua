#!lua flags=allow-oom
-- advance_job: Record the progress of a job after a step, and let any process do the next one.
--
-- The fields are whole numbers and texts, no increments, so that a repeated call changes nothing.
--
-- ARGV  1 job
--       2 token
--       3 milliseconds until the next step, or '' if the job has ended
--       4… fields of its record: field, value, …
-- Reply RELEASED  the job is due after this time
--       ENDED     the job has ended
--       LOST      another process does this step
--
-- requires: now_ms

local job, token, next_ms = unpack(ARGV, 1, 3)
local fields = {unpack(ARGV, 4)}
local key, now = KEY.job .. job, now_ms()
if redis.call('HGET', key, 'token') ~= token then return {'LOST'} end
redis.call('HSET', key, unpack(fields))
redis.call('PEXPIRE', key, POLICY.job_ttl_ms)
if next_ms == '' then
  redis.call('HSETNX', key, 'finished_at', now)
  redis.call('ZREM', KEY.jobs_due, job)
  redis.call('UNLINK', KEY.job_turns .. job)
  return {'ENDED'}
end
redis.call('PEXPIRE', KEY.job_turns .. job, POLICY.job_ttl_ms)
redis.call('ZADD', KEY.jobs_due, 'XX', now + next_ms, job)
return {'RELEASED'}
