-- requires: tenant_limits, tokens_key

-- Return the time (ms) at which the tenant's next turn is due at its rate; the tenant may be ahead of it by a short burst.
-- This is the generic cell rate algorithm. Source: ITU-T I.371, appendix A.
local function next_turn_at(tenant, now)
  local limits, at = tenant_limits(tenant, now), math.max(now, tonumber(redis.call('GET', KEY.rate .. tenant) or 0))
  -- The upper bound keeps the tenant from waiting for hours after the clock was set back or the rate was raised.
  return math.min(at, now + POLICY.burst_ms + 60000 / limits.turns_per_minute)
end

-- Return the reply that refuses a turn of this tenant, or nil if the tenant may submit one. This writes nothing.
local function quota_refusal(tenant, now)
  local limits = tenant_limits(tenant, now)
  if counts_live(limits) and tonumber(redis.call('HGET', KEY.tenant .. tenant, 'live') or 0) >= limits.backlog then
    return {'TENANT_BACKLOG_FULL'}
  end
  if limits.turns_per_minute > 0 then
    local early_ms = next_turn_at(tenant, now) - POLICY.burst_ms - now
    if early_ms > 0 then return {'RATE_LIMITED', math.ceil(early_ms)} end
  end
  if limits.tokens_per_day > 0 then
    local used = tonumber(redis.call('GET', tokens_key(tenant, now)) or 0)
    if used + POLICY.reserved_tokens > limits.tokens_per_day then return {'TOKENS_SPENT', DAY_MS - now % DAY_MS} end
  end
  return nil
end

-- Move the time of the tenant's next turn ahead by one turn.
local function advance_rate(tenant, now)
  local limits = tenant_limits(tenant, now)
  if limits.turns_per_minute > 0 then
    local at = next_turn_at(tenant, now) + 60000 / limits.turns_per_minute
    redis.call('SET', KEY.rate .. tenant, math.ceil(at), 'PX', math.ceil(at - now))
  end
end

-- Count one more turn of the tenant and reserve tokens for it, on the day on which it was accepted.
local function reserve_quota(turn, tenant, now)
  local limits = tenant_limits(tenant, now)
  if counts_live(limits) then
    redis.call('HINCRBY', KEY.tenant .. tenant, 'live', 1)
    redis.call('HSET', KEY.turn .. turn, 'is_counted', 1)
  end
  advance_rate(tenant, now)
  if limits.tokens_per_day > 0 then
    local key = tokens_key(tenant, now)
    redis.call('INCRBY', key, POLICY.reserved_tokens)
    redis.call('PEXPIRE', key, 2 * DAY_MS)
    redis.call('HSET', KEY.turn .. turn, 'reserved_tokens', POLICY.reserved_tokens)
  end
end
