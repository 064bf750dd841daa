"""The JavaScript client in a page of another origin, with an access token."""
