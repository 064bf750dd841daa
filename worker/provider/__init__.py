"""Access to the model's provider: models, a thin completions client, HTTP connections.

Imported by `worker.langchain`, and by `worker.run` for the name of the fallback model.
"""
