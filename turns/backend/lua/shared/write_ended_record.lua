-- requires: by_name

-- The record of an ended turn is packed: its short fields are one, `packed`, as lines of code, value, code, value. Fields
-- without a code stay, because they are rare or long, or because scripts read or change them after the end of a turn.
--
-- Redis keeps a hash without a long value as one block, which takes half as much. So `packed` and `texts` are stored in
-- pieces, unless another field is long, or they are longer than pieces are worth their bytes.
local MAX_VALUE_BYTES = 64

-- Return the fields as they are in `packed`, and those beside it as name, value, …; and whether all of those are short.
local function pack_fields(fields)
  local codes, usual, short_times = POLICY.field_codes, POLICY.usual_values, POLICY.short_times
  local packed, beside, are_short = {}, {}, true
  for name, value in pairs(fields) do
    if short_times[name] then name, value = short_times[name], string.format('%d', value - fields.accepted_at) end
    if codes[name] and not string.find(value, '\n', 1, true) then
      if usual[name] ~= value then packed[#packed + 1], packed[#packed + 2] = codes[name], value end
    else
      beside[#beside + 1], beside[#beside + 2] = name, value
      are_short = are_short and #tostring(value) <= MAX_VALUE_BYTES
    end
  end
  return table.concat(packed, '\n'), beside, are_short
end

-- Add a value to a list of fields, in pieces if it may be; the names after `name` are `prefix` and the number of the piece.
local function add_value(list, name, prefix, value, in_pieces)
  local size = in_pieces and POLICY.piece_bytes or math.max(1, #value)
  for first = 1, #value, size do
    list[#list + 1], list[#list + 2] = first == 1 and name or prefix .. (first - 1) / size + 1,
      string.sub(value, first, first + size - 1)
  end
end

-- Replace the record of a turn by a packed one with these further fields, which expires after the retention of results.
-- `record` has all fields as they are, or is nil. `texts`, the compressed question and answer, replaces the question.
local function write_ended_record(key, record, ...)
  local fields = by_name({...})
  for name, value in pairs(record or by_name(redis.call('HGETALL', key))) do
    if fields[name] == nil then fields[name] = value end
  end
  local texts = fields.texts
  if texts then fields.input = nil end
  fields.definition, fields.spent, fields.used_tokens, fields.is_whole = nil, nil, nil, nil  -- of a live turn, or of its end alone
  fields.texts, fields.session_id, fields.user_id = nil, nil, nil  -- the last two are in the name of the session
  local packed, stored, are_short = pack_fields(fields)
  local in_pieces = are_short and #packed <= POLICY.max_packed_bytes and #(texts or '') <= POLICY.max_texts_bytes
    and not string.find(packed, '[\128-\255]')  -- which are parts of a character
  add_value(stored, 'packed', 'p', packed, in_pieces)
  if texts then add_value(stored, 'texts', '', texts, in_pieces) end
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(stored))
  redis.call('PEXPIRE', key, POLICY.result_ttl_ms)
end
