-- requires: by_name, transitions

-- Return a reply that describes a turn, and the turn's session (nil if there is no such turn).
--
-- The reply is: outcome, record (name, value, …), position among the session's live turns (the head is 1; an ended turn
-- 0), id of the turn right before it or '', and the recent duration of a turn (ms).
local function turn_snapshot(outcome, turn)
  local record = redis.call('HGETALL', KEY.turn .. turn)
  local fields = by_name(record)
  if not AFTER[fields.status] then return {outcome, record, 0, '', 0}, fields.session end
  if fields.status == 'in_progress' then return {outcome, record, 1, '', 0}, fields.session end  -- only heads run
  local queue = KEY.queue .. fields.session
  local index = redis.call('LPOS', queue, turn)
  local ahead = index and index > 0 and redis.call('LINDEX', queue, index - 1)
  local pace_ms = redis.call('HGET', KEY.service, 'pace_ms')
  return {outcome, record, (index or -1) + 1, ahead or '', tonumber(pace_ms or 0)}, fields.session
end
