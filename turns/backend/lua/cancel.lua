#!lua flags=allow-oom
-- cancel: End a live turn at once and without effect; a worker that runs it loses its lease.
--
-- If the turn is committed at the same moment, the script that runs first wins and the other one changes nothing.
--
-- ARGV  1 turn id
--       2 tenant
-- Reply CANCELLED  the turn is cancelled
--       ENDED      the turn had already ended
--       GONE       the tenant has no such turn
--
-- requires: cancel_turn, now_ms, read_record, replayed, tenant_of, transitions

local turn, tenant = ARGV[1], ARGV[2]
local was = read_record(turn)
if not was.session or tenant_of(was.session) ~= tenant then return {'GONE'} end
if not AFTER[was.status] then return replayed({'ENDED'}) end
cancel_turn(turn, was, now_ms())
return {'CANCELLED'}
