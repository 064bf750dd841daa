-- Functions that the verbs share, loaded in front of every verb.
--
-- `KEY` (key names), `AFTER` (the transition table: AFTER[status][event] is the next status) and `POLICY` (limits, and times
-- in milliseconds) are defined in `keys.py`, `state.py` and the settings; `rendering.py` inserts their values here.
--
-- Redis does not roll back: each verb checks everything first and writes last. Time is the server's.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Return a flat reply (name, value, …), such as that of HGETALL, as a table.
local function by_name(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- Read the fields that a verb needs in order to end a turn or a run, in one call for all of its steps.
local RECORD_FIELDS = {'session', 'status', 'token', 'claims', 'attempt', 'lane', 'definition', 'start_by', 'idempotency',
  'reserved_tokens', 'is_counted', 'accepted_at', 'provider', 'model', 'started_at', 'hinted_at', 'retry_at',
  'retried_token'}
local function read_record(turn)
  local values, record = redis.call('HMGET', KEY.turn .. turn, unpack(RECORD_FIELDS)), {}
  for i, name in ipairs(RECORD_FIELDS) do record[name] = values[i] or nil end
  return record
end

-- Return the reply of a verb that runs a second time because its first reply was lost. This writes, so that a caller
-- who waits for replicas waits for the writes of the first run too.
local function replayed(reply)
  redis.call('HINCRBY', KEY.service, 'repeated', 1)
  return reply
end

-- Append an entry to the turn's event stream and publish the same entry to its readers.
--
-- Ids are `<claim number>-<n>`, so that a reader's cursor identifies the run that it has seen. Return nil if the stream
-- already contains this id or a later one.
local function append_event(turn, id, attempt, type, text)
  local added = redis.pcall('XADD', KEY.events .. turn, id, 'type', type, 'attempt', attempt, 'text', text)
  if added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return nil end
    error(added.err)
  end
  redis.call('PUBLISH', KEY.live .. turn, added .. ' ' .. attempt .. ' ' .. type .. ' ' .. text)
  return added
end

-- Return the hint for this turn. The search is plain, because `string.gsub` tries a pattern at each of its 1,100
-- characters (60,000 instructions more).
local function render_hint(turn, hint)
  local parts, from = {}, 1
  repeat
    local at = string.find(hint, POLICY.hint_placeholder, from, true)
    parts[#parts + 1] = string.sub(hint, from, (at or 0) - 1)
    from = at and at + #POLICY.hint_placeholder
  until not at
  return table.concat(parts, turn)
end

-- Return whether a hint that was sent at this time is still in the broker's list.
--
-- The list is first in, first out, so that a hint is still there exactly if the oldest hint there is not younger.
-- Without this check, a long backlog would be filled with needless second hints.
local function is_hint_queued(hinted_at)
  local oldest = redis.call('LINDEX', KEY.hints, -1)
  local other = oldest and string.match(oldest, POLICY.turn_id_pattern)
  if not other then return false end
  if redis.call('EXISTS', KEY.turn .. other) == 0 then  -- that turn was erased, so its hint has no time to compare with
    redis.call('RPOP', KEY.hints)
    return is_hint_queued(hinted_at)
  end
  local other_hinted_at = redis.call('HGET', KEY.turn .. other, 'hinted_at')
  return other_hinted_at and tonumber(hinted_at) >= tonumber(other_hinted_at)
end

-- Send the hint for a head and schedule the next check, in case the hint gets lost. Return whether the turn has its
-- slots; if so, the caller records the time in `hinted_at`.
--
-- Before the first worker has started there is no hint to send; the due index then brings the turn to that worker.
-- A head without a slot waits for one: the turn that releases it dispatches this one, and the due index does so otherwise.
local function send_hint(hint, turn, now, session, lane)
  redis.call('ZADD', KEY.waiting, 'NX', now, turn)
  if not acquire_slots(turn, session, lane, now) then
    redis.call('ZADD', KEY.due, now + POLICY.parked_ms, turn)
    return false
  end
  if hint then redis.call('LPUSH', KEY.hints, render_hint(turn, hint)) end
  redis.call('ZADD', KEY.due, now + POLICY.hint_grace_ms, turn)
  return true
end

-- Send the hint for a head whose record is written. `session` and `lane` are read if the caller does not pass them.
local function dispatch(turn, now, session, lane)
  if not session then session, lane = unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'lane')) end
  local hint = redis.call('HGET', KEY.service, 'hint')
  if send_hint(hint, turn, now, session, lane) then redis.call('HSET', KEY.turn .. turn, 'hinted_at', now) end
end
