"""The assistant of a shop: a custom chain with tools that know whose turn it is."""
