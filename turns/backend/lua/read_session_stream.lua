#!lua flags=no-writes
-- read_session_stream: Return a session and the turns that a reader of its event stream has not seen to their end.
--
-- ARGV  1 session
--       2 turn of the reader's cursor, '-' for a cursor before the first turn, or '' for a reader without a cursor
--       3 sequence number of the last turn that the reader knows
--       4 maximum number of turns
-- Reply FOUND, session, sequence, changes, position, turns
--                session: as `session_snapshot` returns it
--                sequence: of its last turn
--                changes: as `raise_version` counts them
--                position: sequence number of the cursor; '' if its turn is gone, or without a cursor
--                turns: those from the position on, one more than the maximum if there are more; without a position the
--                live ones, or else the last one; each as id, record, position, turn ahead, pace, as `turn_snapshot`
--                returns them
--       GONE    there is no such session
--
-- requires: session_snapshot, turn_snapshot

local session, cursor, known, max_turns = unpack(ARGV, 1, 4)
local found = session_snapshot(session)
if not found then return {'GONE'} end
local sequence, changes = unpack(redis.call('HMGET', KEY.session .. session, 'sequence', 'changes'))
local index = KEY.session_turns .. session
local position = cursor == '-' and known or redis.call('ZSCORE', index, cursor)
local ids
if position then
  ids = redis.call('ZRANGE', index, position, '+inf', 'BYSCORE', 'LIMIT', 0, max_turns + 1)
else
  ids = redis.call('LRANGE', KEY.queue .. session, 0, -1)  -- bounded by the backlog
  if not ids[1] then ids = redis.call('ZRANGE', index, -1, -1) end
end
local turns = {}
for _, turn in ipairs(ids) do
  if redis.call('EXISTS', KEY.turn .. turn) == 1 then turns[#turns + 1] = turn_snapshot(turn, turn) end
end
return {'FOUND', found, sequence or '0', changes or '0', position or '', turns}
