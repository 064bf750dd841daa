#!lua
-- create_file: Record a file whose bytes are about to be stored. Until `complete_file` it cannot be used.
--
-- The record comes before the bytes, so that the sweep finds the bytes of an upload that broke off. There is no allow-oom
-- here: when memory is full, Redis refuses the upload before anything is written.
--
-- ARGV  1 file id
--       2 tenant
--       3 user id, or ''
--       4 size in bytes
--       5 maximum number of bytes of all files of the tenant, or 0 for any number
--       6… further fields of the record, as name, value, name, value
-- Reply ACCEPTED, time (ms)  the file is recorded (also when this script runs a second time)
--       TOO_MANY             the files of the tenant would have too many bytes
--
-- requires: now_ms, replayed

local id, tenant, user_id, size, max_bytes = unpack(ARGV, 1, 5)
local key, created_at = KEY.file .. id, redis.call('HGET', KEY.file .. id, 'created_at')
if created_at then return replayed({'ACCEPTED', tonumber(created_at)}) end
local bytes = tonumber(redis.call('HGET', KEY.file_bytes, tenant) or 0)
if tonumber(max_bytes) > 0 and bytes + size > tonumber(max_bytes) then return {'TOO_MANY'} end

local now = now_ms()
redis.call('HSET', key, 'tenant', tenant, 'user_id', user_id, 'size', size, 'created_at', now, 'state', 'uploading',
  unpack(ARGV, 6))
redis.call('HINCRBY', KEY.file_bytes, tenant, size)
redis.call('ZADD', KEY.files_due, now + POLICY.file_ttl_ms, id)
return {'ACCEPTED', now}
