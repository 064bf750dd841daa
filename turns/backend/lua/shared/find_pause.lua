-- requires: is_paused, tenant_of

-- An operator can pause all workers, a tenant, a lane, an assistant, a provider and a model. A pause is a field of the
-- service with the name of its part. The turns of a paused part wait in order of their acceptance, see `pause_turn`.
-- When the pause has ended, its field stays until all of them were dispatched, so that no younger turn starts earlier.

-- Return whether an older turn than this one still waits for the part.
local function is_behind_paused(turn, was, part)
  local oldest, accepted_at = unpack(redis.call('ZRANGE', KEY.paused .. part, 0, 0, 'WITHSCORES'))
  return oldest ~= nil and oldest ~= turn and tonumber(accepted_at) < tonumber(was.accepted_at)
end

-- Return the part for which this turn has to wait, or nil; then the model that it may use, which is the fallback if the
-- model is paused; and the fallback, '' if it is paused.
local function find_pause(turn, was, model, fallback, now)
  local parts = {'workers', 'tenant/' .. tenant_of(was.session), 'lane/' .. (was.lane or 'interactive'),
    'assistant/' .. (was.assistant or ''), 'provider/' .. (was.provider_host or 'default'), 'model/' .. model,
    'model/' .. fallback}
  local pauses = redis.call('HMGET', KEY.service, unpack(parts))
  local function is_closed(i)
    return pauses[i] and (is_paused(pauses[i], now) or is_behind_paused(turn, was, parts[i]))
  end
  for i = 1, 5 do
    if is_closed(i) then return parts[i], model, fallback end
  end
  if is_closed(7) then fallback = '' end
  if not is_closed(6) then return nil, model, fallback end
  if fallback ~= '' and fallback ~= model then return nil, fallback, fallback end
  return parts[6], model, fallback
end
