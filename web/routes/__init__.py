"""The endpoints, a module for each subject.

Each route parses, makes one call and renders. Imported by `web.blueprints`.
"""
