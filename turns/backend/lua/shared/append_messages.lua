-- requires: push_messages

-- Append these messages to the committed history of a session, in this order, in place of its last `replaced` ones.
-- Return the numbers of the first and the last one, as the record of their turn contains them.
--
-- The history is a list in Redis or, if POLICY.history is 'file', a file. For a file, the session holds the number of
-- committed messages and the version of the file that contains them: the token of the claim that wrote it.
local function append_messages(session, token, messages, replaced)
  local last
  if POLICY.history == 'file' then
    last = redis.call('HINCRBY', KEY.session .. session, 'messages', #messages - replaced)
    redis.call('HSET', KEY.session .. session, 'file', token)
  else
    if replaced > 0 then redis.call('LPOP', KEY.history .. session, replaced) end
    last = push_messages(session, messages, 1)
  end
  return last - #messages + 1 .. '-' .. last
end
