#!lua flags=no-writes
-- list_turns: Return a page of the turns of a tenant, of one of its users or of one of its sessions, newest first.
--
-- ARGV  1 tenant
--       2 session of this tenant, or ''
--       3 id of the turn after which the page begins, or ''
--       4 score of that turn in the list
--       5 status that the turns must have, or ''
--       6 maximum number of turns to return
--       7 maximum number of turns to read: a page can be short or empty without being the last
--       8 user of this tenant, as `<tenant>/<user>`, or ''; without effect if there is a session
-- Reply FOUND, cursor, turns  cursor: the last turn that was read and its score, both '' on the last page; turns: each as
--                             id, record, position, turn ahead, pace, as `turn_snapshot` returns them
--
-- requires: turn_snapshot

local tenant, session, after, score, status, limit, max_reads, user = unpack(ARGV, 1, 8)
limit, max_reads = tonumber(limit), tonumber(max_reads)
local index, first = KEY.turns .. tenant, 0
if session ~= '' then
  index = KEY.session_turns .. session
elseif user ~= '' then
  index = KEY.user_turns .. user
end
if after ~= '' then
  local rank = redis.call('ZREVRANK', index, after)
  first = rank and rank + 1 or redis.call('ZCOUNT', index, '(' .. score, '+inf')
  if not rank then  -- the turn is no longer kept; skip the turns of the same score that came before it
    for _, turn in ipairs(redis.call('ZRANGE', index, score, score, 'BYSCORE')) do
      if turn > after then first = first + 1 end
    end
  end
end

local found, cursor = {}, ''
local turns = redis.call('ZRANGE', index, first, first + max_reads, 'REV')
for n, turn in ipairs(turns) do
  if n > max_reads or #found == limit then
    cursor = turns[n - 1]
    break
  end
  local has = redis.call('HGET', KEY.turn .. turn, 'status')
  if has and (status == '' or status == has) then found[#found + 1] = turn_snapshot(turn, turn) end
end
return {'FOUND', {cursor, cursor ~= '' and redis.call('ZSCORE', index, cursor) or ''}, found}
