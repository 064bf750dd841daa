"""The orders of the shop, in SQLite; a stand-in for your own database."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from dateutil.relativedelta import relativedelta

DATABASE = "SHOP_DATABASE"  # an environment variable; in containers it comes from shop.env
DELIVERY = relativedelta(days=3)
TABLES = """
create table if not exists orders (number text primary key, owner text, item text, ordered_on text, status text);
create table if not exists done (key text primary key, result text);
"""


def add_order(number: str, *, owner: str, item: str, ordered_on: date) -> None:
    with _database() as database:
        values = (number, owner, item, ordered_on.isoformat())
        database.execute("insert into orders values (?, ?, ?, ?, 'ordered')", values)


def list_orders(owner: str) -> list[str]:
    """Return one line per order of this owner."""
    with _database() as database:
        query = "select number, item, ordered_on, status from orders where owner = ? order by number"
        rows = database.execute(query, (owner,)).fetchall()
    return [f"{number}: {item}, {status}, due {due(ordered_on)}" for number, item, ordered_on, status in rows]


def cancel_order(number: str, *, owner: str, idempotency_key: str) -> str:
    """Cancel an order of this owner and return the result; a repetition with the same key returns the same result."""
    with _database() as database:
        if done := database.execute("select result from done where key = ?", (idempotency_key,)).fetchone():
            return str(done[0])
        change = "update orders set status = 'cancelled' where number = ? and owner = ? and status = 'ordered'"
        result = f"{number} is cancelled" if database.execute(change, (number, owner)).rowcount else "no such order"
        database.execute("insert into done values (?, ?)", (idempotency_key, result))
        return result


def due(ordered_on: str) -> date:
    return date.fromisoformat(ordered_on) + DELIVERY


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """Open the database in the calling thread, in one transaction that only one process writes at a time."""
    database = sqlite3.connect(os.environ.get(DATABASE, "shop.db"), timeout=10, isolation_level=None)
    try:
        database.executescript(TABLES)
        database.execute("begin immediate")
        yield database
        database.execute("commit")
    finally:
        database.close()  # without a commit, this rolls back
