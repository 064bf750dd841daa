-- requires: push_messages

-- Append these messages to the committed history of a session, in this order.
--
-- The history is a list in Redis or, if POLICY.history is 'file', a file. For a file, the session holds the number of
-- committed messages and the version of the file that contains them: the token of the claim that wrote it.
local function append_messages(session, token, messages)
  if POLICY.history == 'file' then
    redis.call('HINCRBY', KEY.session .. session, 'messages', #messages)
    redis.call('HSET', KEY.session .. session, 'file', token)
  else
    push_messages(session, messages, 1)
  end
end
