#!lua flags=allow-oom
-- reopen: Admit turns that wait for a model, because its provider answers again or an operator ends the hold.
--
-- ARGV  1 name of the hold
--       2 turn that was admitted and has the first text of its answer, or '' for an operator
-- Reply REOPENED  the next turns are admitted, or the hold is over
--       GONE      there is no such hold, or the turn was not admitted by it
--
-- requires: admit, now_ms

local name, turn = ARGV[1], ARGV[2]
if redis.call('EXISTS', KEY.hold .. name) == 0 then return {'GONE'} end
if turn == '' then
  reopen_hold(name, POLICY.admitted_per_poll, now_ms())
else
  if redis.call('HGET', KEY.turn .. turn, 'admitted_by') ~= name then return {'GONE'} end
  redis.call('HDEL', KEY.turn .. turn, 'admitted_by')
  confirm_answer(name, now_ms())
end
return {'REOPENED'}
