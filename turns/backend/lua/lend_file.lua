#!lua
-- lend_file: Keep a file as long as another partition has a record of this loan.
--
-- ARGV  1 file id
--       2 number of the other partition
--       3 token of the loan, which that partition has recorded
-- Reply RECORDED, tenant, user id  the file is lent (also when this script runs a second time); '' if it has no user
--       GONE                       there is no such file, or its bytes are not there yet
--
-- requires: now_ms

local id, partition, token = unpack(ARGV, 1, 3)
local tenant, user_id, state = unpack(redis.call('HMGET', KEY.file .. id, 'tenant', 'user_id', 'state'))
if state ~= 'stored' then return {'GONE'} end
local loan = partition .. '/' .. token
redis.call('SADD', KEY.file_holders .. id, 'p/' .. loan)
redis.call('ZADD', KEY.files_lent, now_ms() + POLICY.file_check_ms, id .. '/' .. loan)
return {'RECORDED', tenant, user_id}
