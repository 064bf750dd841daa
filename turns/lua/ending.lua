-- How a turn ends, and how a run ends without its turn; loaded in front of every verb.

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
  if status == 'failed' then redis.call('ZADD', KEY.failed, now, tenant_of(session) .. '/' .. turn) end
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
