-- Read and write the committed history of a session; loaded in front of every verb.
--
-- The history is a list in Redis or, if POLICY.history is 'file', a file. For a file, the session holds the number of
-- committed messages and the version of the file that contains them: the token of the claim that wrote it.

-- Return the number of committed messages; nil if another program keeps another type under the key.
local function count_messages(session)
  if POLICY.history == 'file' then return tonumber(redis.call('HGET', KEY.session .. session, 'messages') or 0) end
  local length = redis.pcall('LLEN', KEY.history .. session)
  return type(length) == 'number' and length or nil
end

-- Append these messages to the history, in this order.
local function append_messages(session, token, messages)
  if POLICY.history == 'file' then
    redis.call('HINCRBY', KEY.session .. session, 'messages', #messages)
    redis.call('HSET', KEY.session .. session, 'file', token)
  else
    redis.call('LPUSH', KEY.history .. session, unpack(messages))
  end
end

-- Return the last messages of the history, oldest first; nil if another program keeps another type under the key.
--
-- The window slides in steps of half its size: the start of the prompt stays the same for several turns, so that the
-- provider's prompt cache stays valid. For a file, return the number of its committed messages ('' if it was never
-- counted) and its version ('' if it has none).
local function read_window(session, max_messages)
  if POLICY.history == 'file' then
    local length, version = unpack(redis.call('HMGET', KEY.session .. session, 'messages', 'file'))
    return {length or '', version or ''}
  end
  local newest_first = redis.pcall('LRANGE', KEY.history .. session, 0, math.max(1, max_messages) - 1)
  if newest_first.err then return nil end
  local keep, oldest_first = #newest_first, {}
  if keep >= max_messages then  -- the list may be longer than the window
    local half, length = math.max(1, math.floor(max_messages / 2)), redis.call('LLEN', KEY.history .. session)
    keep = length - half * math.ceil((length - max_messages) / half)
  end
  for i = keep, 1, -1 do oldest_first[#oldest_first + 1] = newest_first[i] end
  return oldest_first
end

-- Delete the history. The session of a file keeps a count of 0, so that a file which is still there counts as empty.
local function delete_history(session)
  redis.call('UNLINK', KEY.session .. session, KEY.history .. session)
  if POLICY.history == 'file' then
    redis.call('HSET', KEY.session .. session, 'messages', 0)
    redis.call('PEXPIRE', KEY.session .. session, POLICY.session_ttl_ms)
  end
end
