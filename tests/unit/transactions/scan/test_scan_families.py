"""Every family of libraries: a line of code, what it touches, and where."""

from __future__ import annotations

import pytest

from offduty.transactions.scan.families import FAMILIES, tables

VOCABULARY = set(
    "file.read file.write file.delete db.connect db.query http.request object.read object.write object.list queue.publish queue.consume"
    " cache.call mail.send file.transfer process.spawn model.load compute.submit".split()
)

FILES = [
    ("open('a.csv')", "file.read", "a.csv"),
    ("open('a.csv', 'rb')", "file.read", "a.csv"),
    ("open('a.csv', mode='w')", "file.write", "a.csv"),
    ("open('a.csv', 'r+')", "file.write", "a.csv"),
    ("open(file='a.csv', mode='x')", "file.write", "a.csv"),
    ("import io; io.open('a')", "file.read", "a"),
    ("import gzip; gzip.open('a.gz', 'wt')", "file.write", "a.gz"),
    ("from zipfile import ZipFile; ZipFile('a.zip')", "file.read", "a.zip"),
    ("import tarfile; tarfile.open('a.tar.gz', 'w:gz')", "file.write", "a.tar.gz"),
    ("import os; os.open('a', os.O_WRONLY | os.O_CREAT)", "file.write", "a"),
    ("import os; os.open('a', os.O_RDONLY)", "file.read", "a"),
    ("import os; os.remove('a')", "file.delete", "a"),
    ("import os; os.replace('a', 'b')", "file.write", "b"),
    ("import shutil; shutil.copy('a', 'b')", "file.write", "b"),
    ("import shutil; shutil.rmtree('out')", "file.delete", "out"),
    ("from pathlib import Path; Path('a').read_text()", "file.read", "a"),
    ("from pathlib import Path; (Path('d') / 'a').write_bytes(b'')", "file.write", "d/a"),
    ("from pathlib import Path; Path('d').joinpath('a').open('w')", "file.write", "d/a"),
    ("from pathlib import Path; Path('a').with_suffix('.b').unlink()", "file.delete", "a.b"),
    ("def f(path): return path.read_text()", "file.read", "{path}"),
    ("import csv\nwith open('a.csv') as f: csv.reader(f)", "file.read", "a.csv"),
    ("import json; json.load(open('a.json'))", "file.read", "a.json"),
]

DATAFRAMES = [
    ("import pandas as pd; pd.read_csv('a.csv')", "file.read", "a.csv"),
    ("from pandas import read_csv as r; r('a.csv')", "file.read", "a.csv"),
    ("import pandas; pandas.read_excel(io='a.xlsx')", "file.read", "a.xlsx"),
    ("import pandas as pd; pd.read_csv('s3://feeds/a.csv')", "object.read", "s3://feeds/a.csv"),
    ("import pandas as pd; pd.read_json('https://api.example/a?key=1')", "http.request", "https://api.example/a?key=***"),
    ("def f(frame): frame.to_csv('a.csv')", "file.write", "a.csv"),
    ("def f(frame): frame.to_parquet(path='gs://out/a.parquet')", "object.write", "gs://out/a.parquet"),
    ("import pandas as pd; pd.DataFrame().T.to_pickle('a')", "file.write", "a"),
    ("import polars as pl; pl.read_parquet('a')", "file.read", "a"),
    ("def f(frame): frame.write_ipc('a')", "file.write", "a"),
    ("def f(frame): frame.sink_parquet('a')", "file.write", "a"),
    ("import pyarrow.parquet as pq; pq.read_table('a')", "file.read", "a"),
    ("import pyarrow.parquet as pq; pq.write_table(t, 'a')", "file.write", "a"),
    ("from pyarrow import dataset as ds; ds.dataset('s3://lake/a')", "object.read", "s3://lake/a"),
    ("import numpy as np; np.load('a.npy')", "file.read", "a.npy"),
    ("import numpy as np; np.savez('a.npz', x=1)", "file.write", "a.npz"),
    ("import joblib; joblib.load('m.pkl')", "model.load", "m.pkl"),
    ("import joblib; joblib.dump(m, 'm.pkl')", "file.write", "m.pkl"),
    ("import torch; torch.load('m.pt')", "model.load", "m.pt"),
    ("import xgboost as xgb; b = xgb.Booster(); b.load_model('m.json')", "model.load", "m.json"),
    ("from transformers import AutoModel; AutoModel.from_pretrained('bert')", "model.load", "bert"),
    ("import matplotlib.pyplot as plt; plt.figure().savefig('a.png')", "file.write", "a.png"),
]

