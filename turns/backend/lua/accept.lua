#!lua
-- accept: Record a turn as the last of its session and dispatch it if it is the head, or refuse it.
--
-- There is no allow-oom here: when memory is full, Redis refuses a new turn before anything is written.
--
-- ARGV  1 turn id
--       2 session
--       3 on_busy, for a session that has live turns: 'enqueue' waits for them, 'reject' refuses the turn, 'interrupt'
--         ends them and keeps the partial answer of the running one, 'rollback' cancels them without a trace
--       4 digest of the idempotency key, or ''
--       5 fingerprint of the request
--       6 start_within in milliseconds, or ''
--       7 session_id
--       8 user_id, or ''
--       9 definition of the assistant
--       10 version that the session must have, or ''
--       11… further fields of the record, as name, value, name, value; `definition` is the digest of argument 9;
--           for a turn that regenerates another one they begin as `edit_refusal` describes; for one that brings its own
--           past, and is part of no session's history, with `standalone`
-- Reply ACCEPTED, …, turn id  the turn is recorded (also when this script runs a second time)
--       REPLAYED, …, turn id  the idempotency key was used before with this request, for that turn
--                             …: record, position, turn ahead, pace, as `turn_snapshot` returns them
--       KEY_REUSED            the idempotency key was used before with another request
--       SESSION_CHANGED       the session has another version than argument 10
--       GONE, NOT_COMMITTED, NOT_LAST, NOT_EMPTY  as `edit_refusal` returns them for a turn that regenerates another one
--       SESSION_BUSY          the session has a live turn and on_busy is 'reject'
--       BACKLOG_FULL          the session has the maximum number of live turns
--       FILE_GONE             an uploaded file of the turn does not exist, or is another tenant's or user's
--       PAUSED                an operator has paused the intake of new turns
--       OVERLOADED            all sessions together have the maximum number of live turns
--       TENANT_BACKLOG_FULL   the tenant has the maximum number of live turns
--       RATE_LIMITED, ms      the tenant may submit its next turn after this time
--       TOKENS_SPENT, ms      the tenant's tokens of this day are used or reserved; the next day begins after this time
--
-- requires: add_to_lists, begin_session, by_name, clear_session, count, definitions, dispatch, edit, files
-- requires: idempotency, is_paused, now_ms, publish_session_change, quota, replayed, session_retention
-- requires: session_version, share_capacity, slots, tenant_limits, tenant_of, turn_snapshot, unanswered

local turn, session, on_busy, idempotency, fingerprint, start_within, session_id, user_id, definition,
  version = unpack(ARGV, 1, 10)
local key, queue = KEY.turn .. turn, KEY.queue .. session

local function snapshot(outcome, id)
  local reply = turn_snapshot(outcome, id)
  return {reply[1], reply[2], reply[3], reply[4], reply[5], id}
end

-- The reply of the first run was lost and the client sent the command again.
if redis.call('EXISTS', key) == 1 then return replayed(snapshot('ACCEPTED', turn)) end

local used, is_same = find_used(idempotency, fingerprint)
if used then return is_same and replayed(snapshot('REPLAYED', used)) or {'KEY_REUSED'} end

local live_of_all, pace_ms, pause, own_limits, hint, capacity, shared_since, watched_until = unpack(redis.call('HMGET',
  KEY.service, 'live', 'pace_ms', 'intake', 'own_limits', 'hint', 'capacity', 'shared_since', 'watched_until'))
note_own_limits(own_limits)
local tenant, now, live = tenant_of(session), now_ms(), redis.call('LRANGE', queue, 0, -1)  -- bounded by the backlog
if is_paused(pause, now) then return {'PAUSED'} end
if version ~= '' and session_version(session) ~= tonumber(version) then return {'SESSION_CHANGED'} end
local refusal, write_edit = edit_refusal(session, unpack(ARGV, 11, 14))
if refusal then return refusal end
local clears = on_busy == 'interrupt' or on_busy == 'rollback'
if clears or live[1] and not is_live(live[1]) then live = remove_lost_turns(session, live, now) end
local ahead = #live
if on_busy == 'reject' and ahead > 0 then return {'SESSION_BUSY'} end
if ahead >= POLICY.session_backlog and not clears then return {'BACKLOG_FULL'} end
if tonumber(live_of_all or 0) >= POLICY.max_live_turns then return {'OVERLOADED'} end
refusal = quota_refusal(tenant, now) or files_refusal(tenant, user_id, 11)
if refusal then return refusal end

if clears then ahead = clear_session(live, on_busy, now) end
local sequence = ARGV[11] == 'standalone' and 1 or redis.call('HINCRBY', KEY.session .. session, 'sequence', 1)
local record = {'session', session, 'session_id', session_id, 'status', POLICY.initial, 'sequence', tostring(sequence),
  'attempt', '1', 'claims', '0', 'accepted_at', tostring(now), unpack(ARGV, 11)}
local fields = by_name(record)
if sequence == 1 and not fields.standalone then begin_session(session, session_id, user_id, title_of(fields.input), now) end
if user_id ~= '' then record[#record + 1], record[#record + 2] = 'user_id', user_id end
if write_edit then write_edit(record) end
if start_within ~= '' then
  record[#record + 1], record[#record + 2] = 'start_by', tostring(now + start_within)
  redis.call('ZADD', KEY.start_by, now + start_within, turn)
end
if idempotency ~= '' then remember_use(record, idempotency, turn, fingerprint) end
if fields.queue then hint, capacity, shared_since = read_workers(fields.queue) end
capacity = ahead == 0 and share_capacity(fields.queue, capacity, shared_since, (live_of_all or 0) + 1, now)
if ahead == 0 and not send_hint(hint, turn, now, fields, capacity) then
  record[#record + 1], record[#record + 2] = 'hinted_at', tostring(now)
end
redis.call('HSET', key, unpack(record))
if fields.files then hold_files(fields.files, turn) end
if fields.retry_of then remove_unanswered(session, fields.retry_of) end
retain_definition(fields.definition, definition)
redis.call('RPUSH', queue, turn)
add_to_lists(session, turn, sequence, user_id, now)
reserve_quota(turn, tenant, now)
if not fields.standalone then keep_active(session, ahead == 0, now) end
redis.call('HINCRBY', KEY.service, 'live', 1)
count('accepted|' .. (fields.lane or 'interactive'))
if now < tonumber(watched_until or 0) then publish_session_change(session, 'accepted', turn, sequence) end
return {'ACCEPTED', record, ahead + 1, live[ahead] or '', tonumber(pace_ms or 0), turn}
