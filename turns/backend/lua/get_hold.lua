#!lua flags=no-writes
-- get_hold: Return the hold of a model in this partition, as other partitions must know it.
--
-- ARGV  1 name of the hold
-- Reply FOUND, ms until its next probe (negative after that time), number of turns that wait for it, ms for which the
--             first of them has waited, 1 if its probe is live or else 0, fields of the hold as name, value, …
--       GONE  there is no such hold
--
-- requires: admit, by_name, now_ms

local name, now = ARGV[1], now_ms()
local fields = redis.call('HGETALL', KEY.hold .. name)
local hold = by_name(fields)
if not hold['until'] then return {'GONE'} end
local oldest = redis.call('ZRANGE', KEY.held .. name, 0, 0, 'WITHSCORES')[2]
return {'FOUND', hold['until'] - now, redis.call('ZCARD', KEY.held .. name), oldest and now - oldest or 0,
  is_probing(name, hold.probe) and 1 or 0, fields}