DATABASES = [
    ("import psycopg; psycopg.connect('postgresql://u:p@dw:5432/sales')", "db.connect", "postgresql://dw:5432/sales"),
    ("import psycopg2; psycopg2.connect(host='dw', port=5432, dbname='sales', password='p')", "db.connect", "postgresql://dw:5432/sales"),
    ("import psycopg2; psycopg2.connect('host=dw dbname=sales password=p')", "db.connect", "postgresql://dw/sales"),
    ("import pymysql; pymysql.connect('dw', 'u', 'p', 'sales')", "db.connect", "mysql://dw/sales"),
    ("import pyodbc; pyodbc.connect('DRIVER={SQL Server};SERVER=dw;DATABASE=sales;PWD=p')", "db.connect", "mssql://dw/sales"),
    ("import oracledb; oracledb.connect('u', 'p', 'dw/sales')", "db.connect", "oracle://dw/sales"),
    ("import snowflake.connector as sc; sc.connect(account='ab1', database='S')", "db.connect", "snowflake://ab1/S"),
    ("import sqlite3; sqlite3.connect('a.db')", "db.connect", "a.db"),
    ("import duckdb; duckdb.sql('select * from sales')", "db.query", "duckdb: SELECT sales"),
    ("from sqlalchemy import create_engine; create_engine('mysql://u:p@dw/sales')", "db.connect", "mysql://dw/sales"),
    ("def f(cursor): cursor.execute('delete from a where b = 1')", "db.query", "DELETE a"),
    ("def f(cursor): cursor.execute(build())", "db.query", None),
    ("def f(x): x.executemany('insert into a values (?)', rows)", "db.query", "INSERT a"),
    ("import pandas as pd\ndef f(c): pd.read_sql('select x from a join b on 1=1', c)", "db.query", "SELECT a, b"),
    ("def f(frame, c): frame.to_sql('a', c)", "db.query", "INSERT a"),
    ("from google.cloud import bigquery; bigquery.Client('p').query('select 1 from d.t')", "db.query", "bigquery://p SELECT d.t"),
    ("import redis; redis.Redis('cache', 6379).get('k')", "cache.call", "redis://cache:6379"),
    ("import redis; redis.from_url('redis://:pw@cache/0').set('k', 1)", "cache.call", "redis://cache/0"),
]

HTTP = [
    ("import requests; requests.get('https://api.example/v1')", "http.request", "https://api.example/v1"),
    ("import requests; requests.request('POST', 'https://api.example/v1')", "http.request", "https://api.example/v1"),
    ("import requests; s = requests.Session(); s.put('https://a.example')", "http.request", "https://a.example"),
    ("import httpx; httpx.Client(base_url='https://a.example/v2').get('/x')", "http.request", "https://a.example/v2/x"),
    (
        "import aiohttp\nasync def f():\n async with aiohttp.ClientSession() as s:\n  async with s.get('https://a.example') as r: pass",
        "http.request",
        "https://a.example",
    ),
    ("from urllib.request import urlopen; urlopen('http://a.example')", "http.request", "http://a.example"),
    ("import urllib.request as u; r = u.Request('http://a.example'); u.urlopen(r)", "http.request", "http://a.example"),
    ("import urllib3; urllib3.PoolManager().request('GET', 'http://a.example')", "http.request", "http://a.example"),
    ("import http.client; http.client.HTTPSConnection('a.example').request('GET', '/x')", "http.request", "https://a.example/x"),
    ("def f(session): session.get('https://a.example/x')", "http.request", "https://a.example/x"),
]

CLOUD = [
    ("import boto3; boto3.client('s3').get_object(Bucket='b', Key='k')", "object.read", "s3://b/k"),
    ("import boto3; boto3.Session().client('s3').upload_file('f', 'b', 'k')", "object.write", "s3://b/k"),
    ("import boto3; boto3.client('s3').list_objects_v2(Bucket='b', Prefix='p')", "object.list", "s3://b/p"),
    ("import boto3; boto3.resource('s3').Bucket('b').download_file('k', 'f')", "object.read", "s3://b/k"),
    ("import boto3; boto3.resource('s3').Object('b', 'k').put(Body=b'')", "object.write", "s3://b/k"),
    ("def f(s3): s3.put_object(Bucket='b', Key='k')", "object.write", "s3://b/k"),
    ("def f(s3): s3.upload_file(path, 'b', 'k')", "object.write", "s3://b/k"),
    ("import boto3; boto3.client('sqs').send_message(QueueUrl='q')", "queue.publish", "aws://sqs/send_message q"),
    (
        "import boto3; boto3.client('secretsmanager').get_secret_value(SecretId='x')",
        "http.request",
        "aws://secretsmanager/get_secret_value x",
    ),
    ("import boto3; boto3.client('glue').start_job_run(JobName='etl')", "compute.submit", "aws://glue/start_job_run etl"),
    ("from google.cloud import storage; storage.Client().bucket('b').blob('k').download_as_bytes()", "object.read", "gs://b/k"),
    ("from google.cloud import storage; storage.Client().list_blobs('b', prefix='p')", "object.list", "gs://b/p"),
    (
        "from azure.storage.blob import BlobServiceClient as B; B.from_connection_string(x).get_blob_client('c', 'k').upload_blob(d)",
        "object.write",
        "az://c/k",
    ),
    ("import fsspec; fsspec.open('s3://b/k', 'w')", "object.write", "s3://b/k"),
    ("import s3fs; s3fs.S3FileSystem().open('b/k')", "object.read", "s3://b/k"),
    ("import gcsfs; gcsfs.GCSFileSystem().ls('b')", "object.list", "gs://b"),
]

