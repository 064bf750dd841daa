-- The committed history of a session; loaded in front of every verb.
--
-- It is a list. Or, where POLICY.history is 'file', a file: then the session knows how many messages are committed, and
-- which version of the file has them, which is the token of the claim that wrote it.

-- How many messages are committed; nil where somebody keeps another type under the key.
local function count_messages(session)
  if POLICY.history == 'file' then return tonumber(redis.call('HGET', KEY.session .. session, 'messages') or 0) end
  local length = redis.pcall('LLEN', KEY.history .. session)
  return type(length) == 'number' and length or nil
end

-- These are the last messages of the history, in this order.
local function add_messages(session, token, messages)
  if POLICY.history == 'file' then
    redis.call('HINCRBY', KEY.session .. session, 'messages', #messages)
    redis.call('HSET', KEY.session .. session, 'file', token)
  else
    redis.call('LPUSH', KEY.history .. session, unpack(messages))
  end
end

-- The last messages of the history, oldest first; nil where somebody keeps another type under the key. What lies before
-- the window is dropped half a window at a time, so that the start of the prompt stays the same for many turns and the
-- provider's cache holds.
-- Of a file: how many of its messages are committed, '' if nobody ever counted, and its version, '' if it has none.
local function window(session, most)
  if POLICY.history == 'file' then
    local count, version = unpack(redis.call('HMGET', KEY.session .. session, 'messages', 'file'))
    return {count or '', version or ''}
  end
  local newest_first = redis.pcall('LRANGE', KEY.history .. session, 0, math.max(1, most) - 1)
  if newest_first.err then return nil end
  local keep, oldest_first = #newest_first, {}
  if keep >= most then  -- there may be more of them
    local half, length = math.max(1, math.floor(most / 2)), redis.call('LLEN', KEY.history .. session)
    keep = length - half * math.ceil((length - most) / half)
  end
  for i = keep, 1, -1 do oldest_first[#oldest_first + 1] = newest_first[i] end
  return oldest_first
end

-- The session has no history, also if its file should still be there.
local function forget_history(session)
  redis.call('UNLINK', KEY.session .. session, KEY.history .. session)
  if POLICY.history == 'file' then
    redis.call('HSET', KEY.session .. session, 'messages', 0)
    redis.call('PEXPIRE', KEY.session .. session, POLICY.session_ttl_ms)
  end
end
