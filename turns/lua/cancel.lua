#!lua flags=allow-oom
-- cancel: ends a live turn at once, without effect. What still runs it has lost its lease.
--
-- Either this script or the commit comes first, and the other one finds a turn that has ended.
--
-- ARGV  1 turn id
-- Reply CANCELLED  the turn has ended as cancelled
--       ENDED      it had ended before
--       GONE       there is no such turn

local turn = ARGV[1]
local session, status, claims = unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'status', 'claims'))
if not status then return {'GONE'} end
local to = (AFTER[status] or {}).cancel
if not to then return {'ENDED'} end
finish(turn, session, claims, to, now_ms())
return {'CANCELLED'}
