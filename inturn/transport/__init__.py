"""HTTP with httpx2: the connection settings and the two transports that run the steps of `inturn.protocol`.

The only package that imports the HTTP library. Only the clients import it.
"""
