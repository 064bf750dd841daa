"""What a chain gives back beside the text of its answer.

Used by the other modules of `worker.langchain` only.
"""
