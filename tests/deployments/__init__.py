"""deploy/ in Debian's nginx and systemd: `make deployments` installs the former and runs these tests."""
