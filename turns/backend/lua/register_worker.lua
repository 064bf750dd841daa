#!lua flags=allow-oom
-- register_worker: Record that this worker keeps a subscription to its channel, so that its end can be noticed at once.
--
-- ARGV  1 worker
--       2 '1' if this process was registered before, else '0'
-- Reply CONNECTED  the worker is registered; if it had been removed meanwhile, that was a false alarm
--
-- requires: count

local worker, again = ARGV[1], ARGV[2]
if redis.call('SADD', KEY.connected, worker) == 1 and again == '1' then count('returned') end
return {'CONNECTED'}
