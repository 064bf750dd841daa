"""Chains, chat histories and stored messages. Only this package and `worker.provider` import LangChain.

Imported by `worker.run`, `worker.services` and `worker.app`.
"""
