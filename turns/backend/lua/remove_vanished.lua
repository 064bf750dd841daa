#!lua flags=allow-oom
-- remove_vanished: Remove a registered worker whose subscription has ended, from all lists of workers.
--
-- ARGV  1 worker
-- Reply LOST       the worker was removed; its turns have been taken away from it
--       CONNECTED  it is subscribed again
--       GONE       it was removed before
--
-- requires: count, count_death, end_process, now_ms

local worker = ARGV[1]
if redis.call('PUBSUB', 'NUMSUB', KEY.connection .. worker)[2] > 0 then return {'CONNECTED'} end
if redis.call('SREM', KEY.connected, worker) == 0 then return {'GONE'} end
redis.call('ZREM', KEY.workers, worker)
count('vanished')
count_death(worker)
end_process(worker, 'vanished', now_ms())
return {'LOST'}
