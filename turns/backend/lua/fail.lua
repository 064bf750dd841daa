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
--       7 pause in milliseconds that the provider asked for, or 0
--       8 HTTP status of the provider's error, or ''
-- Reply FAILED    the turn has failed (also when this script runs a second time)
--       RETRYING  another attempt will be made (also when this script runs a second time)
--       LOST      the token does not hold the turn: another claim holds it, or it has ended
--
-- requires: count, finish, now_ms, pause_key, read_record, record_failure, release_slots, replayed, requeue
-- requires: timings, transitions

local turn, token, code, retry_in, counts, model, pause_ms, provider_status = unpack(ARGV, 1, 8)
local was = read_record(turn)
if was.retried_token == token then return replayed({'RETRYING'}) end
if was.token ~= token then return {'LOST'} end
if was.status == 'failed' then return replayed({'FAILED'}) end
local after = AFTER[was.status] or {}
if not after.retry then return {'LOST'} end  -- only a running attempt can fail here

local now = now_ms()
record_failure((was.provider and was.provider .. '/' or '') .. was.model, code, now)
if code == 'provider_timeout' and redis.call('HEXISTS', KEY.turn .. turn, 'first_token_at') == 0 then
  observe('first_token', now - was.started_at)  -- otherwise a provider that never answers would look fast
end
if tonumber(pause_ms) > 0 then redis.call('SET', pause_key(was.provider, was.model), 1, 'PX', pause_ms) end
if retry_in == '' then
  local reason = {'error_code', code}
  if provider_status ~= '' then reason[3], reason[4] = 'provider_status', provider_status end
  finish(turn, was, after.fail, code, now, unpack(reason))
  return {'FAILED'}
end
count('retried|' .. code)
requeue(turn, was.claims, 'retry', was.attempt + counts, now, code)
redis.call('HSET', KEY.turn .. turn, 'retry_at', now + retry_in, 'retried_token', token, 'last_error_code', code,
  'model', model)
redis.call('ZADD', KEY.due, now + retry_in, turn)
release_slots(turn, was, now)
return {'RETRYING'}
