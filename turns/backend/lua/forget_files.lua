#!lua flags=allow-oom
-- forget_files: Forget removed files, because their bytes are deleted.
--
-- ARGV  1… file ids
-- Reply REMOVED  also when this script runs a second time

redis.call('ZREM', KEY.files_removed, unpack(ARGV))
return {'REMOVED'}
