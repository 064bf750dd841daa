#!lua flags=allow-oom
-- repair_sessions: Let sessions go on that have lost the record of their head, or its entry in the due index.
--
-- ARGV  1… sessions
-- Reply session, outcome, session, outcome, …  for the sessions that are not in order: RESTORED (its head is in the index),
--       LOST (its head had no record, and the next turn is dispatched), BROKEN (it cannot be repaired)
--
-- requires: count, dispatch, now_ms, remove_from_lists, session_retention, slots

local now, repaired = now_ms(), {}

local function repair(session)
  local head = redis.call('LINDEX', KEY.queue .. session, 0)
  if not head then return nil end
  if not is_live(head) then
    remove_from_lists(session, head)
    if not dispatch_head(session, head, now) then start_session_retention(session, now) end
    count('repaired|head')
    return 'LOST'
  end
  if redis.call('ZSCORE', KEY.due, head) then return nil end
  -- A running turn gets the time in which its worker, if it lives, renews the lease.
  local is_running = redis.call('HGET', KEY.turn .. head, 'status') == 'in_progress'
  redis.call('ZADD', KEY.due, now + (is_running and POLICY.lease_ms or 0), head)
  count('repaired|due')
  return 'RESTORED'
end

for i = 1, #ARGV do
  local is_done, outcome = pcall(repair, ARGV[i])
  if outcome then
    repaired[#repaired + 1] = ARGV[i]
    repaired[#repaired + 1] = is_done and outcome or 'BROKEN'
  end
end
return repaired
