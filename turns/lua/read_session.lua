#!lua flags=no-writes
-- read_session: one session as it is now.
--
-- ARGV  1 session
-- Reply FOUND, session  as `show_session` describes it
--       GONE            there is no such session

local session = show_session(ARGV[1])
if not session then return {'GONE'} end
return {'FOUND', session}
