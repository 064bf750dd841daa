"""`conversations` and their items: sessions and their committed messages."""
