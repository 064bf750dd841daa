#!lua flags=allow-oom
-- fold_usage: Replace the oldest entries of the list of usage by sums that contain them, each entry once.
--
-- The worker adds up, because that would keep Redis from other scripts for 2 ms. The sums are of use only if no other
-- worker has folded since it read them, which the number of folds tells.
--
-- ARGV  1 number of folds before the sums were read
--       2 number of entries that they contain
--       3 number of arguments for counters
--       4… counters of the metrics, as field, number; then for each hash: key, time (ms) at which it expires, number of
--         arguments for its rows, row, sums, row, sums, …
-- Reply FOLDED  the sums are stored
--       LOST    another worker has folded since; nothing was changed
--
-- requires: count

local folds, entries, counters = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if (redis.call('HGET', KEY.service, 'usage_folds') or '0') ~= folds then return {'LOST'} end

for i = 4, 3 + counters, 2 do count(ARGV[i], ARGV[i + 1]) end
local i = 4 + counters
while ARGV[i] do
  local key, expires_at, size = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  redis.call('HSET', key, unpack(ARGV, i + 3, i + 2 + size))
  redis.call('PEXPIREAT', key, expires_at)
  i = i + 3 + size
end
redis.call('LTRIM', KEY.usage_entries, entries, -1)
redis.call('HINCRBY', KEY.service, 'usage_folds', 1)
return {'FOLDED'}
