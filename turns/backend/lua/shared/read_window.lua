-- Return the last messages of a history before its last `replaced` ones, oldest first; nil if another program keeps another type under the key.
--
-- The window slides in steps of half its size: the start of the prompt stays the same for several turns, so that the
-- provider's prompt cache stays valid. For a file, return the number of its committed messages ('' if it was never
-- counted) and its version ('' if it has none).
local function read_window(session, max_messages, replaced)
  if POLICY.history == 'file' then
    local length, version = unpack(redis.call('HMGET', KEY.session .. session, 'messages', 'file'))
    return {length or '', version or ''}
  end
  local newest_first = redis.pcall('LRANGE', KEY.history .. session, replaced, replaced + math.max(1, max_messages) - 1)
  if newest_first.err then return nil end
  local keep, oldest_first = #newest_first, {}
  if keep >= max_messages then  -- the list may be longer than the window
    local half, length = math.max(1, math.floor(max_messages / 2)), redis.call('LLEN', KEY.history .. session) - replaced
    keep = length - half * math.ceil((length - max_messages) / half)
  end
  for i = keep, 1, -1 do oldest_first[#oldest_first + 1] = newest_first[i] end
  return oldest_first
end
