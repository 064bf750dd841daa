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
-- Reply CLAIMED, record, claim, messages, definition  record: as it was, name, value, …; claim: what is new in it; messages:
--                 as `window` gives them; definition: the assistant's, as the turn was accepted under it
--       EXPIRED   it was not started in time, and has ended for that
--       FAILED    its session's history is no list, so no turn of it can run; it has ended for that
--       NOT_NOW   it is held, or behind another turn, or waits for its retry, or for a pause of its model or of all workers
--       GONE      it has ended, or never was

local turn, token, worker, model, fallback = unpack(ARGV, 1, 5)
local key = KEY.turn .. turn
local record = redis.call('HGETALL', key)
local was = by_name(record)
if not AFTER[was.status] then return {'GONE'} end
local session, claims, model_now = was.session, was.claims, was.model
model, fallback = was.own_model or model, was.own_fallback or fallback

local now, last = now_ms(), window(session, tonumber(was.window or POLICY.history_window))
-- The same token again: the reply of the first run was lost and the client asked again.
local mine = was.status == 'in_progress' and was.token == token
local to, written = AFTER[was.status].claim, {}
if not mine then
  local is_head = redis.call('LINDEX', KEY.queue .. session, 0) == turn
  if not to or not is_head or (was.retry_at and now < tonumber(was.retry_at)) then return {'NOT_NOW'} end
  if redis.call('HEXISTS', KEY.service, 'workers') == 1 then
    redis.call('ZADD', KEY.due, now + POLICY.paused_look_ms, turn)
    return {'NOT_NOW'}
  end
  if was.start_by and now > tonumber(was.start_by) and claims == '0' then
    finish(turn, was, AFTER[was.status].expire, 'expired', now, 'status_reason', 'expired')
    return {'EXPIRED'}
  end
  if not last then
    finish(turn, was, AFTER[was.status].fail, 'history_unusable', now, 'error_code', 'history_unusable')
    return {'FAILED'}
  end

  -- A turn that fell back stays with the fallback. One whose model pauses falls back, or waits for the pause to end.
  if model_now ~= fallback or fallback == '' then model_now = model end
  local pause_ms = redis.call('PTTL', pause_key(was.provider, model_now))
  if pause_ms > 0 and fallback ~= '' and redis.call('PTTL', pause_key(was.provider, fallback)) <= 0 then
    model_now, pause_ms = fallback, 0
  end
  if pause_ms > 0 then
    redis.call('HSET', key, 'retry_at', now + pause_ms)
    redis.call('ZADD', KEY.due, now + pause_ms, turn)
    redis.call('ZREM', KEY.waiting, turn)
    give_way(turn, session, was.lane, now)
    return {'NOT_NOW'}
  end

  claims = tostring(claims + 1)
  written = {'claims', claims, 'status', to, 'token', token, 'worker', worker, 'started_at', tostring(now),
    'model', model_now}
  redis.call('HSET', key, unpack(written))
  if was.retry_at then redis.call('HDEL', key, 'retry_at') end
  if was.start_by then redis.call('ZREM', KEY.start_by, turn) end
  redis.call('ZADD', KEY.due, now + POLICY.lease_ms, turn)
  observe('wait', now - tonumber(redis.call('ZSCORE', KEY.waiting, turn) or now))
  redis.call('ZREM', KEY.waiting, turn)
  emit(turn, claims .. '-*', was.attempt, 'status', to)
end
return {'CLAIMED', record, written, last, definition_of(was.definition)}
