"""gunicorn: its configuration, its worker and the problems for malformed HTTP.

Imported by `web.__main__` only. The parent process, which serves no requests, loads no Flask.
"""
