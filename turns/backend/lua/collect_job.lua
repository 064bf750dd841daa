#!lua flags=allow-oom
-- collect_job: Append turns to those of a job, and give its present step more time.
--
-- ARGV  1 job
--       2 token
--       3 number of turns that were appended before; any further ones are those of a step that was not finished
--       4… turns, as `<tenant>/<turn id>`; none only gives more time
-- Reply COUNTED, number of turns of the job
--       LOST           another process does this step
--
-- requires: now_ms

local job, token, before = ARGV[1], ARGV[2], tonumber(ARGV[3])
local turns = {unpack(ARGV, 4)}
local key = KEY.job_turns .. job
if redis.call('HGET', KEY.job .. job, 'token') ~= token then return {'LOST'} end
if before == 0 then redis.call('DEL', key) else redis.call('LTRIM', key, 0, before - 1) end
if #turns > 0 then
  redis.call('RPUSH', key, unpack(turns))
  redis.call('PEXPIRE', key, POLICY.job_ttl_ms)
end
redis.call('ZADD', KEY.jobs_due, 'XX', now_ms() + POLICY.job_lease_ms, job)
return {'COUNTED', before + #turns}
