-- requires: tenant_of, transitions

-- Each group has a limited number of slots. A head occupies a slot from the moment at which it is dispatched; heads
-- without a slot wait in order. Each tenant is a group, and so is the lane `batch`: a tenant with a thousand sessions, or
-- a nightly batch, leaves workers for all others.

-- Return the groups of a turn, each as name and number of slots; 0: the group has no limit at present.
local function groups_of(session, lane)
  local groups = {{'tenant:' .. tenant_of(session), POLICY.tenant_concurrency}}
  if lane == 'batch' then groups[2] = {'lane:batch', POLICY.batch_concurrency} end
  return groups
end

-- Return whether the turn has a record and has not ended.
local function is_live(turn)
  return AFTER[redis.call('HGET', KEY.turn .. turn, 'status')] ~= nil
end

-- Return true if the group has no free slot. Samples a few holders and evicts those whose turn record is gone, because
-- such a turn never releases its slot.
local MAX_SAMPLES = 4
local function is_full(name, max_slots)
  if redis.call('SCARD', KEY.slots .. name) < max_slots then return false end
  for _, turn in ipairs(redis.call('SRANDMEMBER', KEY.slots .. name, MAX_SAMPLES)) do
    if not is_live(turn) then redis.call('SREM', KEY.slots .. name, turn) end
  end
  return redis.call('SCARD', KEY.slots .. name) >= max_slots
end

-- Acquire a slot in each of the turn's groups and return true; if one of them is full, let the turn wait for it.
local function acquire_slots(turn, session, lane, now)
  local groups = groups_of(session, lane)
  for _, group in ipairs(groups) do
    local name, max_slots = unpack(group)
    if max_slots > 0 and redis.call('SISMEMBER', KEY.slots .. name, turn) == 0 and is_full(name, max_slots) then
      redis.call('ZADD', KEY.slot_waiters .. name, 'NX', now, turn)
      return false
    end
  end
  for _, group in ipairs(groups) do
    local name, max_slots = unpack(group)
    if max_slots > 0 then
      redis.call('SADD', KEY.slots .. name, turn)
      redis.call('ZREM', KEY.slot_waiters .. name, turn)
    end
  end
  return true
end
