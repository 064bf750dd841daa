-- requires: history_numbers, session_files, session_version

-- Return the reply with which a session cannot become a fork of another one, or nil and the number of messages that it
-- gets: the oldest ones up to and with those of this turn, or without them if `how` is 'before'. Without a turn it gets all.
local function fork_session_refusal(session, source, how, turn)
  local length, count = count_messages(source) or 0, nil
  if turn == '' then
    if length == 0 and redis.call('EXISTS', KEY.session .. source) == 0 then return {'GONE'} end
    count = length
  else
    local of, messages = unpack(redis.call('HMGET', KEY.turn .. turn, 'session', 'messages'))
    if of ~= source then return {'GONE'} end
    local first, last = parse_numbers(messages)
    if not first or last > length or not is_message_of(source, last, turn) then return {'NOT_COMMITTED'} end
    count = how == 'before' and first - 1 or last
  end
  if count_messages(session) ~= 0 or redis.call('EXISTS', KEY.queue .. session) == 1 then return {'NOT_EMPTY'} end
  return nil, count
end

-- Hold the files of the source to which the messages of a fork refer, as many times as messages do. `files` are these ids
-- if histories are files, in which they cannot be found here.
local function hold_files_of_fork(source, session, files)
  local ids = session_files(source)
  if #ids == 0 then return end
  local messages = {}
  if POLICY.history == 'redis' then messages = redis.call('LRANGE', KEY.history .. session, 0, -1) end
  for id in string.gmatch(files, '%S+') do messages[#messages + 1] = id end
  for _, id in ipairs(ids) do
    local references = 0
    for _, message in ipairs(messages) do
      if string.find(message, id, 1, true) then references = references + 1 end
    end
    if references > 0 then
      redis.call('HINCRBY', KEY.session .. session, 'file/' .. id, references)
      redis.call('SADD', KEY.file_holders .. id, 's/' .. session)
    end
  end
end

-- Give an empty session the `count` oldest messages of another one, its retention and, unless there are none, its title.
-- `file_version` is the copy of the messages if histories are files, and `files` are the uploaded ones of these messages,
-- each once for every message that refers to it.
local function begin_fork(session, source, forked_from, count, file_version, files)
  local fields = {'forked_from', forked_from}
  local ttl_ms, title, own_title = unpack(redis.call('HMGET', KEY.session .. source, 'ttl_ms', 'title', 'own_title'))
  title = own_title or title
  if ttl_ms then fields[#fields + 1], fields[#fields + 2] = 'ttl_ms', ttl_ms end
  if title and count > 0 then fields[#fields + 1], fields[#fields + 2] = 'title', title end
  if POLICY.history == 'file' then
    for _, field in ipairs({'messages', count, 'file', file_version}) do fields[#fields + 1] = field end
  elseif count > 0 then
    redis.call('COPY', KEY.history .. source, KEY.history .. session)
    redis.call('LTRIM', KEY.history .. session, -count, -1)
  end
  redis.call('HSET', KEY.session .. session, unpack(fields))
  if count > 0 then hold_files_of_fork(source, session, files) end
end
