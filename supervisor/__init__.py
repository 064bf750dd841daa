"""`make up`: the store, the endpoint and the workers of one machine, as one command in a terminal."""
