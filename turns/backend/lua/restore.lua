#!lua flags=allow-oom
-- restore: Put discarded turns back on the list of unresolved failed ones, unless their records have expired.
--
-- ARGV  1 job that has discarded them
--       2… turns, as `<tenant>/<turn id>`
-- Reply COUNTED, number of turns that were put back

local job, turns = ARGV[1], {unpack(ARGV, 2)}
local key, count = KEY.discarded .. job, 0
for _, turn in ipairs(turns) do
  local failed_at = redis.call('ZSCORE', key, turn)
  if failed_at and redis.pcall('HGET', KEY.turn .. string.match(turn, '/(.+)$'), 'status') == 'failed' then
    redis.call('ZREM', key, turn)
    redis.call('ZADD', KEY.failed, failed_at, turn)
    count = count + 1
  end
end
return {'COUNTED', count}
