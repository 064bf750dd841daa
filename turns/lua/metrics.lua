-- What is counted and timed, in one hash for all processes; loaded in front of every verb. `metrics.py` reads it.
--
-- A field is the name of a metric and its labels, joined by `|`; of a timing, also its bucket (ms) or `sum`.

local function count(field, by)
  redis.call('HINCRBY', KEY.metrics, field, by or 1)
end

local function observe(name, ms)
  local bucket = 'inf'
  for _, most in ipairs(POLICY.buckets_ms) do
    if ms <= most then
      bucket = most
      break
    end
  end
  count(name .. '|' .. bucket)
  count(name .. '|sum', ms)
end

-- A run has said something. Its first piece is timed, and the time stands in the record until the run ends.
local function observe_piece(turn, entry, started_at, now)
  if string.match(entry, '-(%d+)$') ~= POLICY.first_delta then return end
  observe('first_token', now - started_at)
  redis.call('HSET', KEY.turn .. turn, 'first_token_at', now)
end

-- Everything that was counted until this minute is noted, once; `figures.py` takes the difference of two notes. So figures
-- over time cost a turn nothing.
local function note_minute(now)
  local id = math.floor(now / 60000) * 60000 .. '-0'
  if #redis.call('XRANGE', KEY.notes, id, '+', 'COUNT', 1) > 0 then return end
  local counted, noted = redis.call('HGETALL', KEY.metrics), {}
  for i = 1, #counted, 2 do
    if string.sub(counted[i], 1, 7) ~= 'tokens|' then  -- of each model: more than Lua can unpack, some day
      noted[#noted + 1], noted[#noted + 2] = counted[i], counted[i + 1]
    end
  end
  redis.call('XADD', KEY.notes, 'MINID', now - POLICY.notes_ttl_ms, id, 'noted_at', now, unpack(noted))
end
