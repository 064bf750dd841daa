-- Return the record of a pause, as `pause.lua` writes it. Earlier releases wrote only the time of the pause.
local function read_pause(text)
  local is_read, pause = pcall(cjson.decode, text or '')
  return is_read and type(pause) == 'table' and pause or {since = tonumber(text or '')}
end

-- Return whether a pause keeps turns from starting, given its text or false. One that cannot be read does, until it is
-- resumed.
local function is_paused(text, now)
  if not text then return false end
  local pause = read_pause(text)
  return not pause.ended_at and now < (pause.until_at or math.huge)
end
