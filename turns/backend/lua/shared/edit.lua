-- requires: fork_session, history_numbers

-- Return the reply with which a turn that regenerates another one is refused, or nil and a function that adds to its
-- record and its session. Both are nil for any other turn. The arguments are the first fields of its record: `regenerates`
-- and that other turn; or, if the new turn begins a fork of that one's session, before them `forked_from` and the session,
-- with the version of the fork's file and the files of its messages if histories are files.
local function edit_refusal(session, name, value, _, regenerated)
  if name == 'forked_from' then
    local source, file_version, files = string.match(value, '^(%S+) ?(%S*) ?(.*)$')
    local refusal, count = fork_session_refusal(session, source, 'before', regenerated)
    return refusal, function()
      begin_fork(session, source, source .. ' before ' .. regenerated, count, file_version, files)
    end
  end
  if name ~= 'regenerates' then return nil end
  local of, messages = unpack(redis.call('HMGET', KEY.turn .. value, 'session', 'messages'))
  if of ~= session then return {'GONE'} end
  if not messages then return {'NOT_COMMITTED'} end
  local _, last = parse_numbers(messages)
  if not is_last_message(session, last, value) then return {'NOT_LAST'} end
  return nil, function(record) record[#record + 1], record[#record + 2] = 'replaces', messages end
end
