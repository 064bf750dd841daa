"""The projections of the surfaces, without a service."""
