-- Return a flat reply (name, value, …), such as that of HGETALL, as a table.
local function by_name(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end
