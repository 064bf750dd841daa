-- requires: cancel_turn, dispatch, read_record, slots

-- Remove turns whose record is gone, because it was evicted or deleted. Return the turns that are still live.
local function remove_lost_turns(session, live, now)
  local kept = {}
  for _, turn in ipairs(live) do
    if is_live(turn) then
      kept[#kept + 1] = turn
    else
      redis.call('LREM', KEY.queue .. session, 1, turn)
      redis.call('HINCRBY', KEY.service, 'live', -1)
    end
  end
  if kept[1] and kept[1] ~= live[1] then dispatch(kept[1], now) end
  return kept
end

-- Cancel the live turns of a session. If `on_busy` is 'interrupt', ask the running one to end with its partial answer
-- instead. Return the number of turns that are still live.
local function clear_session(live, on_busy, now)
  local ahead = #live
  for i = ahead, 1, -1 do  -- from the last to the first, because the end of a head would dispatch the turn behind it
    local was = read_record(live[i])
    if was.status == 'in_progress' and on_busy == 'interrupt' then
      redis.call('HSET', KEY.turn .. live[i], 'superseded', 1)
      redis.call('PUBLISH', KEY.stopped, live[i])
    else
      cancel_turn(live[i], was, now)
      ahead = ahead - 1
    end
  end
  return ahead
end
