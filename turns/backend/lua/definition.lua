-- Keep the versions of assistants that turns were accepted under; loaded in front of every verb.

-- Keep the version for this live turn, which runs with it even if the assistant changes or disappears meanwhile.
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

-- Return the version that a turn was accepted under, or ''.
local function read_definition(digest)
  return digest and redis.call('HGET', KEY.definition .. digest, 'definition') or ''
end

-- Return the key of a model's pause. It contains the assistant's own provider, because two providers may use one name.
local function pause_key(provider, model)
  return KEY.paused .. (provider and provider .. '/' or '') .. model
end
