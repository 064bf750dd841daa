-- How a turn ends, and how a run ends without its turn; loaded in front of every verb.

-- What is shown of a turn that has ended, for whoever waits for it to need no read: the values of `SHOWN` in `turn.py`,
-- false for those it has not; '' where they are long.
local function told(turn)
  local values, bytes = redis.call('HMGET', KEY.turn .. turn, unpack(POLICY.shown)), 0
  for _, value in ipairs(values) do bytes = bytes + #(value or '') end
  return bytes <= POLICY.most_told_bytes and cjson.encode(values) or ''
end

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
  redis.call('PUBLISH', KEY.ended, turn .. ' ' .. told(turn))
end

-- Ends a live turn without effect, because somebody wants it no more. What still runs it is told, and has lost its lease.
local function drop(turn, was, now)
  finish(turn, was, AFTER[was.status].cancel, '', now)
  if was.status == 'in_progress' then redis.call('PUBLISH', KEY.stopped, turn) end
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

-- The run that ends here without its turn stands in the record: which claim and attempt it was, who ran it, with which
-- model, its times, how it ended. Only the last ones, because a rate limit can make many.
local MOST_RUNS = 20
local function remember_run(turn, event, now, code)
  local key = KEY.turn .. turn
  local run = redis.call('HMGET', key, 'claims', 'attempt', 'worker', 'model', 'started_at', 'first_token_at')
  for i = 1, 6 do run[i] = run[i] or '' end
  run[7], run[8], run[9] = tostring(now), event, code or ''
  local runs = cjson.decode(redis.call('HGET', key, 'runs') or '[]')
  if #runs == MOST_RUNS then table.remove(runs, 1) end
  runs[#runs + 1] = run
  redis.call('HSET', key, 'runs', cjson.encode(runs))
end

-- Puts a running turn back to the head of its session for another attempt. Its token is gone, so
-- whoever ran it can write nothing more, and what it has said is void.
local function requeue(turn, claims, event, attempt, now, code)
  local to = AFTER.in_progress[event]
  remember_run(turn, event, now, code)
  redis.call('HSET', KEY.turn .. turn, 'status', to, 'attempt', attempt)
  redis.call('HDEL', KEY.turn .. turn, 'token', 'worker', 'first_token_at')
  emit(turn, claims .. '-*', attempt, 'reset', event)
  emit(turn, claims .. '-*', attempt, 'status', to)
end
