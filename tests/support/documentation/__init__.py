"""What tests read of the documentation: its snippets, and the app of its tutorial."""
