-- requires: process_due, read_record, serve_group, share_capacity, slots, tenant_limits, tenant_of

local OWN_FIELDS = {'until', 'reason', 'set_by', 'set_at', unpack(LIMITS)}
local MAX_SERVED = 1000  -- heads that one change dispatches; the check of their group follows with the others

-- Count a head of the tenant, if it has a worker, among those that use its slots, and the live turns of its session among
-- those of the tenant. Return the number of the latter.
local function count_session(head, was, name, limits)
  if limits.concurrency > 0 and is_dispatched(head, was) then redis.call('SADD', KEY.slots .. name, head) end
  local live = 0
  for _, turn in ipairs(counts_live(limits) and redis.call('LRANGE', KEY.queue .. was.session, 0, -1) or {}) do
    if is_live(turn) then
      redis.call('HSET', KEY.turn .. turn, 'is_counted', 1)
      live = live + 1
    end
  end
  return live
end

-- Count what the tenant has live and running, because that is not counted while the tenant has no such limit.
local function count_tenant(tenant, limits)
  local live = 0
  for _, head in ipairs(redis.call('ZRANGE', KEY.due, 0, -1)) do
    local session = redis.pcall('HGET', KEY.turn .. head, 'session')
    if type(session) == 'string' and tenant_of(session) == tenant then
      live = live + count_session(head, read_record(head), 'tenant:' .. tenant, limits)
    end
  end
  if live > 0 then redis.call('HSET', KEY.tenant .. tenant, 'live', live) end
end

-- Let the present limits of the tenant take effect: turns that run beyond them finish, and heads that wait for a slot and
-- have one now are dispatched, oldest first.
local function apply_limits(tenant, now)
  local count = redis.call('ZCARD', KEY.limited)
  if count > 0 then redis.call('HSET', KEY.service, 'own_limits', count) else redis.call('HDEL', KEY.service, 'own_limits') end
  redis.call('DEL', KEY.rate .. tenant)  -- otherwise the next turn would be due at the old rate
  local limits = tenant_limits(tenant, now)
  if limits.concurrency > 0 or counts_live(limits) then count_tenant(tenant, limits) end
  serve_group('tenant:' .. tenant, MAX_SERVED, now)
end

local function remove_own_limits(tenant, now)
  redis.call('HDEL', KEY.tenant .. tenant, unpack(OWN_FIELDS))
  redis.call('ZREM', KEY.limited, tenant)
  apply_limits(tenant, now)
end

-- Remove the limits whose time has passed; until then, no script has heeded them any more.
local function end_own_limits(max_tenants, now, processed)
  process_due(KEY.limited, function(tenant) remove_own_limits(tenant, now) end, max_tenants, now, processed)
end
