#!lua flags=no-writes
-- list_user_sessions: Return a page of a user's sessions, the most recently active first.
--
-- ARGV  1 tenant
--       2 user, as `<tenant>/<user>`
--       3 session after which the page begins, or ''
--       4 time (ms) of that session's last activity when the previous page was read
--       5 maximum number of sessions to return
--       6 maximum number of names to read; a user with more sessions gets a part of them
-- Reply FOUND, cursor, sessions  as `list_sessions` returns them
--
-- requires: session_snapshot

local tenant, user, after, active_at, limit, max_names = unpack(ARGV, 1, 6)
limit = tonumber(limit)
-- The names of a user's sessions lie between `<user>/` and `<user>0`, because 0 is the character after the slash.
local names = redis.call('ZRANGE', KEY.user_sessions .. tenant, '[' .. user .. '/', '(' .. user .. '0', 'BYLEX', 'LIMIT', 0, max_names)
local times, found = {}, {}
for i = 1, #names, 1000 do
  local part = {unpack(names, i, math.min(i + 999, #names))}
  for j, at in ipairs(redis.call('ZMSCORE', KEY.sessions .. tenant, unpack(part))) do
    times[part[j]] = tonumber(at or 0)
  end
end

local function comes_before(one, other)
  if times[one] ~= times[other] then return times[one] > times[other] end
  return one > other  -- as the index of all sessions is ordered
end

table.sort(names, comes_before)
local last, more = '', false
for _, session in ipairs(names) do
  local at = times[session]
  local is_behind = after == '' or at < tonumber(active_at) or at == tonumber(active_at) and session < after
  if is_behind then
    if #found == limit then
      more = true
      break
    end
    local snapshot = session_snapshot(session)
    if snapshot then found[#found + 1], last = snapshot, session end
  end
end
return {'FOUND', {more and last or '', more and times[last] or ''}, found}
