#!lua flags=allow-oom
-- set_slots: Give this partition a part of the slots of an assistant, and dispatch turns that wait for one.
--
-- Turns that occupy more slots than that go on, so the coordinator must not give theirs away yet.
--
-- ARGV  1 name of the assistant
--       2 what the partition has, as the caller has read it, or ''
--       3 number of slots
--       4 `concurrency` of the assistant
-- Reply RECORDED, number of turns that occupied a slot at that moment
--       LOST      the partition has other slots than the caller has read, also because this script has run before
--
-- requires: now_ms, serve_group

local assistant, known, slots, concurrency = unpack(ARGV, 1, 4)
if (redis.call('HGET', KEY.assistant_slots, assistant) or '') ~= known then return {'LOST'} end
redis.call('HSET', KEY.assistant_slots, assistant, slots .. '|' .. concurrency)
local name = 'assistant:' .. assistant
local used = redis.call('SCARD', KEY.slots .. name)
serve_group(name, math.max(0, slots - used), now_ms())
return {'RECORDED', used}
