-- Who shares the workers; loaded in front of every verb.
--
-- Of each group only so many heads are out for a worker at once; the others are parked, in order. A tenant is a group, and
-- so is the lane `batch`: a tenant with a thousand sessions, or a night's batch, leaves room for everybody else.

-- The groups of a turn of this session and lane, each as name and most; 0: it has no limit now.
local function groups_of(session, lane)
  local groups = {{'tenant:' .. tenant_of(session), POLICY.tenant_concurrency}}
  if lane == 'batch' then groups[2] = {'lane:batch', POLICY.batch_concurrency} end
  return groups
end

local function is_live(turn)
  return AFTER[redis.call('HGET', KEY.turn .. turn, 'status')] ~= nil
end

-- Whether the group has no place. Of those who are out some are looked at, for who was lost with its record stays there.
local MOST_TRIES = 4
local function is_full(name, most)
  if redis.call('SCARD', KEY.out .. name) < most then return false end
  for _, turn in ipairs(redis.call('SRANDMEMBER', KEY.out .. name, MOST_TRIES)) do
    if not is_live(turn) then redis.call('SREM', KEY.out .. name, turn) end
  end
  return redis.call('SCARD', KEY.out .. name) >= most
end

-- Whether the turn has a place in each of its groups, now; else it is parked in the one that is full.
local function take_place(turn, session, lane, now)
  local groups = groups_of(session, lane)
  for _, group in ipairs(groups) do
    local name, most = unpack(group)
    if most > 0 and redis.call('SISMEMBER', KEY.out .. name, turn) == 0 and is_full(name, most) then
      redis.call('ZADD', KEY.parked .. name, 'NX', now, turn)
      return false
    end
  end
  for _, group in ipairs(groups) do
    local name, most = unpack(group)
    if most > 0 then
      redis.call('SADD', KEY.out .. name, turn)
      redis.call('ZREM', KEY.parked .. name, turn)
    end
  end
  return true
end

-- The turn is out for no worker any more, also where the limit has been lifted since it came. Returns those who may try to
-- take its place: each may be parked elsewhere.
local function leave_place(turn, session, lane)
  local next_turns = {}
  for _, group in ipairs(groups_of(session, lane)) do
    local out, parked = KEY.out .. group[1], KEY.parked .. group[1]
    if redis.call('EXISTS', out, parked) > 0 then
      redis.call('SREM', out, turn)
      redis.call('ZREM', parked, turn)
      for _, other in ipairs(redis.call('ZRANGE', parked, 0, MOST_TRIES - 1)) do
        if is_live(other) then next_turns[#next_turns + 1] = other else redis.call('ZREM', parked, other) end
      end
    end
  end
  return next_turns
end