MESSAGING = [
    ("import kafka; kafka.KafkaConsumer('t', bootstrap_servers='k:9092')", "queue.consume", "kafka://k:9092/t"),
    ("from confluent_kafka import Producer; Producer({'bootstrap.servers': 'k'}).produce('t')", "queue.publish", "kafka://k/t"),
    ("def f(channel): channel.basic_publish('', 'jobs', b'')", "queue.publish", "amqp:///jobs"),
    ("import smtplib; smtplib.SMTP('mail', 25)", "mail.send", "smtp://mail:25"),
    ("import ftplib; ftplib.FTP('ftp.example')", "file.transfer", "ftp://ftp.example"),
    ("def f(ftp): ftp.retrbinary('RETR a.csv', x)", "file.transfer", "ftp:///a.csv"),
    ("import paramiko; c = paramiko.SSHClient(); c.connect('h')", "file.transfer", "sftp://h"),
    ("import paramiko\ndef f(): c = paramiko.SSHClient(); c.open_sftp().get('/a', 'b')", "file.transfer", "sftp:/a"),
]

PROCESSES = [
    ("import subprocess; subprocess.run(['dbt', 'run', '--token', 'x'])", "process.spawn", "dbt"),
    ("import subprocess; subprocess.check_output('bash load.sh', shell=True)", "process.spawn", "bash load.sh"),
    ("from subprocess import Popen; Popen(['python', '-m', 'jobs.train', '--key', 'x'])", "process.spawn", "python -m jobs.train"),
    ("import os; os.system('TOKEN=abc curl https://x')", "process.spawn", "curl"),
    ("import os; os.popen('date')", "process.spawn", "date"),
    ("import asyncio\nasync def f(): await asyncio.create_subprocess_exec('ls', '-l')", "process.spawn", "ls"),
]

COMPUTE = [
    ("from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate()", "compute.submit", None),
    ("from pyspark.sql import SparkSession; SparkSession.builder.master('yarn').getOrCreate()", "compute.submit", "yarn"),
    ("def f(spark): spark.read.option('a', 1).parquet('s3a://lake/x')", "object.read", "s3a://lake/x"),
    ("def f(frame): frame.write.mode('overwrite').parquet('out')", "file.write", "out"),
    ("import dask.dataframe as dd; dd.read_parquet('a')", "file.read", "a"),
    ("from dask.distributed import Client; Client('tcp://s:8786')", "compute.submit", "tcp://s:8786"),
    ("import ray; ray.init('ray://h:10001')", "compute.submit", "ray://h:10001"),
]


@pytest.mark.parametrize("source, op, target", [*FILES, *DATAFRAMES, *DATABASES, *HTTP, *CLOUD, *MESSAGING, *PROCESSES, *COMPUTE])
def test_a_line_of_code_touches_one_thing(touched, source, op, target):
    """What it does and what to is said as the ledger of a run says it; without passwords."""
    assert touched(source) == [(op, target)]


