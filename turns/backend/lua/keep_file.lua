#!lua flags=allow-oom
-- keep_file: Let turns of this partition refer to a file that another partition has lent.
--
-- ARGV  1 file id
--       2 token of the loan
--       3 tenant
--       4 user id, or ''
-- Reply RECORDED  turns can refer to it (also when this script runs a second time)
--       GONE      it took too long, and the record of this loan has been removed

local id, token, tenant, user_id = unpack(ARGV, 1, 4)
if redis.call('HGET', KEY.file .. id, 'loan') ~= token then return {'GONE'} end
redis.call('HSET', KEY.file .. id, 'tenant', tenant, 'user_id', user_id, 'state', 'stored')
return {'RECORDED'}
