-- The version of a session rises with each committed message and each other change, so that a caller notices that another
-- one was faster. It is the number of messages plus the field `changes`, so a commit needs no further command.

-- Return the number of committed messages of a session; nil if another program keeps another type under the key.
local function count_messages(session)
  if POLICY.history == 'file' then return tonumber(redis.call('HGET', KEY.session .. session, 'messages') or 0) end
  local length = redis.pcall('LLEN', KEY.history .. session)
  return type(length) == 'number' and length or nil
end

local function session_version(session)
  return (count_messages(session) or 0) + tonumber(redis.call('HGET', KEY.session .. session, 'changes') or 0)
end

-- Raise the version by a change that is not a commit, such as an edit of the history, which has `removed` messages fewer
-- now; 0 if it has as many or more. Return the new value of `changes`.
local function raise_version(session, removed)
  return redis.call('HINCRBY', KEY.session .. session, 'changes', removed + 1)
end
