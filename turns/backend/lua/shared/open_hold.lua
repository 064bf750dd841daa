-- requires: count

local FIRST_MS = 1000

-- Return the time until the next probe: what the provider asked for, or a time that doubles with each failed probe.
local function hold_ms(reason, asked_ms, step)
  if asked_ms > 0 then return math.min(asked_ms, POLICY.longest_pause_ms) end
  return math.min(FIRST_MS * 2 ^ (step - 1), reason == 'outage' and POLICY.longest_probe_gap_ms or POLICY.longest_pause_ms)
end

-- Open the hold of a model, or extend it. If it is open, only an admitted turn extends it: many runs from before may fail
-- in the same second, and each would double the time. They can only prolong it to a time that the provider asked for.
local function open_hold(name, reason, code, asked_ms, is_admitted, now)
  local key = KEY.hold .. name
  local until_at, step = unpack(redis.call('HMGET', key, 'until', 'step'))
  if until_at and now < tonumber(until_at) then
    local asked_until = now + math.min(asked_ms, POLICY.longest_pause_ms)
    if asked_ms > 0 and asked_until > tonumber(until_at) then redis.call('HSET', key, 'until', asked_until) end
    return
  end
  if until_at and not is_admitted then return end
  step = tonumber(step or 0) + 1
  redis.call('HSET', key, 'reason', reason, 'code', code, 'step', step, 'until', now + hold_ms(reason, asked_ms, step))
  redis.call('HDEL', key, 'probe', 'answered_at')
  redis.call('ZADD', KEY.holds, now + POLICY.hold_poll_ms, name)
  if not until_at then
    redis.call('HSET', key, 'since', now)
    count('held|' .. reason .. '|' .. name)
  end
end
