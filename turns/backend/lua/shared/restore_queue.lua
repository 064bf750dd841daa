-- requires: count, slots

-- Restore the queue of a session that has lost this head, from the list of its turns. Return whether that was needed.
local function restore_queue(head, session)
  if redis.call('LPOS', KEY.queue .. session, head) then return false end
  local live = {head}
  for _, turn in ipairs(redis.call('ZRANGE', KEY.session_turns .. session, 0, -1)) do
    if turn ~= head and is_live(turn) then live[#live + 1] = turn end
  end
  redis.call('DEL', KEY.queue .. session)
  redis.call('RPUSH', KEY.queue .. session, unpack(live))
  count('repaired|queue')
  return true
end
