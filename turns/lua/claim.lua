#!lua flags=allow-oom
-- claim: gives a queued head to one worker: a lease, a fencing token, the record and the last messages.
--
-- The lease is the turn's entry on the due index: it ends at that time unless it is renewed.
-- A hint may be lost, late or doubled, so each answer but CLAIMED means: nothing to do for you.
--
-- ARGV  1 turn id
--       2 token of this claim, random
--       3 worker
-- Reply CLAIMED, record, messages  record: the hash as name, value, …; messages: JSON, oldest first
--       EXPIRED   it was not started in time, and has ended for that
--       NOT_NOW   it is held, or behind another turn, or waits for its retry
--       GONE      it has ended, or never was

local turn, token, worker = ARGV[1], ARGV[2], ARGV[3]
local key = KEY.turn .. turn
local session, status, held, retry_at, start_by, claims =
  unpack(redis.call('HMGET', key, 'session', 'status', 'token', 'retry_at', 'start_by', 'claims'))
if not AFTER[status] then return {'GONE'} end

-- The last messages of the history, oldest first. What lies before the window is dropped half a window at
-- a time, so that the start of the prompt stays the same for many turns and the provider's cache holds.
local function window()
  local history, most = KEY.history .. session, POLICY.history_window
  local length = redis.call('LLEN', history)
  local half = math.max(1, math.floor(most / 2))
  local keep = length - half * math.max(0, math.ceil((length - most) / half))
  if keep <= 0 then return {} end
  local newest_first, oldest_first = redis.call('LRANGE', history, 0, keep - 1), {}
  for i = #newest_first, 1, -1 do oldest_first[#oldest_first + 1] = newest_first[i] end
  return oldest_first
end

local now = now_ms()
-- The same token again: the reply of the first run was lost and the client asked again.
local mine = status == 'in_progress' and held == token
local to = AFTER[status].claim
if not mine then
  local is_head = redis.call('LINDEX', KEY.queue .. session, 0) == turn
  if not to or not is_head or (retry_at and now < tonumber(retry_at)) then return {'NOT_NOW'} end
  if start_by and now > tonumber(start_by) and claims == '0' then
    finish(turn, session, claims, AFTER[status].expire, now, 'status_reason', 'expired')
    return {'EXPIRED'}
  end
end

local messages = window()  -- before the first write: a history of another type fails here, with nothing changed
if not mine then
  claims = redis.call('HINCRBY', key, 'claims', 1)
  redis.call('HSET', key, 'status', to, 'token', token, 'worker', worker, 'started_at', now)
  redis.call('HDEL', key, 'retry_at')
  redis.call('ZADD', KEY.due, now + POLICY.lease_ms, turn)
  if claims > 1 then emit(turn, claims, 'type', 'reset') end
  emit(turn, claims, 'type', 'status')
end
return {'CLAIMED', redis.call('HGETALL', key), messages}
