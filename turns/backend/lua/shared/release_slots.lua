-- requires: dispatch, slots

-- Release the turn's slots, because it waits or has ended, and dispatch turns that wait for a slot of its groups.
--
-- A group whose limit was removed meanwhile is cleaned up too. A dispatched turn may have to wait for its other group.
local function release_slots(turn, was, now)
  local next_turns = {}
  for _, group in ipairs(groups_of(was)) do
    local slots, waiters = KEY.slots .. group[1], KEY.slot_waiters .. group[1]
    if redis.call('EXISTS', slots, waiters) > 0 then
      redis.call('SREM', slots, turn)
      redis.call('ZREM', waiters, turn)
      for _, other in ipairs(redis.call('ZRANGE', waiters, 0, MAX_SAMPLES - 1)) do
        if is_live(other) then next_turns[#next_turns + 1] = other else redis.call('ZREM', waiters, other) end
      end
    end
  end
  for _, other in ipairs(next_turns) do dispatch(other, now) end  -- now that the slots of all groups are free
end
