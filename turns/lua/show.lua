-- What verbs show, loaded in front of every verb.

-- What a verb shows of a turn: its record (name, value, …), its position among its session's live turns (the
-- head is 1; 0 when it has ended), the id of the turn right before it, or '', and how long (ms) turns take lately.
-- And beside that its session; nil where there is no such turn.
local function show(word, turn)
  local record = redis.call('HGETALL', KEY.turn .. turn)
  local fields = by_name(record)
  if not AFTER[fields.status] then return {word, record, 0, '', 0}, fields.session end
  if fields.status == 'in_progress' then return {word, record, 1, '', 0}, fields.session end  -- only heads run
  local queue = KEY.queue .. fields.session
  local index = redis.call('LPOS', queue, turn)
  local ahead = index and index > 0 and redis.call('LINDEX', queue, index - 1)
  local pace_ms = redis.call('HGET', KEY.service, 'pace_ms')
  return {word, record, (index or -1) + 1, ahead or '', tonumber(pace_ms or 0)}, fields.session
end

-- What a verb shows of a session: session_id, user_id, number of messages, time (ms) of its last activity, '1' if its
-- head is running, and its live turns in order; nil where there is no such session.
local function show_session(session)
  local id, user = unpack(redis.call('HMGET', KEY.session .. session, 'session_id', 'user_id'))
  local messages = count_messages(session) or 0
  if not id and messages == 0 then return nil end
  local live = redis.call('LRANGE', KEY.queue .. session, 0, -1)  -- bounded by the backlog
  local running = live[1] and redis.call('HGET', KEY.turn .. live[1], 'status') == 'in_progress'
  local active_at = redis.call('ZSCORE', KEY.sessions .. tenant_of(session), session)
  return {id or '', user or '', messages, active_at or '', running and '1' or '0', live}
end
