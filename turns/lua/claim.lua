#!lua flags=allow-oom
-- claim: gives a queued head to one worker: a lease, a fencing token, the record and the last messages.
--
-- The lease is the turn's entry on the due index: it ends at that time unless it is renewed.
-- A hint may be lost, late or doubled, so each answer but CLAIMED means: nothing to do for you.
--
-- ARGV  1 turn id
--       2 token of this claim, random
--       3 worker
--       4 the worker's model, for assistants that name none
--       5 its fallback model, or ''; for the same
-- Reply CLAIMED, record, messages, definition  record: the hash as name, value, …; messages: as `window` gives them;
--                 definition: the assistant's, as the turn was accepted under it
--       EXPIRED   it was not started in time, and has ended for that
--       FAILED    its session's history is no list, so no turn of it can run; it has ended for that
--       NOT_NOW   it is held, or behind another turn, or waits for its retry, or for a pause of its model or of all workers
--       GONE      it has ended, or never was

local turn, token, worker, model, fallback = unpack(ARGV, 1, 5)
local key = KEY.turn .. turn
local session, status, held, retry_at, start_by, claims, model_now, attempt =
  unpack(redis.call('HMGET', key, 'session', 'status', 'token', 'retry_at', 'start_by', 'claims', 'model', 'attempt'))
if not AFTER[status] then return {'GONE'} end
local digest, provider, own_model, own_fallback, own_window =
  unpack(redis.call('HMGET', key, 'definition', 'provider', 'own_model', 'own_fallback', 'window'))
model, fallback = own_model or model, own_fallback or fallback

local now = now_ms()
-- The same token again: the reply of the first run was lost and the client asked again.
local mine = status == 'in_progress' and held == token
local to = AFTER[status].claim
if not mine then
  local is_head = redis.call('LINDEX', KEY.queue .. session, 0) == turn
  if not to or not is_head or (retry_at and now < tonumber(retry_at)) then return {'NOT_NOW'} end
  if redis.call('HEXISTS', KEY.switches, 'workers') == 1 then
    redis.call('ZADD', KEY.due, now + POLICY.paused_look_ms, turn)
    return {'NOT_NOW'}
  end
  if start_by and now > tonumber(start_by) and claims == '0' then
    finish(turn, session, claims, AFTER[status].expire, 'expired', now, 'status_reason', 'expired')
    return {'EXPIRED'}
  end
  if not history_is_usable(session) then
    finish(turn, session, claims, AFTER[status].fail, 'history_unusable', now, 'error_code', 'history_unusable')
    return {'FAILED'}
  end

  -- A turn that fell back stays with the fallback. One whose model pauses falls back, or waits for the pause to end.
  if model_now ~= fallback or fallback == '' then model_now = model end
  local pause_ms = redis.call('PTTL', pause_key(provider, model_now))
  if pause_ms > 0 and fallback ~= '' and redis.call('PTTL', pause_key(provider, fallback)) <= 0 then
    model_now, pause_ms = fallback, 0
  end
  if pause_ms > 0 then
    redis.call('HSET', key, 'retry_at', now + pause_ms)
    redis.call('ZADD', KEY.due, now + pause_ms, turn)
    redis.call('ZREM', KEY.waiting, turn)
    give_way(turn, now)
    return {'NOT_NOW'}
  end

  claims = redis.call('HINCRBY', key, 'claims', 1)
  redis.call('HSET', key, 'status', to, 'token', token, 'worker', worker, 'started_at', now, 'model', model_now)
  if retry_at then redis.call('HDEL', key, 'retry_at') end
  if start_by then redis.call('ZREM', KEY.start_by, turn) end
  redis.call('ZADD', KEY.due, now + POLICY.lease_ms, turn)
  observe('wait', now - tonumber(redis.call('ZSCORE', KEY.waiting, turn) or now))
  redis.call('ZREM', KEY.waiting, turn)
  emit(turn, claims .. '-*', attempt, 'status', to)
end
local messages = window(session, tonumber(own_window or POLICY.history_window))
return {'CLAIMED', redis.call('HGETALL', key), messages, definition_of(digest)}
