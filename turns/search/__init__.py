"""Search over the live and ended turns of all tenants, by index where there is one, else by a bounded scan.

Only the routes of operators import it; it changes nothing. Nothing that it returns contains message text.
"""
