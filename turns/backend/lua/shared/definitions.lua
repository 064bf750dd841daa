-- Keep the version of an assistant for this live turn, which runs with it even if the assistant changes or disappears meanwhile.
local function retain_definition(digest, definition)
  local key = KEY.definition .. digest
  if redis.call('HINCRBY', key, 'live', 1) > 1 then return end
  redis.call('HSET', key, 'definition', definition)
  redis.call('PERSIST', key)
end

-- Drop the reference of a turn that has ended. Turns that an older release accepted have none.
local function release_definition(digest)
  if digest and redis.call('HINCRBY', KEY.definition .. digest, 'live', -1) <= 0 then
    redis.call('PEXPIRE', KEY.definition .. digest, POLICY.result_ttl_ms)
  end
end
