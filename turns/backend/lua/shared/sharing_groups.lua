-- requires: hold_name

-- While the workers are nearly full, their capacity is shared. The turns of each model or custom chain are a group, those
-- of each tenant with API keys, and those of such a tenant and model. A group may take a slot while it has at most a fixed
-- multiple of those that remain free. One group alone leaves few slots free, and many leave some. Source: Choudhury and
-- Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches".
local MAX_PERCENT = POLICY.max_share_percent  -- of the capacity, for one tenant's turns of one model
local PER_FREE = MAX_PERCENT / (100 - MAX_PERCENT)
-- For a tenant and for a model, so that the tenant's other models and the model's other tenants get half of the rest.
local PER_FREE_OF_ALL = (100 + MAX_PERCENT) / (100 - MAX_PERCENT)

-- Add the groups that share the capacity of the workers that run this turn, the first of which has all of their turns and
-- is only counted. A group without a turn may always take a slot. The default tenant, which has no API keys, is everyone.
local function add_sharing_groups(groups, was, tenant, capacity)
  local kind = was.queue or 'loop'
  local free = capacity and capacity - redis.call('SCARD', KEY.slots .. kind) - 1  -- with this turn
  local model = was.queue and '/chain:' .. (was.assistant or '')
    or '/model:' .. hold_name(was.provider, was.own_model or '')
  local function add(name, per_free)
    groups[#groups + 1] = {kind .. name, free and math.max(1, math.floor(free * per_free)) or 0}
  end
  groups[#groups + 1] = {kind, free and math.huge or 0}
  if tenant == POLICY.default_tenant then
    add(model, PER_FREE)
  else
    add('/tenant:' .. tenant .. model, PER_FREE)
    add('/tenant:' .. tenant, PER_FREE_OF_ALL)
    add(model, PER_FREE_OF_ALL)
  end
end
