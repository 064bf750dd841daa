-- requires: history_numbers

-- Return the reply with which a turn of this session that regenerates another one is refused, or nil and the numbers of
-- the messages that it replaces, as the record of that one contains them. Both are nil for any other turn: `name` and
-- `value` are the first further field of its record.
local function edit_refusal(session, name, value)
  if name ~= 'regenerates' then return nil end
  local of, messages = unpack(redis.call('HMGET', KEY.turn .. value, 'session', 'messages'))
  if of ~= session then return {'GONE'} end
  if not messages then return {'NOT_COMMITTED'} end
  local _, last = parse_numbers(messages)
  if not is_last_message(session, last, value) then return {'NOT_LAST'} end
  return nil, messages
end
