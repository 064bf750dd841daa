"""Sessions as chat products show them: their titles and labels, and lists of them with filters.

The web process and the command line may import it.
"""
