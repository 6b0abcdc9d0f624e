"""What a target says when it is not just a literal, and what names lead to."""

from __future__ import annotations

import pytest

TEXTS = [
    ("PATH = 'a.csv'\nopen(PATH)", "a.csv"),
    ("open('in/' + 'a.csv')", "in/a.csv"),
    ("open(f'in/{day}/a.csv')", "in/{day}/a.csv"),
    ("open(f'in/{day:%Y-%m-%d}.csv')", "in/{day}.csv"),
    ("BASE = 'in'\nopen(f'{BASE}/a.csv')", "in/a.csv"),
    ("open('in/%s-%d.csv' % (name, 3))", "in/{name}-3.csv"),
    ("open('%(a)s.csv' % {'a': 'x'})", "x.csv"),
    ("open('in/{}/{name}'.format('x', name=args.name))", "in/x/{args.name}"),
    ("open('{0}/{1}'.format(a, 'b'))", "{a}/b"),
    ("import os\nopen(os.path.join('in', day, 'a.csv'))", "in/{day}/a.csv"),
    ("from os.path import join as j\nopen(j('in', 'a.csv'))", "in/a.csv"),
    ("import os\nopen(os.environ['FEED'])", "${FEED}"),
    ("from os import environ\nopen(environ.get('FEED', 'a.csv'))", "${FEED}"),
    ("import os\nopen(os.getenv('DIR') + '/a.csv')", "${DIR}/a.csv"),
    ("from pathlib import Path\nopen(Path('in') / day / 'a.csv')", "in/{day}/a.csv"),
    ("from pathlib import Path\nIN = Path('in')\nopen(str(IN / 'a.csv'))", "in/a.csv"),
    ("C = {'feed': 'a.csv'}\nopen(C['feed'])", "a.csv"),
    ("C = dict(feed='a.csv')\nopen(C['feed'])", "a.csv"),
    ("open('/'.join(['in', name]))", "in/{name}"),
    ("def load(path='a.csv'): open(path)", "a.csv"),
    ("def load(path): open(path)", "{path}"),
    ("def load(path): open(path)\nload('a.csv')", "a.csv"),
    ("def load(path): open(path)\nload('a.csv')\nload('b.csv')", "{path}"),
    ("def load(*, path='a.csv'): open(path)\nload(path='b.csv')", "b.csv"),
    ("def name(): return 'a.csv'\nopen(name())", "a.csv"),
    ("open(find())", "{find()}"),
    ("open(files[0])", "{files[0]}"),
    ("for path in paths: open(path)", "{path}"),
    ("path = 'a.csv'\n[open(path) for path in paths]", "{path}"),
    ("path = 'a'\npath += '.csv'\nopen(path)", "a.csv"),
    ("path = 'a'\nopen(path)\npath = 'b'", "a"),
    ("if x:\n path = 'a'\nelse:\n path = 'b'\nopen(path)", "{path}"),
    ("if x:\n path = 'a'\n open(path)\nelse:\n path = 'b'", "a"),
    ("path = None\nif x: path = 'a'\nopen(path)", "a"),
    ("open('a' if x else 'a')", "a"),
    ("import sys\nopen(sys.argv[1])", "{sys.argv[1]}"),
    ("class A:\n DIR = 'in'\n def f(self): open(self.DIR + '/a')", "in/a"),
    ("class A:\n def f(self): open(self.path)\n def __init__(self, path='a'): self.path = path", "a"),
    ("class A:\n def __init__(self, path): self.path = path\n def f(self): open(self.path)\nA('a')", "a"),
    ("def f():\n global P\n P = 'a'\ndef g(): open(P)", "a"),
    ("a, b = 'x', 'y'\nopen(b)", "y"),
    ("match x:\n case {'path': p}: open(p)", "{p}"),
    ("open((p := 'a'))", "a"),
    ("open(a(b)(c).d[e](f + g))", "{a()().d[e]()}"),
    ("open(x @ y)", "{…}"),
    ("p = p + 'x'\nopen(p)", "{p}x"),
]


@pytest.mark.parametrize("source, target", TEXTS)
def test_a_target_is_followed_as_far_as_the_module_tells(touched, source, target):
    """Holes for what only a run knows, `${X}` for the environment, and one meaning only where there is one."""
    assert [target for _, target in touched(source)] == [target]


def test_the_folder_of_the_file_is_known(places):
    """`__file__` is the path that was scanned."""
    [place] = places("import os\nHERE = os.path.dirname(os.path.abspath(__file__))\nopen(os.path.join(HERE, 'a.csv'))")
    assert place.target == place.path.replace("job.py", "a.csv")


