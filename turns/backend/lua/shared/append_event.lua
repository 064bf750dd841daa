-- Publish an event of a turn to the readers of its session, as `<turn> <sequence> <id> <attempt> <type> <text>`.
local function publish_event(turn, was, id, attempt, type, text)
  redis.call('PUBLISH', KEY.live .. was.session,
    table.concat({turn, was.sequence or 0, id, attempt, type, text}, ' '))
end

-- Append an entry to the turn's event stream and publish the same entry.
--
-- Ids are `<claim number>-<n>`, so that a reader's cursor identifies the run that it has seen; for a delta, n is the
-- number of its last character in the run. Return nil if the stream already contains this id or a later one.
local function append_event(turn, was, id, attempt, type, text)
  local added = redis.pcall('XADD', KEY.events .. turn, id, 'type', type, 'attempt', attempt, 'text', text)
  if added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return nil end
    error(added.err)
  end
  publish_event(turn, was, added, attempt, type, text)
  return added
end
