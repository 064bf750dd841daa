#!lua
-- borrow_file: Record that turns of this partition are about to refer to a file of another partition, which lends it.
--
-- The record comes before the loan, as that of an upload comes before its bytes, so that a loan whose borrower has no
-- record of it was broken off. Until `keep_file` no turn can refer to the file. There is no allow-oom here.
--
-- ARGV  1 file id
--       2 token of a new loan
-- Reply RECORDED         turns can refer to the file, which was borrowed before
--       ACCEPTED, token  the loan is recorded under this token; it can be that of an earlier call which broke off
--
-- requires: now_ms

local id, token = unpack(ARGV, 1, 2)
local state, loan = unpack(redis.call('HMGET', KEY.file .. id, 'state', 'loan'))
redis.call('ZADD', KEY.files_due, now_ms() + POLICY.file_ttl_ms, id)
if state == 'stored' then return {'RECORDED'} end
if not loan then redis.call('HSET', KEY.file .. id, 'state', 'borrowing', 'loan', token) end
return {'ACCEPTED', loan or token}
