-- requires: tokens_key

-- Replace the reservation of a turn that has ended by the tokens that it used, `was.used_tokens`. If a started run ended
-- without a usage report, keep its reservation.
local function settle_quota(was, tenant, status)
  if was.is_counted and redis.call('HINCRBY', KEY.tenant .. tenant, 'live', -1) <= 0 then
    redis.call('HDEL', KEY.tenant .. tenant, 'live')
  end
  local is_unknown = was.status == 'in_progress' and status ~= 'failed' and not was.used_tokens
  if not was.reserved_tokens or is_unknown then return end
  local key = tokens_key(tenant, was.accepted_at)
  if redis.call('EXISTS', key) == 1 then redis.call('INCRBY', key, (was.used_tokens or 0) - was.reserved_tokens) end
end
