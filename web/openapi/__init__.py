"""Operations, each of which is a route with its contract, and the OpenAPI document made from them.

Imported by `web.routes`. The document is loaded when it is first requested.
"""
