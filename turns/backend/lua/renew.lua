#!lua flags=allow-oom
-- renew: Extend the leases of one worker process by another lease time, all in one call.
--
-- ARGV  turn id, token, turn id, token, …
-- Reply token, outcome, token, outcome, …  for the runs that must stop: LOST (the token no longer holds the turn),
--                                          SUPERSEDED (it does, but a newer turn of the session interrupts it)
--
-- requires: count_taken_over, now_ms

local stop, until_ms = {}, now_ms() + POLICY.lease_ms
for i = 1, #ARGV, 2 do
  local turn, token = ARGV[i], ARGV[i + 1]
  local status, held, superseded = unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'token', 'superseded'))
  local holds = status == 'in_progress' and held == token
  if holds then redis.call('ZADD', KEY.due, until_ms, turn) end
  if not holds then count_taken_over(turn, held, token) end
  if not holds or superseded then
    stop[#stop + 1] = token
    stop[#stop + 1] = holds and 'SUPERSEDED' or 'LOST'
  end
end
return stop
