"""Start processes of the product as forks of a template, a process that has already imported their modules.

Importing LangChain and Flask takes most of the CPU time of a start, and the tests start hundreds of processes.
"""
