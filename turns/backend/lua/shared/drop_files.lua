-- Drop a reference; the next sweep removes the file if it was the last one.
local function drop_file(id, holder, now)
  if redis.call('SREM', KEY.file_holders .. id, holder) == 1 then redis.call('ZADD', KEY.files_due, 'XX', now, id) end
end

-- Drop the references of a turn whose record is deleted.
local function drop_turn_files(files, turn, now)
  for id in string.gmatch(files, '%S+') do drop_file(id, 't/' .. turn, now) end
end
