-- What a tenant may have; loaded in front of every verb. Each limit is off where its policy is 0.

local DAY_MS = 86400000
local COUNTS_LIVE = POLICY.tenant_backlog < POLICY.max_live_turns  -- else the limit of all is met first

local function tokens_key(tenant, now)
  return KEY.tokens .. tenant .. ':' .. math.floor(now / DAY_MS)
end

-- The time (ms) at which the tenant's next turn is due at its rate; a burst may be some seconds ahead of that.
-- The generic cell rate algorithm. Source: ITU-T I.371, appendix A.
local function next_at(tenant, now)
  local at = math.max(now, tonumber(redis.call('GET', KEY.rate .. tenant) or 0))
  return math.min(at, now + POLICY.burst_ms + 60000 / POLICY.turns_per_minute)  -- also after the clock went back
end

-- Why the tenant may not submit a turn now, as the reply that says so; nil: it may. Writes nothing.
local function quota_refusal(tenant, now)
  if COUNTS_LIVE and tonumber(redis.call('HGET', KEY.tenant .. tenant, 'live') or 0) >= POLICY.tenant_backlog then
    return {'TENANT_BACKLOG_FULL'}
  end
  if POLICY.turns_per_minute > 0 then
    local early_ms = next_at(tenant, now) - POLICY.burst_ms - now
    if early_ms > 0 then return {'RATE_LIMITED', math.ceil(early_ms)} end
  end
  if POLICY.tokens_per_day > 0 then
    local used = tonumber(redis.call('GET', tokens_key(tenant, now)) or 0)
    if used + POLICY.reserved_tokens > POLICY.tokens_per_day then return {'TOKENS_SPENT', DAY_MS - now % DAY_MS} end
  end
  return nil
end

local function take_rate(tenant, now)
  if POLICY.turns_per_minute > 0 then
    local at = next_at(tenant, now) + 60000 / POLICY.turns_per_minute
    redis.call('SET', KEY.rate .. tenant, math.ceil(at), 'PX', math.ceil(at - now))
  end
end

-- The tenant has one turn more. Its tokens are reserved, on the day on which it was accepted.
local function take_quota(turn, tenant, now)
  if COUNTS_LIVE then
    redis.call('HINCRBY', KEY.tenant .. tenant, 'live', 1)
    redis.call('HSET', KEY.turn .. turn, 'is_counted', 1)
  end
  take_rate(tenant, now)
  if POLICY.tokens_per_day > 0 then
    local key = tokens_key(tenant, now)
    redis.call('INCRBY', key, POLICY.reserved_tokens)
    redis.call('PEXPIRE', key, 2 * DAY_MS)
    redis.call('HSET', KEY.turn .. turn, 'reserved_tokens', POLICY.reserved_tokens)
  end
end

-- The turn has ended: what was reserved for it gives way to what it used, `was.used_tokens`. Of a run that has said something
-- and whose provider has not told what that took, or could not any more, it stays.
local function settle_quota(was, tenant, status)
  if was.is_counted and redis.call('HINCRBY', KEY.tenant .. tenant, 'live', -1) <= 0 then
    redis.call('HDEL', KEY.tenant .. tenant, 'live')
  end
  local is_unknown = was.status == 'in_progress' and status ~= 'failed' and not was.used_tokens
  if not was.reserved_tokens or is_unknown then return end
  local key = tokens_key(tenant, was.accepted_at)
  if redis.call('EXISTS', key) == 1 then redis.call('INCRBY', key, (was.used_tokens or 0) - was.reserved_tokens) end
end
