-- requires: serve_waiters, slots

-- Release the turn's slots, because it waits or has ended, and dispatch the next turn of each of its groups.
--
-- A group whose limit was removed meanwhile is cleaned up too. The slots of all groups are free before the first dispatch.
local function release_slots(turn, was, now)
  local groups, names = groups_of(was), {}
  for _, group in ipairs(groups) do
    names[#names + 1], names[#names + 2] = KEY.slots .. group[1], KEY.slot_waiters .. group[1]
  end
  if redis.call('EXISTS', unpack(names)) == 0 then return end
  for i = 1, #names, 2 do
    redis.call('SREM', names[i], turn)
    redis.call('ZREM', names[i + 1], turn)
  end
  for _, group in ipairs(groups) do serve_waiters(group[1], 1, now) end
end
