-- Add to the fields of a record those that are in its field `packed`, as `write_ended_record` has written it.
local function unpack_record(record)
  if not record.packed then return record end
  local names = POLICY.field_names
  for code, value in string.gmatch(record.packed .. '\n', '(.-)\n(.-)\n') do
    local name = names[code]
    if name and not record[name] then record[name] = value end
  end
  return record
end
