#!lua flags=allow-oom
-- cancel: ends a live turn at once, without effect. What still runs it has lost its lease.
--
-- Either this script or the commit comes first, and the other one finds a turn that has ended.
--
-- ARGV  1 turn id
--       2 tenant
-- Reply CANCELLED  the turn has ended as cancelled
--       ENDED      it had ended before
--       GONE       there is no such turn of this tenant

local turn, tenant = ARGV[1], ARGV[2]
if not belongs(turn, tenant) then return {'GONE'} end
local status = redis.call('HGET', KEY.turn .. turn, 'status')
if not AFTER[status] then return again({'ENDED'}) end
drop(turn, now_ms())
return {'CANCELLED'}