SAME = [
    "import requests as r\nr.get('http://a')",
    "from requests import get\nget('http://a')",
    "from requests import *\nget('http://a')",
    "import requests\nfetch = requests.get\nfetch('http://a')",
    "import functools, requests\nfetch = functools.partial(requests.get, timeout=3)\nfetch('http://a')",
    "try:\n import requests\nexcept ImportError:\n requests = None\nrequests.get('http://a')",
    "import requests\ndef session(): return requests.Session()\nsession().get('http://a')",
    "import requests\nclass A:\n def __init__(self): self.s = requests.Session()\n def f(self): self.s.get('http://a')",
    "import requests\nclass A:\n s = None\n def f(self): self.s.get('http://a')\n def g(self): self.s = requests.session()",
    "import requests\ndef f(s: requests.Session | None = None): s.get('http://a')",
    "import requests\nfrom typing import Optional\ndef f(s: Optional[requests.Session]): s.get('http://a')",
    "import requests\ndef f(s): s.get('http://a')\nf(requests.Session())",
    "import requests\nwith requests.Session() as s: s.get('http://a')",
    "import requests, contextlib\nwith contextlib.closing(requests.Session()) as s: s.get('http://a')",
    "import contextlib, requests\n@contextlib.contextmanager\ndef c(): yield requests.Session()\nwith c() as s: s.get('http://a')",
    "import requests\nf = lambda url: requests.get('http://a')",
    "import httpx\nasync def f():\n async with httpx.AsyncClient() as c: await c.get('http://a')",
]


@pytest.mark.parametrize("source", SAME)
def test_names_are_followed_to_the_library(places, source):
    """Aliases, objects, attributes of self, annotations and parameters all lead to the call that counts."""
    [place] = places(source)
    assert (place.op, place.target) == ("http.request", "http://a")
    assert place.via.startswith(("requests.", "httpx."))


def test_a_place_says_line_function_and_what_is_called(places):
    """As much as a support engineer needs to find it."""
    [place] = places("import sqlite3\n\nclass Store:\n    def open(self):\n        return sqlite3.connect(\n            'a.db')\n")
    assert (place.line, place.function, place.via, place.where) == (5, "Store.open", "sqlite3.connect", f"{place.path}:5")


def test_an_object_of_unknown_type_shows_as_a_method(places):
    """What is only known by its method's name says so."""
    assert [place.via for place in places("def f(frame): frame.to_csv('a')")] == [".to_csv"]


SECRETS = [
    ("import requests\nrequests.get('https://u:hunter2@a.example/x?api_key=hunter2')", "https://a.example/x?api_key=***"),
    ("import psycopg\npsycopg.connect('postgresql://u:hun/ter2@dw/s')", "postgresql://dw/s"),
    ("import psycopg\npsycopg.connect(f'postgresql://u:hunter2@{host}/s')", "postgresql://{host}/s"),
    ("def f(conn): conn.execute(\"select * from t where p = 'from hunter2'\")", "SELECT t"),
    ("import subprocess\nsubprocess.run('PGPASSWORD=hunter2 psql --password hunter2', shell=True)", "psql"),
    ("import pyodbc\npyodbc.connect('SERVER=dw;DATABASE=s;UID=u;PWD=hunter2')", "odbc://dw/s"),
]


@pytest.mark.parametrize("source, target", SECRETS, ids=range(len(SECRETS)))
def test_no_secret_is_shown(touched, source, target):
    """T01: passwords, query values and literals of queries stay in the source."""
    assert [target for _, target in touched(source)] == [target]


def test_a_token_in_a_path_is_masked(touched):
    """T01: what has the form of a known token is masked wherever it stands."""
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    [(_, target)] = touched(f"import requests\nrequests.get('https://api.example/{token}/x')")
    assert token not in target
    assert "***" in target


STATEMENTS = [
    ("select a from s.t as x left join u on 1=1", "SELECT s.t, u"),
    ('  -- a comment\n SELECT 1 FROM "My Table"', "SELECT My Table"),
    ("with x as (select 1 from a), y as (select 2 from x) select * from y join b on 1=1", "SELECT a, b"),
    ("insert into t (a) select a from u", "INSERT t, u"),
    ("create table if not exists t (a int)", "CREATE t"),
    ("truncate table t", "TRUNCATE t"),
    ("select extract(day from ts) from t", "SELECT t"),
    ("select * from {schema}.t", "SELECT {schema}.t"),
    ("call refresh()", "CALL"),
    ("not a query", None),
]


@pytest.mark.parametrize("query, said", STATEMENTS)
def test_a_query_is_its_verb_and_its_tables(touched, query, said):
    """Never its literals."""
    assert [target for _, target in touched(f"def f(cursor): cursor.execute({query!r})")] == [said]
