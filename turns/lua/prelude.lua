-- Steps that verbs share, loaded in front of every verb.
--
-- `KEY` (names of keys), `AFTER` (the transition table: AFTER[status][event] is the next status) and `POLICY` (times in
-- milliseconds, limits) are spelt in `keys.py`, `state.py` and the settings; `rendering.py` puts their values here.
--
-- Redis does not roll back: each verb checks everything first and writes last. Time is the server's.

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What HGETALL and the like reply, name, value, …, by name.
local function by_name(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- What verbs that end a turn, or a run of it, must know of its record, by name: one read for all of their steps.
local TO_KNOW = {'session', 'status', 'token', 'claims', 'attempt', 'lane', 'definition', 'start_by', 'idempotency',
  'reserved_tokens', 'is_counted', 'accepted_at', 'provider', 'model', 'started_at', 'hinted_at', 'retry_at', 'retried_token'}
local function look_up(turn)
  local values, record = redis.call('HMGET', KEY.turn .. turn, unpack(TO_KNOW)), {}
  for i, name in ipairs(TO_KNOW) do record[name] = values[i] or nil end
  return record
end

-- A verb that was run before, whose reply got lost, gives the same word. It writes, so that a caller who
-- waits for replicas waits for what the first run wrote.
local function again(reply)
  redis.call('HINCRBY', KEY.service, 'repeated', 1)
  return reply
end

-- Appends to the turn's event stream, and tells whoever watches the turn: the message is the entry.
-- Ids are `<claim number>-<n>`, so a reader's place says which run it saw. nil: the stream has come so far already.
local function emit(turn, id, attempt, type, text)
  local added = redis.pcall('XADD', KEY.events .. turn, id, 'type', type, 'attempt', attempt, 'text', text)
  if added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return nil end
    error(added.err)
  end
  redis.call('PUBLISH', KEY.live .. turn, added .. ' ' .. attempt .. ' ' .. type .. ' ' .. text)
  return added
end

-- The hint for this turn. `string.gsub` would look at each of its characters as the start of a pattern: 60,000 instructions.
local function hint_for(turn, hint)
  local parts, from = {}, 1
  repeat
    local at = string.find(hint, POLICY.hint_placeholder, from, true)
    parts[#parts + 1] = string.sub(hint, from, (at or 0) - 1)
    from = at and at + #POLICY.hint_placeholder
  until not at
  return table.concat(parts, turn)
end

-- The broker's list is first in, first out. So a hint is still in it exactly if the oldest hint there is not
-- younger; a backlog of any size makes no storm of needless hints.
local function still_in_list(hinted_at)
  local oldest = redis.call('LINDEX', KEY.hints, -1)
  local other = oldest and string.match(oldest, POLICY.turn_id_pattern)
  if not other then return false end
  if redis.call('EXISTS', KEY.turn .. other) == 0 then  -- it was erased, and its hint tells nothing
    redis.call('RPOP', KEY.hints)
    return still_in_list(hinted_at)
  end
  local other_hinted_at = redis.call('HGET', KEY.turn .. other, 'hinted_at')
  return other_hinted_at and tonumber(hinted_at) >= tonumber(other_hinted_at)
end

-- Sends the hint for a head, and says when to look again in case the hint gets lost. Before the first
-- worker ever started there is no hint to send; the due index then brings the turn to that worker.
-- A head without a place in its groups is parked; whoever leaves one dispatches it, and the due index if nobody does.
-- Returns whether it is out for a worker now; the caller writes down since when.
local function send_hint(hint, turn, now, session, lane)
  redis.call('ZADD', KEY.waiting, 'NX', now, turn)
  if not take_place(turn, session, lane, now) then
    redis.call('ZADD', KEY.due, now + POLICY.parked_ms, turn)
    return false
  end
  if hint then redis.call('LPUSH', KEY.hints, hint_for(turn, hint)) end
  redis.call('ZADD', KEY.due, now + POLICY.hint_grace_ms, turn)
  return true
end

-- The same for a head whose record is written already. `session` and `lane` are the turn's, for who knows them.
local function dispatch(turn, now, session, lane)
  if not session then session, lane = unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'lane')) end
  local hint = redis.call('HGET', KEY.service, 'hint')
  if send_hint(hint, turn, now, session, lane) then redis.call('HSET', KEY.turn .. turn, 'hinted_at', now) end
end

-- The turn waits, or has ended: its place goes to who is parked.
local function give_way(turn, session, lane, now)
  for _, parked in ipairs(leave_place(turn, session, lane)) do dispatch(parked, now) end
end
