-- The slots that this partition of a Redis Cluster has of the `concurrency` of an assistant: those that the coordinator has
-- given it, else an equal part. For each partition, `rendering.py` lets `slots.lua` call this instead of reading the limit.
-- A group with the limit 0 would have none, so no slot is half of one, and `slots.lua` rounds it down there.
local function partition_slots(assistant, concurrency)
  local given = redis.call('HGET', KEY.assistant_slots, assistant)
  local slots, of = string.match(given or '', '^(%d+)|(%d+)$')
  if of ~= concurrency then slots = math.floor(concurrency / POLICY.partitions) end
  return math.max(0.5, slots)
end
