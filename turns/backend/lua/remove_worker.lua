#!lua flags=allow-oom
-- remove_worker: Remove a worker that leaves from all lists of workers.
--
-- ARGV  1 worker
--       2 its kind
-- Reply RECORDED  also when this script runs a second time
--
-- requires: end_process, now_ms

local worker, kind = ARGV[1], ARGV[2]
local now = now_ms()
if redis.call('ZREM', KEY.workers, worker) == 1 then redis.call('HSET', KEY.service, kind .. '_seen_at', now) end
redis.call('SREM', KEY.connected, worker)
redis.call('HDEL', KEY.worker_models, worker)
redis.call('HDEL', KEY.worker_slots, worker)
end_process(worker, 'left', now)
return {'RECORDED'}
