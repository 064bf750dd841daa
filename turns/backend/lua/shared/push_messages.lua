-- Add the values from index `first` on to a history, oldest first, in chunks: Lua's stack holds a few thousand values.
local function push_messages(session, values, first)
  for i = first, #values, 1000 do
    redis.call('LPUSH', KEY.history .. session, unpack(values, i, math.min(i + 999, #values)))
  end
end
