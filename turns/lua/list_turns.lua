#!lua flags=no-writes
-- list_turns: a page of a tenant's turns, newest first, all of them or those of one session.
--
-- ARGV  1 tenant
--       2 session, which is the tenant's, or '' for all
--       3 id of the turn after which to go on, or ''
--       4 status that the turns must have, or ''
--       5 most turns to find
--       6 most turns to look at: a page can be short, or empty, and not the last
-- Reply FOUND, cursor, turns  cursor: the last turn looked at, or '' when none is left; turns: each as id, record,
--                             position, turn ahead, pace, as `show` describes them
--       GONE                  the turn after which to go on is no longer kept, nor is any before it

local tenant, session, after, status, limit, most = unpack(ARGV, 1, 6)
limit, most = tonumber(limit), tonumber(most)
local index, first = session == '' and KEY.turns .. tenant or KEY.session_turns .. session, 0
if after ~= '' then
  local rank = redis.call('ZREVRANK', index, after)
  if not rank then return {'GONE'} end
  first = rank + 1
end

local found, cursor = {}, ''
local turns = redis.call('ZRANGE', index, first, first + most, 'REV')
for n, turn in ipairs(turns) do
  if n > most or #found == limit then
    cursor = turns[n - 1]
    break
  end
  local has = redis.call('HGET', KEY.turn .. turn, 'status')
  if has and (status == '' or status == has) then found[#found + 1] = show(turn, turn) end
end
return {'FOUND', cursor, found}
