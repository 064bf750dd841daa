-- Return the turn for which an idempotency key was used before, and whether with this request; nil if it was not used.
local function find_used(idempotency, fingerprint)
  if idempotency == '' then return nil end
  local used = redis.call('HMGET', KEY.idempotency .. idempotency, 'turn', 'fingerprint')
  return used[1], used[2] == fingerprint
end

-- Record that this turn was accepted under the key, as long as its record exists.
local function remember_use(record, idempotency, turn, fingerprint)
  record[#record + 1], record[#record + 2] = 'idempotency', idempotency
  redis.call('HSET', KEY.idempotency .. idempotency, 'turn', turn, 'fingerprint', fingerprint)
end
