-- Delete the record of a file, and remember that its bytes are to be deleted, or that a borrowed one is to be returned.
local function remove_file(id, now)
  local tenant, size, loan = unpack(redis.call('HMGET', KEY.file .. id, 'tenant', 'size', 'loan'))
  redis.call('UNLINK', KEY.file .. id, KEY.file_holders .. id)
  redis.call('ZREM', KEY.files_due, id)
  redis.call('ZADD', KEY.files_removed, now, loan and id .. '/' .. loan or id)
  if size and redis.call('HINCRBY', KEY.file_bytes, tenant, -size) <= 0 then
    redis.call('HDEL', KEY.file_bytes, tenant)
  end
end
