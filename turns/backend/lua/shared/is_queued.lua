-- Return whether the turn waits: a worker of an earlier release, which knows neither holds nor pauses, may run it, and
-- another program may have replaced its record.
local function is_queued(turn)
  return redis.pcall('HGET', KEY.turn .. turn, 'status') == POLICY.initial
end
