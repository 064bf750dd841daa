"""Protocols of other clients in front of the same queue: one package for each, which translates in and out.

Each turn of a surface is one of `/v1`, with the same scripts and ids. `INTURN_SURFACES` names those that are served.
"""
