"""Every decision of the client, without I/O: requests, parsing, retries, long polls and event streams.

Imports only the values, events and errors of `inturn`. The clients, the transports and the command line import it.
"""
