-- requires: admit

-- Return whether this turn may call the model now: 'FREE', 'PROBE' (its result decides for the others), 'ADMITTED'
-- (another one has an answer already) or 'HELD'.
local function pass_hold(turn, was, name, now)
  local until_at, answered_at, probe = unpack(redis.call('HMGET', KEY.hold .. name, 'until', 'answered_at', 'probe'))
  if not until_at then return 'FREE' end
  if now < tonumber(until_at) then return 'HELD' end
  if was.admitted_by == name then return answered_at and 'ADMITTED' or 'PROBE' end
  if redis.call('ZCARD', KEY.held .. name) > 0 then return 'HELD' end  -- `rescue` admits the oldest one first
  if answered_at then return 'FREE' end
  return is_probing(name, probe) and 'HELD' or 'PROBE'
end
