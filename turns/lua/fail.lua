#!lua flags=allow-oom
-- fail: ends an attempt without effect; the turn fails for good, or waits for its next attempt.
--
-- A waiting turn stays the head of its session and takes no worker: the due index knows when to go on.
--
-- ARGV  1 turn id
--       2 token
--       3 error code
--       4 retry in milliseconds, or '' to fail for good
--       5 '1' if the attempt counts, else '0'
-- Reply FAILED    the turn has failed (also when this script runs a second time)
--       RETRYING  another attempt will be made (also when this script runs a second time)
--       LOST      the token is not the turn's: another owner has it, or it has ended

local turn, token, code, retry_in, counts = unpack(ARGV, 1, 5)
local key = KEY.turn .. turn
local session, status, held, claims, attempt, retried =
  unpack(redis.call('HMGET', key, 'session', 'status', 'token', 'claims', 'attempt', 'retried_token'))
if retried == token then return {'RETRYING'} end
if held ~= token then return {'LOST'} end
if status == 'failed' then return {'FAILED'} end
local after = AFTER[status] or {}
if not after.fail then return {'LOST'} end

local now = now_ms()
if retry_in == '' then
  finish(turn, session, claims, after.fail, now, 'error_code', code)
  return {'FAILED'}
end
requeue(turn, claims, 'retry', attempt + counts, now)
redis.call('HSET', key, 'retry_at', now + retry_in, 'retried_token', token, 'last_error_code', code)
redis.call('ZADD', KEY.due, now + retry_in, turn)
return {'RETRYING'}
