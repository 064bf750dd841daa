"""The form that an answer must have, such as a JSON schema: the rules for it, and the check of an answer.

Imported by web, worker and `turns.assistants`.
"""
