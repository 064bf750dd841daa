"""One module per measurement. `bench.table` lists them, in the order of the report."""
