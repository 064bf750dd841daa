local DAY_MS = 86400000

-- Return the key that counts the tokens of a tenant on this day.
local function tokens_key(tenant, now)
  return KEY.tokens .. tenant .. ':' .. math.floor(now / DAY_MS)
end
