#!lua flags=allow-oom
-- record_silence: Record that a run which has begun its answer sends no text, or that it does so again.
--
-- ARGV  1 turn id
--       2 token
--       3 '1' if the run is silent, '0' if it no longer is
--       4 milliseconds since that began
-- Reply RECORDED  also when this script runs a second time
--       LOST      the token does not hold the turn: another claim holds it, or it has ended
--
-- requires: now_ms, read_record, waits

local turn, token, is_silent, since_ms = unpack(ARGV, 1, 4)
local was = read_record(turn)
if was.status ~= 'in_progress' or was.token ~= token then return {'LOST'} end
local at = math.max(now_ms() - since_ms, tonumber(was.started_at))
if is_silent == '1' then
  begin_wait(turn, was, 'silent', at, '')
else
  end_wait(turn, was, at)
end
return {'RECORDED'}
