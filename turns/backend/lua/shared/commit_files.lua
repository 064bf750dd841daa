-- Keep these files for as long as the session exists, because a message of its history refers to them.
local function commit_files(files, session)
  for id in string.gmatch(files, '%S+') do
    redis.call('HINCRBY', KEY.session .. session, 'file/' .. id, 1)
    redis.call('SADD', KEY.file_holders .. id, 's/' .. session)
  end
end
