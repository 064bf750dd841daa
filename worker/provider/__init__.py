"""The model's provider: models, the thin completions client, HTTP connections. Imported by `worker.langchain`."""
