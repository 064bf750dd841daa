-- Append an entry to the turn's event stream and publish the same entry to the readers of its session.
--
-- Ids are `<claim number>-<n>`, so that a reader's cursor identifies the run that it has seen. Return nil if the stream
-- already contains this id or a later one. The message is `<turn> <sequence> <id> <attempt> <type> <text>`.
local function append_event(turn, was, id, attempt, type, text)
  local added = redis.pcall('XADD', KEY.events .. turn, id, 'type', type, 'attempt', attempt, 'text', text)
  if added.err then
    if string.find(added.err, 'equal or smaller', 1, true) then return nil end
    error(added.err)
  end
  redis.call('PUBLISH', KEY.live .. was.session,
    table.concat({turn, was.sequence or 0, added, attempt, type, text}, ' '))
  return added
end
