"""Regenerate, edit and fork under kills: a row of `make chaos`, and a short form as a test."""
