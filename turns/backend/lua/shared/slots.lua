-- requires: sharing_groups, tenant_limits, tenant_of, transitions

-- Each group has a limited number of slots. A head occupies a slot from the moment at which it is dispatched; heads
-- without a slot wait in order. Each tenant is a group, and so are the lane `batch` and each assistant with a limit: a
-- tenant with a thousand sessions, a nightly batch, or a provider that hangs, leaves workers for all others. The turns
-- that have lost a worker once are a group, and those that have lost two, and those that have lost more: ever fewer of
-- them run at once, so that a turn that ends its workers soon takes no other one with it.

local SLOT_FIELDS = {'status', 'session', 'lane', 'queue', 'losses', 'accepted_at', 'assistant', 'concurrency', 'provider',
  'own_model', 'open_wait', 'resumed'}

-- Return the fields of a live record that its dispatch needs; nil if the turn has ended or has no record.
local function read_slot_fields(turn)
  local values, was = redis.pcall('HMGET', KEY.turn .. turn, unpack(SLOT_FIELDS)), {}
  for i, name in ipairs(SLOT_FIELDS) do was[name] = values[i] or nil end
  return AFTER[was.status] and was
end

-- Return the groups of a turn, each as name and number of slots; 0: the group has no limit at present. `tenant_slots` is
-- the limit of its tenant, which only matters if slots are taken; `capacity` is that of the workers while it is shared.
local function groups_of(was, tenant_slots, capacity)
  local tenant = tenant_of(was.session)
  local groups = {{'tenant:' .. tenant, tenant_slots or 0}}
  if was.lane == 'batch' then groups[2] = {'lane:batch', POLICY.batch_concurrency} end
  if was.concurrency then groups[#groups + 1] = {'assistant:' .. was.assistant, tonumber(was.concurrency)} end
  if was.losses then
    local sizes = POLICY.cohorts
    local cohort = math.min(tonumber(was.losses), #sizes)
    groups[#groups + 1] = {'losses:' .. cohort, sizes[cohort]}
  end
  add_sharing_groups(groups, was, tenant, capacity)
  return groups
end

local function tenant_slots_of(was, now)
  return tenant_limits(tenant_of(was.session), now).concurrency
end

local function is_limited(max_slots)
  return max_slots > 0 and max_slots < math.huge
end

-- Return whether the turn has a record and has not ended.
local function is_live(turn)
  return AFTER[redis.pcall('HGET', KEY.turn .. turn, 'status')] ~= nil
end

-- Sample a few holders of a group and evict those whose turn record is gone, because such a turn never releases its slot.
local MAX_SAMPLES = 4
local function evict_lost_holders(name)
  for _, turn in ipairs(redis.call('SRANDMEMBER', KEY.slots .. name, MAX_SAMPLES)) do
    if not is_live(turn) then redis.call('SREM', KEY.slots .. name, turn) end
  end
end

-- Return true if the group has no free slot for this turn, or other turns wait for one.
local function is_full(name, max_slots, turn, was)
  if redis.call('SISMEMBER', KEY.slots .. name, turn) == 1 then return false end
  if redis.call('SCARD', KEY.slots .. name) >= max_slots then
    evict_lost_holders(name)
    if redis.call('SCARD', KEY.slots .. name) >= max_slots then return true end
  end
  local first = redis.call('ZRANGE', KEY.slot_waiters .. name, 0, 0)[1]
  return first ~= nil and first ~= turn and not was.losses
end

-- Acquire a slot in each of the turn's groups. If one of them is full, let the turn wait for it and return its name.
-- A turn whose worker was lost goes before turns that have not begun, and one that was paused before younger ones.
local function acquire_slots(turn, was, now, capacity)
  local groups = groups_of(was, tenant_slots_of(was, now), capacity)
  for i, group in ipairs(groups) do
    local name, max_slots = unpack(group)
    if is_limited(max_slots) and is_full(name, max_slots, turn, was) then
      local is_older = was.losses or was.resumed  -- than its present wait
      local since = is_older and was.accepted_at or redis.call('ZSCORE', KEY.waiting, turn) or now
      redis.call('ZADD', KEY.slot_waiters .. name, 'NX', since, turn)
      redis.call('ZADD', KEY.crowded, 'NX', now + POLICY.crowd_poll_ms, name)
      for j = 1, i - 1 do  -- it waits for one group at a time
        if is_limited(groups[j][2]) then redis.call('ZREM', KEY.slot_waiters .. groups[j][1], turn) end
      end
      return name
    end
  end
  for _, group in ipairs(groups) do
    local name, max_slots = unpack(group)
    if max_slots > 0 then
      redis.call('SADD', KEY.slots .. name, turn)
      if is_limited(max_slots) then redis.call('ZREM', KEY.slot_waiters .. name, turn) end
    end
  end
  return nil
end

-- Return whether the turn occupies a slot in each of its groups with a fixed limit.
local function holds_slots(turn, was, now)
  for _, group in ipairs(groups_of(was, tenant_slots_of(was, now))) do
    if group[2] > 0 and redis.call('SISMEMBER', KEY.slots .. group[1], turn) == 0 then return false end
  end
  return true
end
