-- End turns; loaded in front of every verb.

-- Release the turn's slots, because it waits or has ended, and dispatch turns that wait for a slot of its groups.
--
-- A group whose limit was removed meanwhile is cleaned up too. A dispatched turn may have to wait for its other group.
local function release_slots(turn, session, lane, now)
  local next_turns = {}
  for _, group in ipairs(groups_of(session, lane)) do
    local slots, waiters = KEY.out .. group[1], KEY.parked .. group[1]
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

-- End a turn for good and let its session continue with the next one.
--
-- `was` is the record as read before. `reason` is the error code, or the status reason, or ''. `...` are further fields
-- of the record.
local function finish(turn, was, status, reason, now, ...)
  local session, key, queue, tenant = was.session, KEY.turn .. turn, KEY.queue .. was.session, tenant_of(was.session)
  local head, second = unpack(redis.call('LRANGE', queue, 0, 1))
  redis.call('HSET', key, 'status', status, 'finished_at', now, 'expires_at', now + POLICY.result_ttl_ms, ...)
  redis.call('PEXPIRE', key, POLICY.result_ttl_ms)
  redis.call('ZADD', KEY.expiring, now + POLICY.result_ttl_ms, session .. '/' .. turn)
  append_event(turn, was.claims .. '-*', was.attempt, 'done', status)
  redis.call('PEXPIRE', KEY.events .. turn, POLICY.event_ttl_ms)
  if was.idempotency then redis.call('PEXPIRE', KEY.idempotency .. was.idempotency, POLICY.result_ttl_ms) end
  if status == 'failed' then redis.call('ZADD', KEY.failed, now, tenant .. '/' .. turn) end
  if was.start_by then redis.call('ZREM', KEY.start_by, turn) end
  if was.status == 'queued' then redis.call('ZREM', KEY.waiting, turn) end
  redis.call('ZREM', KEY.due, turn)
  redis.call('LREM', queue, 1, turn)
  release_definition(was.definition)
  settle_quota(was, tenant, status)
  -- Completed turns are not counted here, because the buckets of their durations add up to their number.
  if status ~= 'completed' then count('ended|' .. status .. '|' .. reason) end
  redis.call('HINCRBY', KEY.service, 'live', -1)
  release_slots(turn, session, was.lane, now)
  if head == turn and not second then
    start_session_retention(session, now)
  else
    if head == turn then dispatch(second, now) end
    redis.call('PUBLISH', KEY.moved .. session, '')
  end
  redis.call('PUBLISH', KEY.ended, turn)
end

-- End a live turn without effect, and notify the worker that runs it, which has lost its lease.
local function cancel_turn(turn, was, now)
  finish(turn, was, AFTER[was.status].cancel, '', now)
  if was.status == 'in_progress' then redis.call('PUBLISH', KEY.stopped, turn) end
end

-- Remove turns whose record is gone, because the store evicted or a person deleted it. Return the turns that are still live.
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
