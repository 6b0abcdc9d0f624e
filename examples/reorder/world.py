"""Lays the shop's database and the list of suppliers: `python world.py` (SQLite), `STOCK=postgresql+psycopg://… python world.py`.

The shop, its numbers and its suppliers are made up.
"""

from __future__ import annotations

import csv
import os
from datetime import date, timedelta

import sqlalchemy as sa

ITEMS = {"flour": 12, "sugar": 7, "butter": 5, "eggs": 20, "yeast": 3}
DAYS = 28


def lay(address: str) -> None:
    """Tables `sales`, `stock` and `orders`, as they would be on a Monday."""
    tables = sa.MetaData()
    sales = sa.Table("sales", tables, sa.Column("day", sa.Date), sa.Column("item", sa.String(20)), sa.Column("units", sa.Integer))
    stock = sa.Table("stock", tables, sa.Column("item", sa.String(20)), sa.Column("on_hand", sa.Integer))
    sa.Table("orders", tables, sa.Column("item", sa.String(20)), sa.Column("supplier", sa.String(20)), sa.Column("units", sa.Integer))
    engine = sa.create_engine(address)
    tables.drop_all(engine)
    tables.create_all(engine)
    first = date(2026, 10, 26)
    with engine.begin() as base:
        for number in range(DAYS):
            day = first + timedelta(number)
            base.execute(sales.insert(), [{"day": day, "item": item, "units": usual + number % 3} for item, usual in ITEMS.items()])
        base.execute(stock.insert(), [{"item": item, "on_hand": usual * 9} for item, usual in ITEMS.items()])
    engine.dispose()


def lay_suppliers(path: str) -> None:
    """Who delivers what, and how many days that takes."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = [(item, "mill" if item in ("flour", "yeast") else "dairy", 2 + len(item) % 3) for item in ITEMS]
        csv.writer(file).writerows([("item", "supplier", "lead_days"), *rows])


if __name__ == "__main__":
    lay(os.environ.get("STOCK", "sqlite:///stock.sqlite3"))
    lay_suppliers("suppliers.csv")
