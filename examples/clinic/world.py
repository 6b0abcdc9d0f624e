"""The world around the job: the lab that sends a feed, the clinic's database, the call centre's service. Runs a command in it.

    python world.py -- python forecast.py
    python world.py --break feed-column -- offduty run forecast

Lays the feed and the database in ./world, serves the calls API on a free port of 127.0.0.1, starts the command here
with LAB_FEED, CLINIC_DB and CALLS_API set, and exits with the command's status. With --break, one of them is at fault.
"""

import argparse
import csv
import datetime
import http.server
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WORLD = os.path.join(HERE, "world")
FEED = os.path.join(WORLD, "lab.csv")
DATABASE = os.path.join(WORLD, "clinic.sqlite3")
LAB = ["bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu"]
KNOWN = 400  # so many of the 442 patients have been here for a year; the others are new

FAULTS = {
    "feed-missing": "the lab sent nothing: there is no file",
    "feed-column": "the lab's export lost the column `ltg`",
    "feed-stale": "the lab has sent nothing for nine days: its last file is still there",
    "feed-torn": "the file ends in the middle of a line, and half of its rows are missing",
    "feed-quiet": "nobody new in the feed: the job writes no forecast and exits 0",
    "api-503": "the calls service answers 503",
    "api-slow": "the calls service answers after a minute",
    "api-garbage": "the calls service answers with a page for people",
    "api-down": "nothing listens where the calls service should be",
    "db-locked": "somebody else holds the database",
    "db-table": "the table `outcomes` is gone",
    "db-missing": "the database's folder is gone",
    "db-refused": "the database refuses every connection",
}


def main():
    options = arguments()
    lay_feed(options.date, options.fault)
    lay_database(options.fault)
    server = serve(options.fault)
    holder = hold(DATABASE) if options.fault == "db-locked" else None
    places = {"LAB_FEED": FEED, "CLINIC_DB": DATABASE, "CALLS_API": f"http://127.0.0.1:{server.server_port}"}
    if options.fault == "api-down":
        server.server_close()
    if options.fault == "db-missing":
        places["CLINIC_DB"] = os.path.join(WORLD, "moved", "clinic.sqlite3")
    status = run(options.command, places)
    if holder:
        holder.close()
    return status


def arguments():
    listing = "\n".join(f"  {name:13} {text}" for name, text in FAULTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f"what can be at fault:\n{listing}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--break", dest="fault", choices=FAULTS, metavar="WHAT", help="what is at fault, see below")
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=datetime.date.today(), help="the day it is in this world")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    return parser.parse_args()


def observations():
    """The data: 442 real patients (README.md)."""
    with open(os.path.join(HERE, "data", "diabetes.csv"), newline="") as file:
        return list(csv.DictReader(file))


def lay_feed(day, fault):
    """lab.csv: everybody's results, as if drawn over the last four weeks, the newest yesterday."""
    os.makedirs(WORLD, exist_ok=True)
    if fault == "feed-missing":
        if os.path.exists(FEED):
            os.remove(FEED)
        return
    newest = day - datetime.timedelta(days=9 if fault == "feed-stale" else 1)
    columns = ["patient", "drawn_on", *(name for name in LAB if not (fault == "feed-column" and name == "ltg"))]
    rows = observations()[: KNOWN if fault == "feed-quiet" else None]
    lines = [",".join(columns)]
    for number, row in enumerate(rows):
        drawn_on = newest - datetime.timedelta(days=(len(rows) - 1 - number) * 28 // len(rows))
        lines.append(",".join([row["patient"], str(drawn_on), *(row[name] for name in columns[2:])]))
    text = "\n".join(lines) + "\n"
    with open(FEED, "w") as file:
        file.write(text[: len(text) // 2 - 7] if fault == "feed-torn" else text)
    if fault == "feed-stale":
        sent = time.time() - 9 * 86400
        os.utime(FEED, (sent, sent))


def lay_database(fault):
    """clinic.sqlite3: patients, the outcomes that are known, and the forecasts that were made, which stay from run to run."""
    if os.path.isdir(DATABASE):
        os.rmdir(DATABASE)
    if fault == "db-refused":
        if os.path.exists(DATABASE):
            os.replace(DATABASE, f"{DATABASE}.away")
        os.mkdir(DATABASE)  # what opens no door even to root
        return
    if os.path.exists(f"{DATABASE}.away"):
        os.replace(f"{DATABASE}.away", DATABASE)
    rows = observations()
    with sqlite3.connect(DATABASE) as database:
        database.executescript(
            "create table if not exists patients (patient text primary key, age integer, sex integer);"
            "create table if not exists outcomes (patient text primary key, progression real);"
            "create table if not exists forecasts (made_on text, patient text, progression real, primary key (made_on, patient));"
        )
        database.executemany("insert or replace into patients values (:patient, :age, :sex)", rows)
        database.executemany("insert or replace into outcomes values (:patient, :progression)", rows[:KNOWN])
        if fault == "db-table":
            database.execute("drop table outcomes")
    database.close()


def hold(path):
    """What a forgotten session of somebody else does: nobody can read or write until it ends."""
    session = sqlite3.connect(path, isolation_level=None)
    session.execute("begin exclusive")
    return session


def serve(fault):
    """The call centre's service: how many calls the nurses can make on a day. Ends with this process."""

    class Calls(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if fault == "api-slow":
                time.sleep(60)
            status, kind, body = answer(self.path, fault)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def answer(path, fault):
    """Status, content type and body for GET /calls?date=…: a dozen calls on a working day, four at the weekend."""
    if fault == "api-503":
        return 503, "text/plain", b"down for maintenance\n"
    if fault == "api-garbage":
        return 200, "text/html", b"<html><body>Welcome to the call centre!</body></html>\n"
    day = datetime.date.fromisoformat(path.partition("date=")[2])
    return 200, "application/json", json.dumps({"date": str(day), "calls": 12 if day.weekday() < 5 else 4}).encode()


def run(command, places):
    """Start the command with the places in its environment, and pass its status on as a shell would."""
    program = shutil.which(command[0])
    if not program:
        sys.exit(f"world.py: {command[0]}: not found")
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the command too: let it decide
    process = subprocess.Popen([program, *command[1:]], cwd=HERE, env={**os.environ, **places})
    signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
    status = process.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main())
