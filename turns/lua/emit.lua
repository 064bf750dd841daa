#!lua flags=allow-oom
-- emit: appends what the runs of one worker process have said to the event streams of their turns, all in one call.
--
-- ARGV  turn id, token, entry id (`<claim number>-<n>`, n rising), text, turn id, …
-- Reply token, word, token, word, …  of those to stop: LOST (the token no longer holds the turn)

local stop, now = {}, now_ms()
for i = 1, #ARGV, 4 do
  local turn, token, id, text = unpack(ARGV, i, i + 3)
  local status, held, attempt, started_at =
    unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'token', 'attempt', 'started_at'))
  if status ~= 'in_progress' or held ~= token then
    stop[#stop + 1] = token
    stop[#stop + 1] = 'LOST'
  elseif emit(turn, id, attempt, 'delta', text) then
    -- Else the reply of the first run was lost: a piece stands in the stream once.
    observe_piece(turn, id, started_at, now)
  end
end
return stop
