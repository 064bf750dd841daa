#!lua flags=allow-oom
-- emit: Append the output of all runs of one worker process to the event streams of their turns, in one call.
--
-- ARGV  turn id, token, entry id (`<claim number>-<n>`, n rising), text, type of the event, turn id, …
-- Reply token, outcome, token, outcome, …  for the runs that must stop: LOST (the token no longer holds the turn)
--
-- requires: append_event, count_taken_over, now_ms, timings

local stop, now = {}, now_ms()
for i = 1, #ARGV, 5 do
  local turn, token, id, text, kind = unpack(ARGV, i, i + 4)
  local status, held, attempt, started_at, first_token_at, session, sequence = unpack(redis.call('HMGET',
    KEY.turn .. turn, 'status', 'token', 'attempt', 'started_at', 'first_token_at', 'session', 'sequence'))
  if status ~= 'in_progress' or held ~= token then
    count_taken_over(turn, held, token)
    stop[#stop + 1] = token
    stop[#stop + 1] = 'LOST'
  elseif append_event(turn, {session = session, sequence = sequence}, id, attempt, kind, text) then
    -- Otherwise the reply of the first run was lost, and the piece is in the stream already.
    if not first_token_at then observe_first_token(turn, started_at, now) end
  end
end
return stop
