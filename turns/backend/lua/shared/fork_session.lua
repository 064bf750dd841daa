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

-- Hold the files to which the messages of a fork refer; those of a history in a file are not read, so it holds all files
-- of its source.
local function hold_files_of_fork(source, session)
  local ids = session_files(source)
  if #ids == 0 then return end
  local messages = POLICY.history == 'file' and ids or redis.call('LRANGE', KEY.history .. session, 0, -1)
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

-- Copy the `count` oldest messages of a session and its retention to an empty one. `file_version` is their copy if
-- histories are files.
local function copy_messages(source, session, count, file_version)
  local ttl_ms = redis.call('HGET', KEY.session .. source, 'ttl_ms')
  if ttl_ms then redis.call('HSET', KEY.session .. session, 'ttl_ms', ttl_ms) end
  if POLICY.history == 'file' then
    redis.call('HSET', KEY.session .. session, 'messages', count, 'file', file_version)
  elseif count > 0 then
    redis.call('COPY', KEY.history .. source, KEY.history .. session)
    redis.call('LTRIM', KEY.history .. session, -count, -1)
  end
  if count > 0 then hold_files_of_fork(source, session) end
end
