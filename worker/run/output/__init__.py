"""The output of a run on its way to readers: text, events between its pieces, and the parts of the whole answer.

Imported by `worker.run` and `worker.services`.
"""
