"""The measurements: `ROWS` names them all, in the order of the table."""
