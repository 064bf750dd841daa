"""`make up` and `make doctor`: run the store, the endpoint and the workers of one machine, and check an installation.

It starts `web` and `worker` as processes and imports neither; it may import `turns`. No other package imports it.
"""
