#!lua flags=allow-oom
-- resume: End the pause of a part; the turns that waited for it start gradually, oldest first.
--
-- ARGV  1 part: 'intake', 'workers', or `<kind>/<name>`
-- Reply RESUMED  the pause is over, and the first of its turns are dispatched
--       GONE     the part is not paused
--
-- requires: advance_pause, is_paused, now_ms

local part, now = ARGV[1], now_ms()
local text = redis.call('HGET', KEY.service, part)
if not is_paused(text, now) then return {'GONE'} end
local pause = read_pause(text)
pause.ended_at = now
redis.call('HSET', KEY.service, part, cjson.encode(pause))
advance_pause(part, math.huge, now)
return {'RESUMED'}
