-- requires: dispatch, is_queued, transitions

-- A hold keeps turns from a model whose provider asked for a pause or does not answer. After its time has passed, one turn
-- is admitted, the probe. When that has an answer, the others follow in order, two for each further answer, so that the
-- provider's load doubles in each round instead of arriving at once.
local ADMITTED_PER_ANSWER = 2

-- Admit the turns that wait for this hold from one position to another, 0 being the oldest. Return the last one, or nil.
local function admit_turns(name, first, last, now)
  local admitted
  for _, turn in ipairs(redis.call('ZRANGE', KEY.held .. name, first, last)) do
    redis.call('ZREM', KEY.held .. name, turn)
    if is_queued(turn) then
      redis.call('HDEL', KEY.turn .. turn, 'held_by', 'retry_at')
      redis.call('HSET', KEY.turn .. turn, 'admitted_by', name)
      dispatch(turn, now)
      admitted = turn
    end
  end
  return admitted
end

local function close_hold(name)
  redis.call('DEL', KEY.hold .. name)
  redis.call('ZREM', KEY.holds, name)
end

-- Let the turns that wait for this hold go on, beginning with `max` of them; without any, the hold is over.
local function reopen_hold(name, max, now)
  if redis.call('ZCARD', KEY.held .. name) == 0 then return close_hold(name) end
  redis.call('HSET', KEY.hold .. name, 'answered_at', now, 'until', now, 'step', 0)
  redis.call('HDEL', KEY.hold .. name, 'probe')
  admit_turns(name, 0, max - 1, now)
end

-- Reopen the hold that admitted this turn, because the provider has answered it; not before a time that it asked for.
local function confirm_answer(name, now)
  local until_at = redis.call('HGET', KEY.hold .. name, 'until')
  if until_at and now >= tonumber(until_at) then reopen_hold(name, ADMITTED_PER_ANSWER, now) end
end

-- Return whether the probe of a hold is live and has neither an answer nor a failure.
local function is_probing(name, probe)
  if not probe then return false end
  local status, admitted_by = unpack(redis.pcall('HMGET', KEY.turn .. probe, 'status', 'admitted_by'))
  return AFTER[status] ~= nil and admitted_by == name
end
