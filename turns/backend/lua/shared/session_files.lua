-- Return the ids of the files to which the history of a session refers.
local function session_files(session)
  local ids, fields = {}, redis.call('HGETALL', KEY.session .. session)
  for i = 1, #fields, 2 do ids[#ids + 1] = string.match(fields[i], '^file/(.+)$') end
  return ids
end
