#!lua flags=allow-oom
-- claim: Give a queued head to one worker: a lease, a fencing token, the record and the last messages.
--
-- The lease is the turn's entry in the due index: it ends at that time unless the worker renews it.
-- A hint may be lost, late or duplicated, so every reply except CLAIMED means that the worker has nothing to do.
--
-- ARGV  1 turn id
--       2 token of this claim, random
--       3 worker
--       4 the worker's model, for an assistant that names none
--       5 the worker's fallback model, or ''; used likewise
-- Reply CLAIMED, record, claim, messages, definition  record: as it was, name, value, …; claim: the fields that this claim
--                 sets; messages: as `read_window` returns them; definition: the assistant's, as the turn was accepted
--       EXPIRED   the turn was not started in time and has ended
--       FAILED    the session's history is not a list, so that no turn of it can run, or does not end with the messages
--                 that this turn replaces; the turn has failed
--       NOT_NOW   the turn is held, is not the head, or waits for its retry, for a slot after a lost worker, for its model,
--                 or for the end of an operator's pause
--       GONE      the turn has ended or does not exist
--
-- requires: append_event, by_name, find_pause, finish, hold_name, hold_turn, now_ms, pass_hold, pause_turn, read_window
-- requires: replace, slots, timings, transitions, waits

local turn, token, worker, model, fallback = unpack(ARGV, 1, 5)
local key = KEY.turn .. turn
local record = redis.call('HGETALL', key)
local was = by_name(record)
if not AFTER[was.status] then return {'GONE'} end
local session, claims, model_now = was.session, was.claims, was.model
model, fallback = was.own_model or model, was.own_fallback or fallback

local now, replaced = now_ms(), count_replaced(was)
local last = read_window(session, tonumber(was.window or POLICY.history_window), replaced or 0)
-- With the same token, the reply of the first run was lost and the client sent the command again.
local is_repeated = was.status == 'in_progress' and was.token == token
local to, written = AFTER[was.status].claim, {}
if not is_repeated then
  local is_head = redis.call('LINDEX', KEY.queue .. session, 0) == turn
  if not to or not is_head or (was.retry_at and now < tonumber(was.retry_at)) then return {'NOT_NOW'} end
  if was.losses and not holds_slots(turn, was, now) then return {'NOT_NOW'} end  -- a hint from before its worker was lost
  if was.start_by and now > tonumber(was.start_by) and claims == '0' then
    finish(turn, was, AFTER[was.status].expire, 'expired', now, 'status_reason', 'expired')
    return {'EXPIRED'}
  end
  if not last then
    finish(turn, was, AFTER[was.status].fail, 'history_unusable', now, 'error_code', 'history_unusable')
    return {'FAILED'}
  end
  if not replaced then
    fail_not_last(turn, was, now)
    return {'FAILED'}
  end

  -- A turn that fell back keeps the fallback model. If its model is held, a turn falls back or waits.
  if model_now ~= fallback or fallback == '' then model_now = model end
  local pause
  pause, model_now, fallback = find_pause(turn, was, model_now, fallback, now)
  if pause then
    pause_turn(turn, was, pause, now)
    return {'NOT_NOW'}
  end
  if was.paused_by then leave_pause(turn, was) end
  local hold = hold_name(was.provider, model_now)
  local pass = pass_hold(turn, was, hold, now)
  if pass == 'HELD' and fallback ~= '' and fallback ~= model_now then
    local fallback_hold = hold_name(was.provider, fallback)
    local fallback_pass = pass_hold(turn, was, fallback_hold, now)
    if fallback_pass ~= 'HELD' then model_now, hold, pass = fallback, fallback_hold, fallback_pass end
  end
  if pass == 'HELD' then
    hold_turn(turn, was, hold, now)
    return {'NOT_NOW'}
  end

  claims = tostring(claims + 1)
  written = {'claims', claims, 'status', to, 'token', token, 'worker', worker, 'started_at', tostring(now),
    'model', model_now}
  if was.held_by then redis.call('ZREM', KEY.held .. was.held_by, turn) end
  if pass == 'PROBE' then redis.call('HSET', KEY.hold .. hold, 'probe', turn) end
  if pass ~= 'FREE' or was.admitted_by then
    for _, part in ipairs({'admitted_by', pass ~= 'FREE' and hold or '', 'probes', pass == 'PROBE' and '1' or ''}) do
      written[#written + 1] = part
    end
  end
  redis.call('HSET', key, unpack(written))
  if was.retry_at or was.held_by or was.resumed then redis.call('HDEL', key, 'retry_at', 'held_by', 'resumed') end
  end_wait(turn, was, now)
  if was.start_by then redis.call('ZREM', KEY.start_by, turn) end
  redis.call('ZADD', KEY.due, now + POLICY.lease_ms, turn)
  observe('wait', now - tonumber(redis.call('ZSCORE', KEY.waiting, turn) or now))
  redis.call('ZREM', KEY.waiting, turn)
  append_event(turn, was, claims .. '-*', was.attempt, 'status', to)
end
local definition = was.definition and redis.call('HGET', KEY.definition .. was.definition, 'definition')
return {'CLAIMED', record, written, last, definition or ''}
