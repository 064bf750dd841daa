"""Regenerate, edit and fork under kills: `make chaos-edits`, and a short form as a test."""
