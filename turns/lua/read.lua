#!lua flags=no-writes
-- read: one turn as it is now, and what it waits for.
--
-- ARGV  1 turn id
-- Reply FOUND, record, position, turn ahead, pace  as `show` describes them
--       GONE                                       there is no such turn

if redis.call('EXISTS', KEY.turn .. ARGV[1]) == 0 then return {'GONE'} end
return show('FOUND', ARGV[1])
