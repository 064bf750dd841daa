-- Return the beginning of a text with at most `max_bytes` bytes, cut after a whole character, and whether it was cut.
local function cut_text(text, max_bytes)
  if #text <= max_bytes then return text, false end
  local last = max_bytes
  while last > 0 and string.find(text, '^[\128-\191]', last + 1) do last = last - 1 end
  return string.sub(text, 1, last), true
end
