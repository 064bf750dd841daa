"""gunicorn, configured from the settings. Imported by `web.__main__` alone."""
