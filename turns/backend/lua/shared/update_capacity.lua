-- requires: count_death, sharing_groups, slots

local QUEUES = {['chain_'] = 'chains', [''] = 'loop'}

-- Return the sum of the slots of all live workers by the prefix of their fields; false if one of them does not say.
local function sum_slots(now)
  local slots, sums = {}, {}
  local flat = redis.call('HGETALL', KEY.worker_slots)
  for i = 1, #flat, 2 do slots[flat[i]] = tonumber(flat[i + 1]) end
  for _, worker in ipairs(redis.call('ZRANGE', KEY.workers, now - POLICY.dead_worker_ms, '+inf', 'BYSCORE')) do
    local prefix = string.match(worker, ':chains$') and 'chain_' or ''
    if sums[prefix] ~= false then sums[prefix] = slots[worker] and (sums[prefix] or 0) + slots[worker] or false end
    slots[worker] = nil
  end
  for worker in pairs(slots) do  -- a worker that left, or that the clock has overtaken, has no heartbeat at all
    if redis.call('ZSCORE', KEY.workers, worker) then count_death(worker) end
    redis.call('HDEL', KEY.worker_slots, worker)
  end
  return sums
end

-- Record how many turns this worker can run at once, and the capacity of all workers. End the sharing of a capacity of
-- which a third of one group's share is free: the turns that have slots release them as they end, and the others start.
local function update_capacity(worker, slots, now)
  if slots > 0 then redis.call('HSET', KEY.worker_slots, worker, slots) end
  local heads = redis.call('ZCARD', KEY.due)
  for prefix, capacity in pairs(sum_slots(now)) do
    local min_heads = (capacity or 0) * MAX_PERCENT / 100
    redis.call('HSET', KEY.service, prefix .. 'capacity', capacity or '')
    if not capacity or capacity - min_heads < 1 or heads < min_heads * 2 / 3 then
      redis.call('HDEL', KEY.service, prefix .. 'shared_since')
    end
    evict_lost_holders(QUEUES[prefix])
  end
end
