-- How a turn ends; loaded in front of every verb.

-- Ends a turn for good and lets its session go on with the next one.
-- `was` is what was known of it; `why` is the error code, or what its caller may know of its end, or ''; `...` are
-- further fields of the record.
local function finish(turn, was, status, why, now, ...)
  local session, key, queue, tenant = was.session, KEY.turn .. turn, KEY.queue .. was.session, tenant_of(was.session)
  local head, second = unpack(redis.call('LRANGE', queue, 0, 1))
  redis.call('HSET', key, 'status', status, 'finished_at', now, 'expires_at', now + POLICY.result_ttl_ms, ...)
  redis.call('PEXPIRE', key, POLICY.result_ttl_ms)
  redis.call('ZADD', KEY.expiring, now + POLICY.result_ttl_ms, session .. '/' .. turn)
  emit(turn, was.claims .. '-*', was.attempt, 'done', status)
  redis.call('PEXPIRE', KEY.events .. turn, POLICY.event_ttl_ms)
  if was.idempotency then redis.call('PEXPIRE', KEY.idempotency .. was.idempotency, POLICY.result_ttl_ms) end
  if status == 'failed' then redis.call('ZADD', KEY.failed, now, tenant .. '/' .. turn) end
  if was.start_by then redis.call('ZREM', KEY.start_by, turn) end
  if was.status == 'queued' then redis.call('ZREM', KEY.waiting, turn) end
  redis.call('ZREM', KEY.due, turn)
  redis.call('LREM', queue, 1, turn)
  leave_definition(was.definition)
  settle_quota(was, tenant, status)
  if status ~= 'completed' then count('ended|' .. status .. '|' .. why) end  -- of those, each duration tells
  redis.call('HINCRBY', KEY.service, 'live', -1)
  give_way(turn, session, was.lane, now)
  if head == turn and not second then
    let_session_age(session, now)
  else
    if head == turn then dispatch(second, now) end
    redis.call('PUBLISH', KEY.moved .. session, '')
  end
  redis.call('PUBLISH', KEY.ended, turn)
end

-- Ends a live turn without effect, because somebody wants it no more. What still runs it is told, and has lost its lease.
local function drop(turn, was, now)
  finish(turn, was, AFTER[was.status].cancel, '', now)
  if was.status == 'in_progress' then redis.call('PUBLISH', KEY.stopped, turn) end
end

-- A turn whose record is gone, because the store evicted it or somebody deleted it, is live no more. Returns those that are.
local function forget_lost(session, live, now)
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

-- The live turns of a session make way for one that does not want to wait: they end, but the running one, where it is
-- interrupted, is told to end with what it has said. Returns how many are still ahead.
local function clear(live, on_busy, now)
  local ahead = #live
  for i = ahead, 1, -1 do  -- from the last to the first, so that none of them is dispatched on the way
    local was = look_up(live[i])
    if was.status == 'in_progress' and on_busy == 'interrupt' then
      redis.call('HSET', KEY.turn .. live[i], 'superseded', 1)
      redis.call('PUBLISH', KEY.stopped, live[i])
    else
      drop(live[i], was, now)
      ahead = ahead - 1
    end
  end
  return ahead
end
