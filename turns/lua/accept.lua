#!lua
-- accept: records a turn as the last of its session, or refuses it. A head is dispatched in the same step.
--
-- Without allow-oom: when memory is full a new turn is refused before anything is written.
--
-- ARGV  1 turn id
--       2 session
--       3 on_busy: when the session has live turns, 'enqueue' waits for them, 'reject' refuses, 'interrupt' ends them and
--         keeps what the running one has said so far, 'rollback' ends them without a trace
--       4 digest of the idempotency key, or ''
--       5 fingerprint of the request
--       6 start_within in milliseconds, or ''
--       7 session_id
--       8 user_id, or ''
--       9 the assistant's definition
--       10… further fields of the record, as name, value, name, value; `definition` is its digest
-- Reply ACCEPTED, …, turn id  the turn is recorded (also when this script runs a second time)
--       REPLAYED, …, turn id  the idempotency key was used before with this request, for that turn
--                             …: record, position, turn ahead, pace, as `show` describes them
--       KEY_REUSED            the idempotency key was used before, with another request
--       SESSION_BUSY          the session has a live turn and on_busy is 'reject'
--       BACKLOG_FULL          the session has as many live turns as are allowed
--       PAUSED                nothing is accepted at the moment, because an operator said so
--       OVERLOADED            all sessions together have as many live turns as are allowed
--       TENANT_BACKLOG_FULL   the tenant has as many live turns as are allowed
--       RATE_LIMITED, ms      the tenant may submit its next turn so much later
--       TOKENS_SPENT, ms      the tenant's tokens of this day are used or reserved; the next day begins so much later

local turn, session, on_busy, idempotency, fingerprint, start_within, session_id, user_id, definition =
  unpack(ARGV, 1, 9)
local key, queue = KEY.turn .. turn, KEY.queue .. session

local function answer(word, id)
  local reply = show(word, id)
  reply[#reply + 1] = id
  return reply
end

-- The reply of the first run was lost and the client asked again.
if redis.call('EXISTS', key) == 1 then return again(answer('ACCEPTED', turn)) end

if idempotency ~= '' then
  local used = redis.call('HMGET', KEY.idempotency .. idempotency, 'turn', 'fingerprint')
  if used[1] then
    if used[2] == fingerprint then return again(answer('REPLAYED', used[1])) end
    return {'KEY_REUSED'}
  end
end

local live_of_all, pace_ms, is_paused, hint =
  unpack(redis.call('HMGET', KEY.service, 'live', 'pace_ms', 'intake', 'hint'))
if is_paused then return {'PAUSED'} end
local now, live = now_ms(), redis.call('LRANGE', queue, 0, -1)  -- bounded by the backlog
local clears = on_busy == 'interrupt' or on_busy == 'rollback'
if clears or live[1] and not is_live(live[1]) then live = forget_lost(session, live, now) end
local ahead = #live
if on_busy == 'reject' and ahead > 0 then return {'SESSION_BUSY'} end
if ahead >= POLICY.session_backlog and not clears then return {'BACKLOG_FULL'} end
if tonumber(live_of_all or 0) >= POLICY.max_live_turns then return {'OVERLOADED'} end
local tenant = tenant_of(session)
local refusal = quota_refusal(tenant, now)
if refusal then return refusal end

if clears then ahead = clear(live, on_busy, now) end
local sequence = redis.call('HINCRBY', KEY.session .. session, 'sequence', 1)
if sequence == 1 then begin_session(session, session_id, user_id, now) end
local record = {'session', session, 'session_id', session_id, 'status', POLICY.initial, 'sequence', tostring(sequence),
  'attempt', '1', 'claims', '0', 'accepted_at', tostring(now), unpack(ARGV, 10)}
local fields = by_name(record)
if user_id ~= '' then record[#record + 1], record[#record + 2] = 'user_id', user_id end
if start_within ~= '' then
  record[#record + 1], record[#record + 2] = 'start_by', tostring(now + start_within)
  redis.call('ZADD', KEY.start_by, now + start_within, turn)
end
if idempotency ~= '' then
  record[#record + 1], record[#record + 2] = 'idempotency', idempotency
  redis.call('HSET', KEY.idempotency .. idempotency, 'turn', turn, 'fingerprint', fingerprint)
end
if ahead == 0 and send_hint(hint, turn, now, session, fields.lane) then
  record[#record + 1], record[#record + 2] = 'hinted_at', tostring(now)
end
redis.call('HSET', key, unpack(record))
hold_definition(fields.definition, definition)
redis.call('RPUSH', queue, turn)
redis.call('ZADD', KEY.turns .. tenant, now, turn)
take_quota(turn, tenant, now)
redis.call('ZADD', KEY.session_turns .. session, sequence, turn)
if ahead == 0 then keep_session(session) end
list_session(session, now)
redis.call('HINCRBY', KEY.service, 'live', 1)
count('accepted|' .. (fields.lane or 'interactive'))
return {'ACCEPTED', record, ahead + 1, live[ahead] or '', tonumber(pace_ms or 0), turn}
