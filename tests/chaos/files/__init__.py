"""Files under kills: no committed turn lacks its file, and no file outlives its last reference.

`make chaos-files` writes docs/explanation/files_under_kills.md.
"""
