-- Return the name of a model's hold. It contains the assistant's own provider, because two providers may use one name.
local function hold_name(provider, model)
  return (provider and provider .. '/' or '') .. model
end
