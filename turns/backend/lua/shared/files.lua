-- A file is held by the turns that have a record and by the sessions whose history refers to it. Its holders are
-- `t/<turn>` and `s/<session>`. The session has a field `file/<id>` with the number of messages that refer to the file, so
-- that the reference expires together with the session.

-- Return the refusal of a turn if one of its files does not exist or belongs to another tenant or user. The fields of its
-- record are the arguments from the index `first` on.
local function files_refusal(tenant, user_id, first)
  local files = ''
  for i = first, #ARGV, 2 do
    if ARGV[i] == 'files' then files = ARGV[i + 1] end
  end
  for id in string.gmatch(files, '%S+') do
    local owner, user, state = unpack(redis.call('HMGET', KEY.file .. id, 'tenant', 'user_id', 'state'))
    if owner ~= tenant or state ~= 'stored' or (user ~= '' and user ~= user_id) then return {'FILE_GONE'} end
  end
end

-- Keep these files for as long as the turn has a record.
local function hold_files(files, turn)
  for id in string.gmatch(files, '%S+') do redis.call('SADD', KEY.file_holders .. id, 't/' .. turn) end
end
