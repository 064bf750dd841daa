#!lua flags=no-writes
-- read: one turn as it is now, and what it waits for.
--
-- ARGV  1 turn id
--       2 tenant
-- Reply FOUND, record, position, turn ahead, pace  as `show` describes them
--       GONE                                       there is no such turn of this tenant

local shown, session = show('FOUND', ARGV[1])
if not session or tenant_of(session) ~= ARGV[2] then return {'GONE'} end
return shown
