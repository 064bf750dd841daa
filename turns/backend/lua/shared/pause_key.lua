-- Return the key of a model's pause. It contains the assistant's own provider, because two providers may use one name.
local function pause_key(provider, model)
  return KEY.paused .. (provider and provider .. '/' or '') .. model
end
