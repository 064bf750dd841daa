-- requires: count

-- Call `handle` with each due member of an index and append the member and its outcome, if any, to `processed`.
--
-- A member that raises an error, because another program has written to its keys or some of them were evicted, is set
-- aside for a while: it must not keep the members behind it from being processed.
local function process_due(index, handle, max_members, now, processed)
  for _, member in ipairs(redis.call('ZRANGE', index, '-inf', now, 'BYSCORE', 'LIMIT', 0, max_members)) do
    local is_done, outcome = pcall(handle, member)
    if not is_done then
      redis.call('ZADD', index, now + POLICY.set_aside_ms, member)
      count('repaired|entry')
      redis.log(redis.LOG_WARNING, 'InTurn: ' .. member .. ': ' .. tostring(outcome.err or outcome))
      outcome = 'BROKEN'
    end
    if outcome then
      processed[#processed + 1] = member
      processed[#processed + 1] = outcome
    end
  end
end
