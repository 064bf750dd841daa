"""Uploaded files: their bytes in a directory or a bucket, their records and references in the store, and the sweep.

The bytes are written before a turn can refer to them, and deleted after nothing refers to them any more. The web and
the workers import this package; the scripts of turns count the references.
"""
