-- Add a failed attempt to the failures of its model since its last completed turn. `commit` costs a completed turn no
-- further command for that: it writes the time into a hash that it writes anyway.
local function record_failure(model, code, now)
  local completed_at = tonumber(redis.call('HGET', KEY.service, 'completed_at:' .. model) or 0)
  local streak = redis.call('HGET', KEY.failing, model) or ''
  local since, last_at, attempts = string.match(streak, '^(%d+)|(%d+)|(%d+)|')
  if not since or completed_at >= tonumber(last_at) or now - last_at > POLICY.streak_ms then since, attempts = now, 0 end
  redis.call('HSET', KEY.failing, model, table.concat({since, now, attempts + 1, code}, '|'))
end
