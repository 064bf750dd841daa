#!lua flags=allow-oom
-- complete_file: Let turns refer to a file, because its bytes are on the disk or in the bucket.
--
-- ARGV  1 file id
-- Reply RECORDED  turns can refer to it (also when this script runs a second time)
--       GONE      the upload took too long, and its record has been removed

local key = KEY.file .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return {'GONE'} end
redis.call('HSET', key, 'state', 'stored')
return {'RECORDED'}
