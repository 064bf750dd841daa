#!lua flags=no-writes
-- list_sessions: Return a page of a tenant's sessions, the most recently active first.
--
-- ARGV  1 tenant
--       2 session after which the page begins, or ''
--       3 time (ms) of that session's last activity when the previous page was read
--       4 maximum number of sessions to return
-- Reply FOUND, cursor, sessions  cursor: the last session of the page and its time, both '' on the last page;
--                                sessions: each as `session_snapshot` returns it
--
-- requires: session_snapshot

local after, active_at, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local index, first = KEY.sessions .. ARGV[1], 0
if after ~= '' then
  -- A session that has been active since then is at the front now; sessions that were less active follow its old score.
  if redis.call('ZSCORE', index, after) == active_at then
    first = redis.call('ZREVRANK', index, after) + 1
  else
    first = redis.call('ZCOUNT', index, '(' .. active_at, '+inf')
    for _, session in ipairs(redis.call('ZRANGE', index, active_at, active_at, 'BYSCORE')) do
      if session > after then first = first + 1 end
    end
  end
end

local found = {}
local names = redis.call('ZRANGE', index, first, first + limit, 'REV')
local more = table.remove(names, limit + 1)
for _, session in ipairs(names) do
  found[#found + 1] = session_snapshot(session)
end
local last = more and names[#names] or ''
return {'FOUND', {last, last ~= '' and redis.call('ZSCORE', index, last) or ''}, found}
