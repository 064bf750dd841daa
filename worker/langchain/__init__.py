"""Chains, histories and stored messages: everything that speaks LangChain, together with `worker.provider`.

Imported by `worker.run` and `worker.app`.
"""
