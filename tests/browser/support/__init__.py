"""Helpers of the browser tests: the two pages, appearance checks and hostile texts."""
