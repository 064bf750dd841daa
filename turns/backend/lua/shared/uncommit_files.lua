-- requires: drop_files

-- Drop the references of a message that is not in the history of its session any more.
local function uncommit_files(files, session, now)
  for id in string.gmatch(files, '%S+') do
    if redis.call('HINCRBY', KEY.session .. session, 'file/' .. id, -1) <= 0 then
      redis.call('HDEL', KEY.session .. session, 'file/' .. id)
      drop_file(id, 's/' .. session, now)
    end
  end
end
