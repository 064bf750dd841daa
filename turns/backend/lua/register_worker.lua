#!lua flags=allow-oom
-- register_worker: Record that this worker keeps a subscription to its channel, so that its end can be noticed at once.
--
-- ARGV  1 worker
--       2 its default model
--       3 '1' if this process was registered before, else '0'
-- Reply CONNECTED, model, …  the worker is registered; if it had been removed meanwhile, that was a false alarm. Each
--                  model is that of a registered worker which has another one
--
-- requires: count

local worker, model, again = unpack(ARGV, 1, 3)
if redis.call('SADD', KEY.connected, worker) == 1 and again == '1' then count('returned') end
redis.call('HSET', KEY.worker_models, worker, model)

local reply, models = {'CONNECTED'}, redis.call('HGETALL', KEY.worker_models)
for i = 1, #models, 2 do
  if redis.call('SISMEMBER', KEY.connected, models[i]) == 0 then
    redis.call('HDEL', KEY.worker_models, models[i])
  elseif models[i + 1] ~= model then
    reply[#reply + 1] = models[i + 1]
  end
end
return reply
