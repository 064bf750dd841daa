"""The tenants as operators see them: their activity, and the own limits that operators have set for some.

`Tenants` is the door. The scripts enforce the limits (`tenant_limits.lua`). Used by the web process.
"""
