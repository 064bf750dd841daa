#!lua flags=allow-oom
-- stop_job: Let a job end after its present step.
--
-- ARGV  1 job
-- Reply CANCELLED  it ends within moments, or after the time of a step if its process has died
--       ENDED      it had ended before
--       GONE       there is no such job

local job = ARGV[1]
if redis.call('EXISTS', KEY.job .. job) == 0 then return {'GONE'} end
if not redis.call('ZSCORE', KEY.jobs_due, job) then return {'ENDED'} end
redis.call('HSET', KEY.job .. job, 'is_stopping', 1)
return {'CANCELLED'}
