#!lua flags=allow-oom
-- set_limits: Give a tenant own limits, in place of those it had, or none.
--
-- ARGV  1 tenant
--       2 maximum number of concurrently dispatched turns, 0 without one, or '' for the default, as each further limit
--       3 maximum number of live turns, or ''
--       4 maximum number of turns per minute, 0 or ''
--       5 maximum number of tokens per day, 0 or ''; four times '': the tenant has no own limits any more
--       6 time (ms) at which these limits end, or ''
--       7 reason, or ''
--       8 id of the API key that sets them, or ''
--       9 maximum number of tenants with own limits
-- Reply LIMITED   the limits are in effect
--       REMOVED   the default limits are in effect
--       EXPIRED   the time is not in the future
--       TOO_MANY  as many other tenants as possible have own limits
--
-- requires: now_ms, own_limits, tenant_limits

local tenant, concurrency, backlog, turns_per_minute, tokens_per_day, until_at, reason, set_by, max_tenants =
  unpack(ARGV, 1, 9)
local given = {concurrency = concurrency, backlog = backlog, turns_per_minute = turns_per_minute,
  tokens_per_day = tokens_per_day}
local now, key, written = now_ms(), KEY.tenant .. tenant, {'reason', reason, 'set_by', set_by}
for _, name in ipairs(LIMITS) do
  if given[name] ~= '' then written[#written + 1], written[#written + 2] = name, given[name] end
end
if #written == 4 then
  remove_own_limits(tenant, now)
  return {'REMOVED'}
end
if until_at ~= '' then
  if tonumber(until_at) <= now then return {'EXPIRED'} end
  written[#written + 1], written[#written + 2] = 'until', until_at
end
local is_new = not redis.call('ZSCORE', KEY.limited, tenant)
if is_new and redis.call('ZCARD', KEY.limited) >= tonumber(max_tenants) then return {'TOO_MANY'} end

redis.call('HDEL', key, unpack(OWN_FIELDS))
redis.call('HSET', key, 'set_at', now, unpack(written))
redis.call('ZADD', KEY.limited, until_at == '' and '+inf' or until_at, tenant)
apply_limits(tenant, now)
return {'LIMITED'}
