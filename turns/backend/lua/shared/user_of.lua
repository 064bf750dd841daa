-- Return the user of a session as `<tenant>/<user>`, as `user_key` in `turns/domain/ids.py` composes it; nil without one.
local function user_of(session)
  local user = string.match(session, '^([^/]+/[^/]+)/')
  return user and string.sub(user, -2) ~= '/-' and user or nil
end
