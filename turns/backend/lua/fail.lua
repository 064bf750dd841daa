#!lua flags=allow-oom
-- fail: End an attempt without effect; the turn fails for good or waits for its next attempt.
--
-- A waiting turn stays the head of its session without occupying a worker; the due index holds the time of its next attempt.
--
-- ARGV  1 turn id
--       2 token
--       3 error code
--       4 retry in milliseconds, or '' to fail for good
--       5 '1' if the attempt counts, else '0'
--       6 model of the next attempt
--       7 reason of a hold on the model, or ''; without a fallback the turn then waits for the hold
--       8 pause in milliseconds that the provider asked for, or 0
--       9 HTTP status of the provider's error, or ''
--       10 id that the provider's server gave the request, or ''
--       11 what the run took, as `Spending.packed` composes it
-- Reply FAILED    the turn has failed (also when this script runs a second time)
--       RETRYING  another attempt will be made (also when this script runs a second time)
--       LOST      the token does not hold the turn: another claim holds it, or it has ended
--
-- requires: admit, count, finish, hold_name, hold_turn, now_ms, open_hold, read_record, record_failure, release_slots
-- requires: replayed, requeue, timings, transitions, waits

local IS_ANSWER = POLICY.is_answer  -- codes with which the provider itself has answered

local turn, token, code, retry_in, counts, model, reason, asked_ms, provider_status, request_id, spent =
  unpack(ARGV, 1, 11)
local was = read_record(turn)
if was.retried_token == token then return replayed({'RETRYING'}) end
if was.token ~= token then return {'LOST'} end
if was.status == 'failed' then return replayed({'FAILED'}) end
local after = AFTER[was.status] or {}
if not after.retry then return {'LOST'} end  -- only a running attempt can fail here

local now, hold = now_ms(), hold_name(was.provider, was.model)
was.spent = spent
record_failure(hold, code, now)
if code == 'provider_timeout' and not was.first_token_at then
  observe('first_token', now - was.started_at)  -- otherwise a provider that never answers would look fast
end
local is_admitted = was.admitted_by == hold
if reason ~= '' then
  open_hold(hold, reason, code, tonumber(asked_ms), is_admitted, now)
elseif is_admitted then  -- if it was the probe and says nothing about the provider, another turn probes
  redis.call('HDEL', KEY.turn .. turn, 'admitted_by', 'held_at')
  if IS_ANSWER[code] then confirm_answer(hold, now) end
end
if retry_in == '' then
  local fields = {'error_code', code}
  for name, value in pairs({provider_status = provider_status, provider_request_id = request_id}) do
    if value ~= '' then fields[#fields + 1], fields[#fields + 2] = name, value end
  end
  finish(turn, was, after.fail, code, now, unpack(fields))
  return {'FAILED'}
end
count('retried|' .. code)
requeue(turn, was, 'retry', was.attempt + counts, now, code, request_id)
redis.call('HSET', KEY.turn .. turn, 'retry_at', now + retry_in, 'retried_token', token, 'last_error_code', code,
  'model', model)
if reason ~= '' and model == was.model then
  hold_turn(turn, was, hold, now)
  return {'RETRYING'}
end
add_wait(turn, 'retry', now, now + retry_in, code)
redis.call('ZADD', KEY.due, now + retry_in, turn)
release_slots(turn, was, now)
return {'RETRYING'}
