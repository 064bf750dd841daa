-- Steps that verbs share, loaded in front of every verb.
--
-- `KEY` (names of keys), `AFTER` (the transition table: AFTER[status][event] is the next status) and
-- `POLICY` (times in milliseconds, limits) stand above this text: `scripts.py` renders them from
-- `keys.py`, `state.py` and the settings, so that none of them is spelt twice.
--
-- Redis does not roll back: each verb checks everything first and writes last. Time is the server's.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A verb that was run before, whose reply got lost, gives the same word. It writes, so that a caller who
-- waits for replicas waits for what the first run wrote.
local function again(reply)
  redis.call('HINCRBY', KEY.counters, 'repeated', 1)
  return reply
end

-- Appends to the turn's event stream, and tells whoever watches the turn: the message is the entry.
-- Ids are `<claim number>-<n>`, so a reader's place says which run it saw.
local function emit(turn, id, type, text)
  local attempt = redis.call('HGET', KEY.turn .. turn, 'attempt')
  local added = redis.call('XADD', KEY.events .. turn, id, 'type', type, 'attempt', attempt, 'text', text)
  redis.call('PUBLISH', KEY.live .. turn, added .. ' ' .. attempt .. ' ' .. type .. ' ' .. text)
  return added
end

-- Sends the hint for a head, and says when to look again in case the hint gets lost. Before the first
-- worker ever started there is no hint to send; the due index then brings the turn to that worker.
-- A head without a place in its groups is parked; whoever leaves one dispatches it, and the due index if nobody does.
local function dispatch(turn, now)
  redis.call('ZADD', KEY.waiting, 'NX', now, turn)
  if not take_place(turn, now) then
    redis.call('ZADD', KEY.due, now + POLICY.parked_ms, turn)
    return
  end
  local hint = redis.call('GET', KEY.hint)
  if hint then
    redis.call('LPUSH', KEY.hints, (string.gsub(hint, POLICY.hint_placeholder, turn)))
  end
  redis.call('HSET', KEY.turn .. turn, 'hinted_at', now)
  redis.call('ZADD', KEY.due, now + POLICY.hint_grace_ms, turn)
end

-- The turn waits, or has ended: its place goes to who is parked.
local function give_way(turn, now)
  for _, parked in ipairs(leave_place(turn)) do dispatch(parked, now) end
end

-- Ends a turn for good and lets its session go on with the next one.
-- `...` are further fields of the record, such as the answer or the error code.
local function finish(turn, session, claims, status, now, ...)
  local key, queue = KEY.turn .. turn, KEY.queue .. session
  local was_head = redis.call('LINDEX', queue, 0) == turn
  redis.call('HSET', key, 'status', status, 'finished_at', now, 'expires_at', now + POLICY.result_ttl_ms, ...)
  redis.call('PEXPIRE', key, POLICY.result_ttl_ms)
  redis.call('ZADD', KEY.expiring, now + POLICY.result_ttl_ms, tenant_of(session) .. '/' .. turn)
  emit(turn, claims .. '-*', 'done', status)
  redis.call('PEXPIRE', KEY.events .. turn, POLICY.event_ttl_ms)
  local idempotency = redis.call('HGET', key, 'idempotency')
  if idempotency then
    redis.call('PEXPIRE', KEY.idempotency .. idempotency, POLICY.result_ttl_ms)
  end
  settle_quota(turn, tenant_of(session), status)
  count('ended', status, redis.call('HGET', key, 'error_code') or redis.call('HGET', key, 'status_reason') or '')
  redis.call('ZREM', KEY.waiting, turn)
  redis.call('ZREM', KEY.due, turn)
  redis.call('ZREM', KEY.start_by, turn)
  redis.call('LREM', queue, 1, turn)
  give_way(turn, now)
  local head = redis.call('LINDEX', queue, 0)
  if not head then
    let_session_age(session, now)
  else
    if was_head then dispatch(head, now) end
    redis.call('PUBLISH', KEY.moved .. session, '')
  end
  redis.call('HINCRBY', KEY.counters, 'live', -1)
  redis.call('HINCRBY', KEY.counters, status, 1)
  redis.call('PUBLISH', KEY.ended, turn)
end

-- Ends a live turn without effect, because somebody wants it no more. What still runs it is told, and has lost its lease.
local function drop(turn, now)
  local session, status, claims = unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'status', 'claims'))
  finish(turn, session, claims, AFTER[status].cancel, now)
  if status == 'in_progress' then redis.call('PUBLISH', KEY.stopped, turn) end
end

-- Puts a running turn back to the head of its session for another attempt. Its token is gone, so
-- whoever ran it can write nothing more, and what it has said is void.
local function requeue(turn, claims, event, attempt)
  local to = AFTER.in_progress[event]
  redis.call('HSET', KEY.turn .. turn, 'status', to, 'attempt', attempt)
  redis.call('HDEL', KEY.turn .. turn, 'token', 'worker')
  emit(turn, claims .. '-*', 'reset', event)
  emit(turn, claims .. '-*', 'status', to)
end
