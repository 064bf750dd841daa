"""The commands for operators, a module for each command or command group. Only `inturn.cli.main` imports it.

They call the endpoints under `/operator` with `client.operator`; to read, the key needs the scope `operator`,
`observer` or `admin`; to act, `operator` or, for keys, `admin`.
"""
