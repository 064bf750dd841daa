#!lua flags=allow-oom
-- delete_file: Remove a file to which nothing refers.
--
-- ARGV  1 file id
--       2 tenant
--       3 user id, or ''
-- Reply REMOVED  its record is gone, and its bytes will be deleted
--       BUSY     a turn or a session refers to it
--       GONE     the tenant or the user has no such file, perhaps because this script runs a second time
--
-- requires: is_file_held, now_ms, remove_file

local id, tenant, user_id = unpack(ARGV, 1, 3)
local owner, user, loan = unpack(redis.call('HMGET', KEY.file .. id, 'tenant', 'user_id', 'loan'))
local is_incomplete = loan and not owner  -- a loan that has not been kept, perhaps because a crash broke it off
if not is_incomplete and (owner ~= tenant or (user ~= '' and user ~= user_id)) then return {'GONE'} end
if is_file_held(id) then return {'BUSY'} end
remove_file(id, now_ms())
return {'REMOVED'}
