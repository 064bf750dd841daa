-- requires: slots, tenant_limits, waits

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

-- Return the hint for the workers of this queue, their capacity, and the time since which turns share it.
local function read_workers(queue)
  local prefix = queue and 'chain_' or ''
  local hint, capacity, shared_since, own_limits = unpack(redis.call('HMGET', KEY.service, prefix .. 'hint',
    prefix .. 'capacity', prefix .. 'shared_since', 'own_limits'))
  note_own_limits(own_limits)
  return hint, capacity, shared_since
end

-- Send the hint for a head and schedule the next check, in case the hint gets lost. Return the name of the group for which
-- the turn waits, or nil if it has its slots; then the caller records the time in `hinted_at`.
--
-- Before the first worker of a kind has started there is no hint to send; the due index then brings the turn to it.
-- A head without a slot waits for one: the turn that releases it dispatches this one, and the due index does so otherwise.
-- `was.queue` is set if the turn runs a custom chain apart; those hints have a list and a text of their own.
local function send_hint(hint, turn, now, was, capacity)
  redis.call('ZADD', KEY.waiting, 'NX', now, turn)
  local full = acquire_slots(turn, was, now, capacity)
  if full then
    redis.call('ZADD', KEY.due, now + POLICY.slot_wait_ms, turn)
    begin_wait(turn, was, 'parked', now, full)
    return full
  end
  if hint then redis.call('LPUSH', was.queue and KEY.chain_hints or KEY.hints, render_hint(turn, hint)) end
  redis.call('ZADD', KEY.due, now + POLICY.hint_grace_ms, turn)
  return nil
end

-- Send the hint for a head with these fields. Return the name of the group for which it waits, or nil. `...` are further
-- fields of its record.
local function dispatch_turn(turn, now, was, ...)
  local hint, capacity, shared_since = read_workers(was.queue)
  local full = send_hint(hint, turn, now, was, shared_since and tonumber(capacity))
  if full then
    if ... then redis.call('HSET', KEY.turn .. turn, ...) end
  else
    redis.call('HSET', KEY.turn .. turn, 'hinted_at', now, ...)
    end_wait(turn, was, now)
  end
  return full
end

-- Send the hint for a head whose record is written. The fields of `was` are read if the caller does not pass it. Return
-- false if the turn has ended or has no record.
local function dispatch(turn, now, was, ...)
  was = was or read_slot_fields(turn)
  if not was then return false end
  dispatch_turn(turn, now, was, ...)
  return true
end

-- Dispatch the head of a session, and return it. Turns before it whose record was evicted or deleted are dropped: the
-- session of a turn must go on, and the script that ends the turn before it must not break off half way.
local function dispatch_head(session, head, now)
  while head and not dispatch(head, now, nil, 'head_at', now) do
    redis.call('LPOP', KEY.queue .. session)
    redis.call('HINCRBY', KEY.service, 'live', -1)
    head = redis.call('LINDEX', KEY.queue .. session, 0)
  end
  return head
end
