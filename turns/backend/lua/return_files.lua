#!lua flags=allow-oom
-- return_files: Drop the loans of files of this partition, because the borrower has removed its records of them.
--
-- A token is never used again, so that a late call drops no newer loan.
--
-- ARGV  1… loans, as `check_loans` returns them
-- Reply REMOVED  also when this script runs a second time
--
-- requires: drop_files, now_ms

local now = now_ms()
for _, loan in ipairs(ARGV) do
  local id, name = string.match(loan, '^([^/]+)/(.+)$')
  redis.call('ZREM', KEY.files_lent, loan)
  drop_file(id, 'p/' .. name, now)
end
return {'REMOVED'}
