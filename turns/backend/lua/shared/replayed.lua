-- Return the reply of a verb that runs a second time because its first reply was lost. This writes, so that a caller
-- that waits for replicas waits for the writes of the first run too.
local function replayed(reply)
  redis.call('HINCRBY', KEY.service, 'repeated', 1)
  return reply
end
