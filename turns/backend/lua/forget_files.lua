#!lua flags=allow-oom
-- forget_files: Forget removed files, because their bytes are deleted or they are returned.
--
-- ARGV  1… what `sweep_files` has returned
-- Reply REMOVED  also when this script runs a second time

redis.call('ZREM', KEY.files_removed, unpack(ARGV))
return {'REMOVED'}
