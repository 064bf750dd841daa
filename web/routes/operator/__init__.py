"""The endpoints under `/operator`, a module for each subject. Imported by `web.blueprints`."""
