"""Generators and checks for the developers of this repository; the product imports none of them."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
