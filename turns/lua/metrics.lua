-- What is counted and timed, in one hash for all processes, and again in one for each minute; loaded in front of every
-- verb. `metrics.py` and `figures.py` read them.
--
-- A field is the name of a metric and its labels, joined by `|`; of a timing, also its bucket (ms) or `sum`.

-- The server's time (ms). A script runs at one instant, so it asks once.
local instant
local function now_ms()
  if not instant then
    local time = redis.call('TIME')
    instant = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return instant
end

local function add(amount, ...)
  local field = table.concat({...}, '|')
  redis.call('HINCRBY', KEY.metrics, field, amount)
  local minute = KEY.minute .. math.floor(now_ms() / 60000)
  -- A field that is new may have made the key. So each minute expires, and costs no command for what is counted again.
  if redis.call('HINCRBY', minute, field, amount) == tonumber(amount) then
    redis.call('EXPIRE', minute, POLICY.minute_ttl_seconds)
  end
end

local function count(...)
  add(1, ...)
end

local function observe(name, ms)
  local bucket = 'inf'
  for _, most in ipairs(POLICY.buckets_ms) do
    if ms <= most then
      bucket = most
      break
    end
  end
  count(name, bucket)
  add(ms, name, 'sum')
end

-- A run has said something. Its first piece is timed, and the time stands in the record until the run ends.
local function observe_piece(turn, entry, started_at, now)
  if string.match(entry, '-(%d+)$') ~= POLICY.first_delta then return end
  observe('first_token', now - started_at)
  redis.call('HSET', KEY.turn .. turn, 'first_token_at', now)
end
