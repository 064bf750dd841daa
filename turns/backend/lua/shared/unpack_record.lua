-- Add to the fields of a record those that are in its field `packed`, as `write_ended_record` has written it, but without
-- usual values and the ids of its session, which no script reads after the end of a turn.
local function unpack_record(record)
  if not record.packed then return record end
  local names, packed = POLICY.field_names, ''
  for _, name in ipairs(POLICY.packed_fields) do packed = packed .. (record[name] or '') end
  for code, value in string.gmatch(packed .. '\n', '(.-)\n(.-)\n') do
    local name = names[code]
    if name and not record[name] then record[name] = value end
  end
  for name, short in pairs(POLICY.short_times) do
    if record[short] then record[name] = string.format('%d', record.accepted_at + record[short]) end
  end
  return record
end

-- Return a turn's record with the packed fields and those of these names that it has.
local function read_fields(turn, ...)
  local names, record = {...}, {}
  for _, name in ipairs(POLICY.packed_fields) do names[#names + 1] = name end
  for i, value in ipairs(redis.call('HMGET', KEY.turn .. turn, unpack(names))) do record[names[i]] = value or nil end
  return unpack_record(record)
end