BOTH = [
    (
        "import psycopg\nwith psycopg.connect('postgresql://dw/s') as c, c.cursor() as cur:\n cur.execute('select 1 from t')",
        [("db.connect", "postgresql://dw/s"), ("db.query", "postgresql://dw/s SELECT t")],
    ),
    (
        "from sqlalchemy import create_engine as ce, text\ne = ce('mysql://dw/s')\nwith e.begin() as c: c.execute(text('update t'))",
        [("db.connect", "mysql://dw/s"), ("db.connect", "mysql://dw/s"), ("db.query", "mysql://dw/s UPDATE t")],
    ),
    (
        "import pandas as pd, sqlite3\ndef f(): pd.read_sql('t', sqlite3.connect('a.db'))",
        [("db.query", "a.db SELECT t"), ("db.connect", "a.db")],
    ),
    (
        (
            "from sqlalchemy.orm import sessionmaker\nfrom sqlalchemy import create_engine as ce, select\n"
            "S = sessionmaker(bind=ce('sqlite:///a.db'))\nwith S() as s: s.scalars(select(T))"
        ),
        [("db.connect", "sqlite:///a.db"), ("db.query", "sqlite:///a.db SELECT")],
    ),
    (
        "from pymongo import MongoClient\nd = MongoClient('mongodb://u:p@m/x')['s']\nd.orders.find({})\nd['calls'].insert_one({})",
        [("db.connect", "mongodb://m/x"), ("db.query", "mongodb://m/x find orders"), ("db.query", "mongodb://m/x insert_one calls")],
    ),
    (
        "import kafka\np = kafka.KafkaProducer(bootstrap_servers=['a:1', 'b:2'])\np.send('t', b'')",
        [("queue.publish", "kafka://a:1,b:2"), ("queue.publish", "kafka://a:1,b:2/t")],
    ),
    (
        "import pika\nc = pika.BlockingConnection(pika.ConnectionParameters('mq'))\nc.channel().basic_get('jobs')",
        [("queue.publish", "amqp://mq"), ("queue.consume", "amqp://mq/jobs")],
    ),
    (
        "import smtplib\nwith smtplib.SMTP('mail') as s: s.send_message(m)",
        [("mail.send", "smtp://mail"), ("mail.send", "smtp://mail")],
    ),
    (
        "import ftplib\nf = ftplib.FTP('h')\nf.storbinary('STOR a.csv', x)",
        [("file.transfer", "ftp://h"), ("file.transfer", "ftp://h/a.csv")],
    ),
    (
        "import polars as pl\nlazy = pl.scan_csv('a.csv')\nlazy.filter(x).collect()",
        [("file.read", "a.csv"), ("file.read", "a.csv")],
    ),
]


@pytest.mark.parametrize("source, expected", BOTH)
def test_what_is_done_with_a_connection_names_where_it_goes(touched, source, expected):
    """A query on a cursor carries the address that the connection was given, lines above."""
    assert touched(source) == expected


NOTHING = [
    "frame.to_csv()",
    "def f(d): d.get('key')",
    "import io, pandas as pd; pd.read_csv(io.StringIO('a'))",
    "import io, numpy as np; b = io.BytesIO(); np.save(b, 1)",
    "def open(path): ...\nopen('a')",
    "open(3)",
    "import glob; glob.glob('*.csv')",
    "def f(executor): executor.execute(task)",
    "'{}'.format('a'); ', '.join(['a'])",
    "import utils; utils.read_text('a')",
    "class Store:\n def execute(self, q): ...\n def f(self): self.execute('select 1')",
    "import sqlite3; sqlite3.connect(':memory:')",
    "import sqlite3; c = sqlite3.connect(':memory:'); c.execute('select 1')",
    "import subprocess; subprocess.PIPE",
    "import requests; requests.Session()",
    "import boto3; boto3.client('s3').generate_presigned_url('get_object')",
]


@pytest.mark.parametrize("source", NOTHING)
def test_what_stays_inside_is_no_transaction(touched, source):
    """Memory, functions of one's own and dictionaries do not fail as the outside world does."""
    assert touched(source) == []


def test_only_the_outermost_call_counts(touched):
    """A reader of an open file or of an answer adds nothing to the open or the request."""
    assert touched("import pandas as pd\nwith open('a') as f: pd.read_csv(f)") == [("file.read", "a")]
    assert touched("import pandas as pd, requests, io\npd.read_csv(io.BytesIO(requests.get('http://a').content))") == [
        ("http.request", "http://a")
    ]


def test_no_two_families_claim_the_same_call():
    """Which family answers must not depend on their order."""
    for table in ("CALLS", "ON", "SAME"):
        names = [name for family in FAMILIES for name in getattr(family, table)]
        assert sorted(names) == sorted(set(names))


def test_names_that_mean_another_lead_to_a_table():
    """An alias of an alias, or of a name that no table has, would be dead."""
    same = tables().same
    assert [name for name in same.values() if name in same] == []


def test_every_op_of_the_contract_is_found():
    """The rows above cover the vocabulary of events, and nothing but that."""
    rows = [*FILES, *DATAFRAMES, *DATABASES, *HTTP, *CLOUD, *MESSAGING, *PROCESSES, *COMPUTE]
    assert {op for _, op, _ in rows} == VOCABULARY
