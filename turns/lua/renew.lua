#!lua flags=allow-oom
-- renew: keeps the leases of one worker process for another lease time, all in one call.
--
-- ARGV  turn id, token, turn id, token, …
-- Reply the tokens that no longer hold their turn

local lost, until_ms = {}, now_ms() + POLICY.lease_ms
for i = 1, #ARGV, 2 do
  local turn, token = ARGV[i], ARGV[i + 1]
  local status, held = unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'token'))
  if status == 'in_progress' and held == token then
    redis.call('ZADD', KEY.due, until_ms, turn)
  else
    lost[#lost + 1] = token
  end
end
return lost
