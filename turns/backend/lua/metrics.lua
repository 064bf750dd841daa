-- Count and time events in one hash for all processes; loaded in front of every verb. `metrics.py` reads the hash.
--
-- A field is the name of a metric and its labels, joined by `|`; a timing also has its bucket (ms) or `sum`.

local function count(field, by)
  redis.call('HINCRBY', KEY.metrics, field, by or 1)
end

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

-- Time the first piece of a run's answer, and keep the time in the record until the run ends. Ignore the other pieces.
local function observe_first_token(turn, entry, started_at, now)
  if string.match(entry, '-(%d+)$') ~= POLICY.first_delta then return end
  observe('first_token', now - started_at)
  redis.call('HSET', KEY.turn .. turn, 'first_token_at', now)
end

-- Copy all counters into the stream of snapshots once a minute. `figures.py` computes its series from the differences
-- between snapshots, so that statistics over time cost a turn nothing.
local function snapshot_counters(now)
  local id = math.floor(now / 60000) * 60000 .. '-0'
  if #redis.call('XRANGE', KEY.notes, id, '+', 'COUNT', 1) > 0 then return end
  local counters, copied = redis.call('HGETALL', KEY.metrics), {}
  for i = 1, #counters, 2 do
    if string.sub(counters[i], 1, 7) ~= 'tokens|' then  -- one field for each model; Lua could not unpack many of them
      copied[#copied + 1], copied[#copied + 2] = counters[i], counters[i + 1]
    end
  end
  redis.call('XADD', KEY.notes, 'MINID', now - POLICY.notes_ttl_ms, id, 'noted_at', now, unpack(copied))
end
