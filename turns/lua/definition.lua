-- The versions of assistants that turns were accepted under; loaded in front of every verb.

-- The turn runs with this version, whatever becomes of it elsewhere: it is kept for as long as a live turn needs it.
local function hold_definition(digest, definition)
  local key = KEY.definition .. digest
  if redis.call('HINCRBY', key, 'live', 1) > 1 then return end
  redis.call('HSET', key, 'definition', definition)
  redis.call('PERSIST', key)
end

-- A turn that was accepted under it has ended, and needs it no more. An older release accepted turns without one.
local function leave_definition(digest)
  if digest and redis.call('HINCRBY', KEY.definition .. digest, 'live', -1) <= 0 then
    redis.call('PEXPIRE', KEY.definition .. digest, POLICY.result_ttl_ms)
  end
end

local function definition_of(digest)
  return digest and redis.call('HGET', KEY.definition .. digest, 'definition') or ''
end

-- The pause of this model at the turn's own provider, if it has one. Two providers may have models of one name.
local function pause_key(provider, model)
  return KEY.paused .. (provider and provider .. '/' or '') .. model
end
