#!lua flags=no-writes
-- get_turn: Return one turn as it is now and what it waits for.
--
-- ARGV  1 turn id
--       2 tenant
-- Reply FOUND, record, position, turn ahead, pace  as `turn_snapshot` returns them
--       GONE                                       the tenant has no such turn
--
-- requires: tenant_of, turn_snapshot

local reply, session = turn_snapshot('FOUND', ARGV[1])
if not session or tenant_of(session) ~= ARGV[2] then return {'GONE'} end
return reply
