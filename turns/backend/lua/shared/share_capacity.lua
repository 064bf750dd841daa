-- requires: read_record, sharing_groups, tenant_of, transitions

-- Return whether a queued or running head occupies a worker, or its hint is on the way to one.
local function is_dispatched(turn, was)
  if not AFTER[was.status] or was.retry_at or was.paused_by then return false end
  if was.status ~= POLICY.initial then return true end
  return tonumber(was.hinted_at or 0) >= tonumber(redis.call('ZSCORE', KEY.waiting, turn) or 0)
end

local function count_turn(turn, queue)
  local was, groups = read_record(turn), {}
  if was.queue == queue and is_dispatched(turn, was) then
    add_sharing_groups(groups, was, tenant_of(was.session))
    for _, group in ipairs(groups) do redis.call('SADD', KEY.slots .. group[1], turn) end
  end
end

-- Count the slots of all heads of this queue, because nothing has counted them so far. A head whose record another program
-- has replaced is passed over: it must not keep new turns from being accepted.
local function count_slots(queue)
  for _, turn in ipairs(redis.call('ZRANGE', KEY.due, 0, -1)) do pcall(count_turn, turn, queue) end
end

-- Return the capacity if turns share it with this one, else nil.
--
-- Nothing is counted before the live turns exceed the share of one group: until then, no group can exceed its share. So
-- turns cost nothing more while the workers are not nearly full.
local function share_capacity(queue, capacity, shared_since, live, now)
  capacity = tonumber(capacity)
  if not capacity or shared_since then return capacity end
  local min_heads = capacity * MAX_PERCENT / 100
  if live < min_heads or capacity - min_heads < 1 or redis.call('ZCARD', KEY.due) < min_heads then return nil end
  count_slots(queue)
  redis.call('HSET', KEY.service, (queue and 'chain_' or '') .. 'shared_since', now)
  return capacity
end
