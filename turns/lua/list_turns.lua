#!lua flags=no-writes
-- list_turns: a page of a tenant's turns, newest first, all of them or those of one session.
--
-- ARGV  1 tenant
--       2 session, which is the tenant's, or '' for all
--       3 id of the turn after which to go on, or ''
--       4 its score in the list
--       5 status that the turns must have, or ''
--       6 most turns to find
--       7 most turns to look at: a page can be short, or empty, and not the last
-- Reply FOUND, cursor, turns  cursor: the last turn looked at, or '' when none is left, and its score; turns: each as id,
--                             record, position, turn ahead, pace, as `show` describes them

local tenant, session, after, score, status, limit, most = unpack(ARGV, 1, 7)
limit, most = tonumber(limit), tonumber(most)
local index, first = session == '' and KEY.turns .. tenant or KEY.session_turns .. session, 0
if after ~= '' then
  local rank = redis.call('ZREVRANK', index, after)
  first = rank and rank + 1 or redis.call('ZCOUNT', index, '(' .. score, '+inf')
  if not rank then  -- it is no longer kept; its place is among those of its score
    for _, turn in ipairs(redis.call('ZRANGE', index, score, score, 'BYSCORE')) do
      if turn > after then first = first + 1 end
    end
  end
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
return {'FOUND', {cursor, cursor ~= '' and redis.call('ZSCORE', index, cursor) or ''}, found}
