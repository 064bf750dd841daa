#!lua flags=allow-oom
-- get_slots: Return how many slots of an assistant this partition has and needs.
--
-- Holders whose record is gone are evicted here too: no turn of this partition may be left to do it.
--
-- ARGV  1 name of the assistant
-- Reply FOUND, what the coordinator has given as `<slots>|<concurrency>` or '', turns that occupy a slot, turns that wait
--              for one, ms for which the first of them has waited, its `concurrency` or ''
--
-- requires: now_ms, slots

local name = 'assistant:' .. ARGV[1]
evict_lost_holders(name)
local first, since = unpack(redis.call('ZRANGE', KEY.slot_waiters .. name, 0, 0, 'WITHSCORES'))
return {'FOUND', redis.call('HGET', KEY.assistant_slots, ARGV[1]) or '', redis.call('SCARD', KEY.slots .. name),
  redis.call('ZCARD', KEY.slot_waiters .. name), first and now_ms() - since or 0,
  first and redis.call('HGET', KEY.turn .. first, 'concurrency') or ''}
