"""Generators and checks for the developers of this repository; the product imports none of them."""
