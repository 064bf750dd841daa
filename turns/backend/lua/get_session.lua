#!lua flags=no-writes
-- get_session: Return one session as it is now.
--
-- ARGV  1 session
-- Reply FOUND, session  as `session_snapshot` returns it
--       GONE            there is no such session
--
-- requires: session_snapshot

local session = session_snapshot(ARGV[1])
if not session then return {'GONE'} end
return {'FOUND', session}
