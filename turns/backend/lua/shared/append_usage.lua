-- requires: count

-- Append what a run took, and how it ended, to the list that `fold_usage` adds up: one command instead of one for each sum.
--
-- `was.spent` is what its worker reports, as `Spending.packed` composes it. The entry has no field that could contain `|`
-- before the model. An error here must not keep a turn from ending, so the list may be of any type.
local function append_usage(was, outcome, now)
  local owner = string.match(was.session, '^(.+)/') or POLICY.default_tenant .. '/-'
  local spent = was.spent or was.status == 'in_progress' and '0|0|0|0|1|0|' or '0|0|0|0|0|0|'
  local entry = table.concat({now, outcome, was.assistant or '', owner, spent, was.model or ''}, '|')
  local length = redis.pcall('RPUSH', KEY.usage_entries, entry)
  if type(length) == 'number' and length > POLICY.max_usage_entries then
    redis.call('LPOP', KEY.usage_entries)
    count('usage_dropped')
  end
end
