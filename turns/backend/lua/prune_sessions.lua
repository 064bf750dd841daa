#!lua flags=allow-oom
-- prune_sessions: Remove the entries of expired sessions from the lists of a tenant, and list the sessions of its users.
--
-- ARGV  1 tenant
--       2 position from which on to check, the least recently active session being 0
--       3 maximum number of sessions to check
-- Reply COUNTED, next, pruned  next: position from which on to continue, -1 at the end;
--                              pruned: number of removed entries
--
-- requires: user_of

local tenant, first, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local index = KEY.sessions .. tenant
local names, pruned = redis.call('ZRANGE', index, first, first + limit - 1), 0
for _, session in ipairs(names) do
  local kept = redis.call('EXISTS', KEY.session .. session, KEY.history .. session, KEY.queue .. session) > 0
  if not kept then
    redis.call('ZREM', index, session)
    redis.call('ZREM', KEY.user_sessions .. tenant, session)
    pruned = pruned + 1
  elseif user_of(session) then  -- an earlier release has not listed it
    redis.call('ZADD', KEY.user_sessions .. tenant, 'NX', 0, session)
  end
end
return {'COUNTED', #names < limit and -1 or first + limit - pruned, pruned}
