-- requires: session_version

-- The record of a turn contains the numbers of its first and last message in the history of its session, counted from the
-- oldest one, as `<first>-<last>`. They are kept in step because only the last messages are ever replaced or deleted; then
-- the record of their turn loses the field.

local function parse_numbers(messages)
  local first, last = string.match(messages or '', '^(%d+)-(%d+)$')
  return tonumber(first), tonumber(last)
end

-- Return whether the message with this number belongs to this turn. It does not if another turn has replaced it, or
-- another program has shortened the list. If histories are files, the record of the turn tells, as long as it is kept.
local function is_message_of(session, number, turn)
  if POLICY.history == 'file' then
    local status, messages = unpack(redis.call('HMGET', KEY.turn .. turn, 'status', 'messages'))
    local first, last = parse_numbers(messages)
    return not status or (first ~= nil and first <= number and number <= last)
  end
  local message = redis.pcall('LINDEX', KEY.history .. session, -number)
  return type(message) == 'string' and string.find(message, turn, 1, true) ~= nil
end

-- Return whether the history ends with the message of this number, and that belongs to this turn.
local function is_last_message(session, number, turn)
  return number ~= nil and count_messages(session) == number and is_message_of(session, number, turn)
end
