"""Helpers that tests of several kinds share: processes, servers, the scripted model and a client for event streams."""
