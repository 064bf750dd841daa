"""HTTP mechanics of the routes: validation, responses, problems, preferences, timeouts. Imported by `web.routes`."""
