"""The commands for operators, a module for each command or command group. Only `inturn.cli.main` imports it.

They call the endpoints under `/operator` with `client.operator`; the key needs the scope `operator`, `observer` or,
for keys, `admin`.
"""
