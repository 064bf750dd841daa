-- requires: finish, history_numbers, publish_session_change, session_version, transitions, uncommit_files

-- A turn that regenerates another one of its session has the numbers of that one's messages in `replaces`. They stay in
-- the history until it commits, and must be the last ones then.

-- Return how many messages this turn replaces: usually 0, and nil if those are not the last ones any more.
local function count_replaced(was)
  if not was.replaces then return 0 end
  local first, last = parse_numbers(was.replaces)
  return is_last_message(was.session, last, was.regenerates) and last - first + 1 or nil
end

-- End a live turn whose replaced messages are not the last ones any more.
local function fail_not_last(turn, was, now)
  finish(turn, was, AFTER[was.status].fail, 'turn_not_last', now, 'error_code', 'turn_not_last')
end

-- Record that a turn has replaced the messages of the one that it regenerates, if that one still has a record. If not, the
-- session keeps the files of those messages as long as it exists. The history has `removed` messages fewer now.
local function mark_superseded(turn, was, removed, now)
  local changes = raise_version(was.session, math.max(0, removed))
  publish_session_change(was.session, 'message.deleted', was.regenerates, changes)
  local key = KEY.turn .. was.regenerates
  local status, files = unpack(redis.call('HMGET', key, 'status', 'files'))
  if not status then return end
  if files then uncommit_files(files, was.session, now) end
  redis.call('HSET', key, 'superseded_by', turn)
  redis.call('HDEL', key, 'messages')
end
