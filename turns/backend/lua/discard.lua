#!lua flags=allow-oom
-- discard: Remove turns from the list of unresolved failed ones, and keep them for an undo. Their records stay.
--
-- ARGV  1 job
--       2 token, or '' in a partition that does not know the job, because the home partition has checked the claim
--       3… turns, as `<tenant>/<turn id>`
-- Reply COUNTED, number of these turns that the job has discarded, now or in an earlier run
--       LOST              another process does this step, or the job has ended

local job, token, turns = ARGV[1], ARGV[2], {unpack(ARGV, 3)}
if token ~= '' and (redis.call('HGET', KEY.job .. job, 'token') ~= token or not redis.call('ZSCORE', KEY.jobs_due, job)) then
  return {'LOST'}
end
local key, count = KEY.discarded .. job, 0
for _, turn in ipairs(turns) do
  local failed_at = redis.call('ZSCORE', KEY.failed, turn)
  if failed_at then
    redis.call('ZREM', KEY.failed, turn)
    redis.call('ZADD', key, failed_at, turn)
  end
  if failed_at or redis.call('ZSCORE', key, turn) then count = count + 1 end
end
redis.call('PEXPIRE', key, POLICY.job_ttl_ms)
return {'COUNTED', count}
