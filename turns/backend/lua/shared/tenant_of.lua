-- Return the tenant of a session, whose name `session_key` in `turns/domain/ids.py` composes.
local function tenant_of(session)
  return string.match(session, '^([^/]+)/') or POLICY.default_tenant
end
