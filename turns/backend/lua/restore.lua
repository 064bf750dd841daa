#!lua flags=allow-oom
-- restore: Put discarded turns back on the list of unresolved failed ones, unless their records have expired.
--
-- ARGV  1 job
--       2 token, or '' in a partition that does not know the job, because the home partition has checked the claim
--       3 job that has discarded them
--       4… turns, as `<tenant>/<turn id>`
-- Reply COUNTED, number of these turns that are on the list, put back now or in an earlier run
--       LOST              another process does this step, or the job has ended

local job, token, discarded_by = unpack(ARGV, 1, 3)
local turns = {unpack(ARGV, 4)}
if token ~= '' and (redis.call('HGET', KEY.job .. job, 'token') ~= token or not redis.call('ZSCORE', KEY.jobs_due, job)) then
  return {'LOST'}
end
local key, count = KEY.discarded .. discarded_by, 0
for _, turn in ipairs(turns) do
  local failed_at = redis.call('ZSCORE', key, turn)
  if failed_at and redis.pcall('HGET', KEY.turn .. string.match(turn, '/(.+)$'), 'status') == 'failed' then
    redis.call('ZREM', key, turn)
    redis.call('ZADD', KEY.failed, failed_at, turn)
  end
  if redis.call('ZSCORE', KEY.failed, turn) then count = count + 1 end
end
return {'COUNTED', count}
