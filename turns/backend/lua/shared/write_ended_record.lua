-- requires: by_name

-- The record of an ended turn is packed: its short fields are one, `packed`, as lines of code, value, code, value. A hash
-- with one long value takes up to 80 bytes for each field, more than the text of most turns. Fields without a code stay,
-- because they are rare or long, or because scripts read or change them after the end of a turn.

-- Replace the record of a turn by a packed one with these further fields, which expires after the retention of results.
-- `record` has all fields as they are, or is nil. `texts`, the compressed question and answer, replaces the question.
local function write_ended_record(key, record, ...)
  local fields = by_name({...})
  for name, value in pairs(record or by_name(redis.call('HGETALL', key))) do
    if fields[name] == nil then fields[name] = value end
  end
  if fields.texts then fields.input = nil end
  fields.definition, fields.spent, fields.used_tokens, fields.is_whole = nil, nil, nil, nil  -- of a live turn, or of its end alone
  local codes, packed, stored, n = POLICY.field_codes, {}, {}, 0
  for name, value in pairs(fields) do
    if codes[name] and not string.find(value, '\n', 1, true) then
      packed[n + 1], packed[n + 2], n = codes[name], value, n + 2
    else
      stored[#stored + 1], stored[#stored + 2] = name, value
    end
  end
  redis.call('DEL', key)
  redis.call('HSET', key, 'packed', table.concat(packed, '\n'), unpack(stored))
  redis.call('PEXPIRE', key, POLICY.result_ttl_ms)
end
