"""The shipped alert rules in Debian's Prometheus: `make alerts` installs it and runs these tests."""
