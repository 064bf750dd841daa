"""The tests of this project: `python -m pytest`."""
