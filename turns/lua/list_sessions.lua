#!lua flags=no-writes
-- list_sessions: a page of a tenant's sessions, the last active first.
--
-- ARGV  1 tenant
--       2 session after which to go on, or ''
--       3 the time (ms) of its last activity, as it was then
--       4 most sessions to find
-- Reply FOUND, cursor, sessions  cursor: the last session looked at, or '' when none is left, and its time;
--                                sessions: each as `show_session` describes it

local after, active_at, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local index, first = KEY.sessions .. ARGV[1], 0
if after ~= '' then
  -- A session that was active again has moved to the front; its old place is before those less active than it was.
  if redis.call('ZSCORE', index, after) == active_at then
    first = redis.call('ZREVRANK', index, after) + 1
  else
    first = redis.call('ZCOUNT', index, active_at, '+inf')
  end
end

local found = {}
local names = redis.call('ZRANGE', index, first, first + limit, 'REV')
local more = table.remove(names, limit + 1)
for _, session in ipairs(names) do
  found[#found + 1] = show_session(session)
end
local last = more and names[#names] or ''
return {'FOUND', {last, last ~= '' and redis.call('ZSCORE', index, last) or ''}, found}
