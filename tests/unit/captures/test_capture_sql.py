"""Statements in short: verb and tables, and never what is between quotation marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty_probe.capture.dbapi import at_server, without_values
from offduty_probe.capture.sql import summary, summary_text

KNOWN = {
    "select 1": "SELECT",
    "SELECT a FROM sales s, stores t JOIN \"Big Table\" x ON s.a = x.b, c WHERE x = 'from hunter2'": "SELECT sales, stores, Big Table, c",
    "with a as (select * from t1), b(x) as (select q from t2) insert into out select * from a join b using (k)": "INSERT t1, t2, out",
    "with recursive r as (select 1 union all select * from r) select * from r, t": "SELECT t",
    "insert into t (a, b) values ('x', 'hunter2')": "INSERT t",
    "insert or replace into t values (1)": "INSERT t",
    "update or ignore t set a = 'x'": "UPDATE t",
    "delete from only t using u where a = b": "DELETE t, u",
    "merge into t using s on t.a = s.a when matched then update set x = 1": "MERGE t, s",
    "select extract(year from d), substring(x from 2) from sales where a is distinct from b for update": "SELECT sales",
    "copy t (a) from stdin": "COPY t",
    "create table if not exists s.t as select * from u": "CREATE s.t, u",
    "create index i on t (a)": "CREATE t",
    "select * from generate_series(1, 2) g, [dbo].[t]": "SELECT dbo.t",
    "-- from hunter2\n /* from hunter2 */ select $x$ from hunter2 $x$ from t": "SELECT t",
    "FETCH FORWARD 100 FROM \"cursor\"": "FETCH cursor",
    "PRAGMA key = 'hunter2'": "PRAGMA",
    "set password = hunter2": "SET",
    "hunter2": "OTHER",
}  # fmt: skip
MARKS = ["'", '"', "\\'", "''", "$$", "$a$", "q'[", "`", "--", "/*", "*/", "E'", " FROM ", " JOIN ", ", ", "x", "(", ")", ";", "\n", " "]


@pytest.mark.parametrize("statement", KNOWN)
def test_verb_and_tables_are_found(statement):
    """In the dialects of the drivers that are captured."""
    assert summary_text(statement) == KNOWN[statement]


@given(st.lists(st.sampled_from([mark for mark in MARKS if "'" not in mark]), max_size=6), st.lists(st.sampled_from(MARKS), max_size=6))
def test_a_literal_is_never_told(inside, after):
    """INV-12: whatever a literal holds, and whatever follows it."""
    statement = f"SELECT a FROM t WHERE b = '{''.join(inside)} FROM hunter2 {''.join(inside)}' AND c = 1 {''.join(after)}"
    assert "hunter2" not in summary_text(statement)


@given(st.text())
def test_any_text_is_read(text):
    """Total, and bounded: what is told is short."""
    verb, tables = summary(text)
    assert verb
    assert len(tables) <= 8


def test_values_are_left_out_of_messages():
    """What is quoted, and numbers; an apostrophe in a word does not begin a quotation."""
    assert without_values("Duplicate entry 'hunter2' for key 'a'") == "Duplicate entry '***'"
    assert without_values('column "a" doesn\'t take 12.5') == 'column "***" doesn\'t take #.#'
    assert without_values("open 'hunter2") == "open '***'"


def test_an_address_has_no_user_and_no_password():
    """IPv6, sockets, names that are missing."""
    assert at_server("postgresql", "postgresql", "::1", 5432, "dw").url == "postgresql://[::1]:5432/dw"
    assert at_server("postgresql", "postgresql", "/run/postgresql", 5432, "dw").url == "postgresql:///dw"
    assert at_server("mysql", "mysql", b"db", "3306", None).url == "mysql://db:3306/"
