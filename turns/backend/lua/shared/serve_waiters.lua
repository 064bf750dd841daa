-- requires: dispatch, slots

-- Dispatch at most `max_turns` turns that wait for a slot of this group, oldest first, until it is full, and look at a few
-- more. Turns that no longer wait, because they have ended or a late hint has started them, leave the list.
local MAX_PASSED = 3  -- turns that have to wait for another of their groups
local function serve_waiters(name, max_turns, now)
  local waiters, dispatched = KEY.slot_waiters .. name, 0
  for _, turn in ipairs(redis.call('ZRANGE', waiters, 0, max_turns + MAX_PASSED - 1)) do
    local was, full = read_slot_fields(turn), nil
    local is_waiting = was and was.status == POLICY.initial
    if is_waiting then full = dispatch_turn(turn, now, was) end
    if full == name then return end
    redis.call('ZREM', waiters, turn)
    if is_waiting and not full then dispatched = dispatched + 1 end
    if dispatched == max_turns then return end
  end
end
