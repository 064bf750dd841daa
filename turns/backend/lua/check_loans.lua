#!lua flags=allow-oom
-- check_loans: Return the loans of this partition for which it is time to ask the borrower.
--
-- ARGV  1 maximum number of loans
-- Reply loan, loan, …  `<file id>/<partition>/<token>`; the caller returns those of which that partition has no record. If
--                      it dies before that, they are returned again after a while
--
-- requires: now_ms

local now = now_ms()
local due = redis.call('ZRANGE', KEY.files_lent, '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[1]))
for _, loan in ipairs(due) do redis.call('ZADD', KEY.files_lent, now + POLICY.file_check_ms, loan) end
return due
