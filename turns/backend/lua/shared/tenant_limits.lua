-- The limits of a tenant: its own, which an operator has set, or those of the settings. 0 is no limit.
--
-- A tenant's own limits are read once in a script, and only if some tenant has any, which a field of the service says.
-- Scripts that read other fields of the service pass it to `note_own_limits`, so that most turns cost no command more.
local LIMITS = {'concurrency', 'backlog', 'turns_per_minute', 'tokens_per_day'}
local DEFAULT_LIMITS = {concurrency = POLICY.tenant_concurrency, backlog = POLICY.tenant_backlog,
  turns_per_minute = POLICY.turns_per_minute, tokens_per_day = POLICY.tokens_per_day}
local has_own_limits  -- whether some tenant has any; nil until it is known
local limits_by_tenant = {}

local function note_own_limits(count)
  has_own_limits = count and true or false
end

-- Return the tenant's own limits with the default for those that it does not have; nil without any or after their end.
local function read_own_limits(tenant, now)
  local values = redis.call('HMGET', KEY.tenant .. tenant, 'until', unpack(LIMITS))
  if values[1] and now >= tonumber(values[1]) then return nil end
  local limits = {}
  for i, name in ipairs(LIMITS) do limits[name] = tonumber(values[i + 1] or DEFAULT_LIMITS[name]) end
  return limits
end

local function tenant_limits(tenant, now)
  if has_own_limits == nil then note_own_limits(redis.call('HGET', KEY.service, 'own_limits')) end
  if not has_own_limits then return DEFAULT_LIMITS end
  if not limits_by_tenant[tenant] then limits_by_tenant[tenant] = read_own_limits(tenant, now) or DEFAULT_LIMITS end
  return limits_by_tenant[tenant]
end

-- Return whether the tenant's live turns are counted; otherwise the limit of all tenants is reached first.
local function counts_live(limits)
  return limits.backlog < POLICY.max_live_turns
end
