#!lua flags=allow-oom
-- forget_user: Give rows of a day's sums of usage, which belong to one user, to no user.
--
-- Sums that a worker has read before this are of no use to it, so the number of folds rises.
--
-- ARGV  1 key of the sums by user of a tenant and day
--       2… rows, each followed by the row without a user
-- Reply COUNTED, number  number of rows that belonged to the user

local key, forgotten = ARGV[1], 0
for i = 2, #ARGV, 2 do
  local sums = redis.call('HGET', key, ARGV[i])
  if sums then
    local total, present = {}, string.gmatch(redis.call('HGET', key, ARGV[i + 1]) or '', '[^|]+')
    for number in string.gmatch(sums, '[^|]+') do
      total[#total + 1] = string.format('%.0f', number + tonumber(present() or 0))
    end
    redis.call('HSET', key, ARGV[i + 1], table.concat(total, '|'))
    redis.call('HDEL', key, ARGV[i])
    forgotten = forgotten + 1
  end
end
if forgotten > 0 then redis.call('HINCRBY', KEY.service, 'usage_folds', 1) end
return {'COUNTED', forgotten}
