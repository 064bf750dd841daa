-- requires: count

-- Add a duration to the histogram of a timing.
local function observe(name, ms)
  local bucket = 'inf'
  for _, max_ms in ipairs(POLICY.buckets_ms) do
    if ms <= max_ms then
      bucket = max_ms
      break
    end
  end
  count(name .. '|' .. bucket)
  count(name .. '|sum', ms)
end

-- Time the first piece of a run's output, and keep the time in the record until the run ends.
local function observe_first_token(turn, started_at, now)
  observe('first_token', now - started_at)
  redis.call('HSET', KEY.turn .. turn, 'first_token_at', now)
end
