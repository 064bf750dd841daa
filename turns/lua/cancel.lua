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
local was = look_up(turn)
if not was.session or tenant_of(was.session) ~= tenant then return {'GONE'} end
if not AFTER[was.status] then return again({'ENDED'}) end
drop(turn, was, now_ms())
return {'CANCELLED'}
