"""What an answer has beside its text: citations of sources, and images."""
