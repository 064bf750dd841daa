-- The slots that this partition of a Redis Cluster has of the `concurrency` of an assistant: those that the coordinator has
-- given it, else an equal part. For each partition, `rendering.py` lets `slots.lua` call this instead of reading the limit.
-- Slots that were given for a lower `concurrency` count as well: its turns wait, and would do so for ever if those of the
-- higher one went first. A group with the limit 0 would have none, so no slot is half of one, and `slots.lua` rounds it
-- down there.
local function partition_slots(assistant, concurrency)
  local given = redis.call('HGET', KEY.assistant_slots, assistant)
  local slots, of = string.match(given or '', '^(%d+)|(%d+)$')
  if not of or tonumber(of) > tonumber(concurrency) then slots = math.floor(concurrency / POLICY.partitions) end
  return math.max(0.5, slots)
end
