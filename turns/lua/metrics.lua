-- What is counted and timed, in one hash for all processes; loaded in front of every verb. `metrics.py` reads it.
--
-- A field is the name of a metric and its labels, joined by `|`; of a timing, also its bucket (ms) or `sum`.

local function count(...)
  redis.call('HINCRBY', KEY.metrics, table.concat({...}, '|'), 1)
end

local function add(amount, ...)
  redis.call('HINCRBY', KEY.metrics, table.concat({...}, '|'), amount)
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
