-- requires: session_version

-- The record of a turn contains the numbers of its first and last message in the history of its session, counted from the
-- oldest one, as `<first>-<last>`. They are kept in step because only the last messages are ever replaced or deleted; then
-- the record of their turn loses the field.

local function parse_numbers(messages)
  local first, last = string.match(messages or '', '^(%d+)-(%d+)$')
  return tonumber(first), tonumber(last)
end

-- Return whether the message with this number belongs to this turn. It does not if another program has shortened the list.
local function is_message_of(session, number, turn)
  if POLICY.history == 'file' then return true end
  local message = redis.pcall('LINDEX', KEY.history .. session, -number)
  return type(message) == 'string' and string.find(message, turn, 1, true) ~= nil
end

-- Return whether the history ends with the message of this number, and that belongs to this turn.
local function is_last_message(session, number, turn)
  return number ~= nil and count_messages(session) == number and is_message_of(session, number, turn)
end
