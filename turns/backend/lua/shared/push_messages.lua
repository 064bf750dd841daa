-- Add the values from index `first` on to a history, oldest first, in chunks: Lua's stack holds a few thousand values.
-- Return the number of messages in the history; nil if there are no values.
local function push_messages(session, values, first)
  local length
  for i = first, #values, 1000 do
    length = redis.call('LPUSH', KEY.history .. session, unpack(values, i, math.min(i + 999, #values)))
  end
  return length
end
