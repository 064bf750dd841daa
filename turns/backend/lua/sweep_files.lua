#!lua flags=allow-oom
-- sweep_files: Remove the files to which nothing refers any more, and return those whose bytes are to be deleted.
--
-- Any process may call this at any time. A turn that is being accepted either holds its files before this script runs, or
-- is refused after it, because both scripts are atomic.
--
-- ARGV  1 maximum number of files to check
-- Reply file id, file id, …  to be deleted by the caller, which then calls `forget_files`. If it dies before that, the
--       same files are returned again after a while; `<file id>/<token>` is a borrowed one, to be returned instead. A
--       file whose keys are BROKEN is set aside
--
-- requires: is_file_held, now_ms, process_due, remove_file

local limit, now = tonumber(ARGV[1]), now_ms()

local function check(id)
  if is_file_held(id) then
    redis.call('ZADD', KEY.files_due, now + POLICY.file_check_ms, id)
  else
    remove_file(id, now)
  end
end

process_due(KEY.files_due, check, limit, now, {})
local removed = redis.call('ZRANGE', KEY.files_removed, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
for _, id in ipairs(removed) do redis.call('ZADD', KEY.files_removed, now + POLICY.file_delete_ms, id) end
return removed
