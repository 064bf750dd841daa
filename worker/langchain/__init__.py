"""Chains, chat histories and stored messages. Only this package and `worker.provider` import LangChain.

Imported by `worker.run` and `worker.app`.
"""
