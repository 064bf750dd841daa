#!lua flags=allow-oom
-- pause: Keep the turns of a part of the service from starting, or the intake from accepting turns.
--
-- Running turns continue. If the part is paused already, only author, reason and end change.
--
-- ARGV  1 part: 'intake', 'workers', or `<kind>/<name>`
--       2 API key of the operator, or ''
--       3 reason
--       4 time in milliseconds after which the pause ends by itself, or ''
-- Reply PAUSED    the part is paused
--       TOO_MANY  as many parts are paused as the service allows
--
-- requires: is_paused, now_ms

local MAX_PAUSES = 100  -- `rescue` checks each of them, and `/operator` lists them all

local part, by, reason, for_ms = unpack(ARGV, 1, 4)
local now, text = now_ms(), redis.call('HGET', KEY.service, part)
if not text and redis.call('ZCARD', KEY.pauses) >= MAX_PAUSES then return {'TOO_MANY'} end

local until_at = for_ms ~= '' and now + for_ms or nil
local since = is_paused(text, now) and read_pause(text).since or now
redis.call('HSET', KEY.service, part, cjson.encode({by = by, reason = reason, since = since, until_at = until_at}))
redis.call('ZADD', KEY.pauses, math.min(until_at or math.huge, now + POLICY.slot_wait_ms), part)
return {'PAUSED'}
