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

-- A run has said something. Its first piece is timed, and the time stands in the record until the run ends.
local function observe_piece(turn, entry, started_at, now)
  if string.match(entry, '-(%d+)$') ~= POLICY.first_delta then return end
  observe('first_token', now - started_at)
  redis.call('HSET', KEY.turn .. turn, 'first_token_at', now)
end

-- How long turns take lately. Each of those that were committed since the last look counts a sixteenth, at most all of it.
local function note_pace()
  local names = {'duration|sum', 'duration|inf'}
  for _, most in ipairs(POLICY.buckets_ms) do names[#names + 1] = 'duration|' .. most end
  local counted, turns = redis.call('HMGET', KEY.metrics, unpack(names)), 0
  for i = 2, #counted do turns = turns + (counted[i] or 0) end
  local pace_ms, paced_turns, paced_ms =
    unpack(redis.call('HMGET', KEY.service, 'pace_ms', 'paced_turns', 'paced_ms'))
  local new_turns, all_ms = turns - (paced_turns or 0), counted[1] or 0
  if new_turns <= 0 then return end
  local mean_ms = (all_ms - (paced_ms or 0)) / new_turns
  pace_ms = tonumber(pace_ms or mean_ms)
  pace_ms = math.floor(pace_ms + (mean_ms - pace_ms) * math.min(1, new_turns / 16))
  redis.call('HSET', KEY.service, 'pace_ms', pace_ms, 'paced_turns', turns, 'paced_ms', all_ms)
end

-- Everything that was counted until this minute is noted, once; `figures.py` takes the difference of two notes. So figures
-- over time cost a turn nothing.
local function note_minute(now)
  local id = math.floor(now / 60000) * 60000 .. '-0'
  if #redis.call('XRANGE', KEY.notes, id, '+', 'COUNT', 1) > 0 then return end
  local counted = redis.call('HGETALL', KEY.metrics)
  redis.call('XADD', KEY.notes, 'MINID', now - POLICY.notes_ttl_ms, id, 'noted_at', now, unpack(counted))
end
