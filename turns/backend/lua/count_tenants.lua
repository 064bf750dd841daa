#!lua flags=no-writes
-- count_tenants: Count the live turns of each tenant whose heads are among these.
--
-- ARGV  1… turn ids of heads
-- Reply tenant, running, live, since, tenant, …  running: heads that run; live: live turns of their sessions; since: the
--       time (ms) since which the first of the tenant's heads has waited for its run, or 0
--
-- requires: tenant_of, transitions

local counts, order = {}, {}

local function count_head(turn)
  local status, session, accepted_at = unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'session', 'accepted_at'))
  if not AFTER[status] then return end
  local tenant = tenant_of(session)
  if not counts[tenant] then counts[tenant], order[#order + 1] = {0, 0, 0}, tenant end
  local found = counts[tenant]
  found[2] = found[2] + redis.call('LLEN', KEY.queue .. session)
  if status == POLICY.initial then
    local since = tonumber(redis.call('ZSCORE', KEY.waiting, turn) or accepted_at)
    if found[3] == 0 or since < found[3] then found[3] = since end
  else
    found[1] = found[1] + 1
  end
end

for i = 1, #ARGV do pcall(count_head, ARGV[i]) end  -- another program may have replaced a record
local reply = {}
for _, tenant in ipairs(order) do
  reply[#reply + 1] = tenant
  for _, number in ipairs(counts[tenant]) do reply[#reply + 1] = number end
end
return reply
