#!lua flags=allow-oom
-- emit: appends a piece of the answer to the turn's event stream.
--
-- ARGV  1 turn id
--       2 token
--       3 entry id: `<claim number>-<n>`, n rising
--       4 text
-- Reply EMITTED  the piece is in the stream, once
--       LOST     the token is not the turn's: another owner has it, or it has ended

local turn, token, id, text = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local status, held = unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'token'))
if status ~= 'in_progress' or held ~= token then return {'LOST'} end

-- The stream refuses an id that is not above its last: then the reply of the first run was lost.
local added = redis.pcall('XADD', KEY.events .. turn, id, 'type', 'delta', 'text', text)
if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller') then return added end
return {'EMITTED'}
