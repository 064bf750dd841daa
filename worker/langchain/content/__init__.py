"""Messages that are more than text: the question with its parts, and the bytes of files for the model.

`worker.langchain` imports this package, and no other one does.
"""
