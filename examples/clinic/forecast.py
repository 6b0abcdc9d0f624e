"""Forecast how far each new patient's diabetes will have progressed in a year, and list whom the nurses should call today.

    python forecast.py --date 2026-11-23

Reads the lab's feed (CSV), the clinic's database (SQLite) and the calls service (HTTP);
writes forecasts.csv and the table `forecasts`.
Where these are is in LAB_FEED, CLINIC_DB and CALLS_API.
"""

import argparse
import datetime
import json
import logging
import os
import sqlite3
import urllib.request

import pandas as pd
from model import FEATURES, choose, scores

LAB_COLUMNS = ["patient", "drawn_on", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu"]
FRESH = datetime.timedelta(days=2)

log = logging.getLogger("forecast")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--date", type=datetime.date.fromisoformat, default=datetime.date.today(), help="the day to forecast for")
    day = parser.parse_args().date
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

    print(f"forecast for {day}", flush=True)
    lab = read_lab(os.environ["LAB_FEED"], day)
    database = sqlite3.connect(os.environ["CLINIC_DB"], timeout=2)
    known, new = join(lab, *read_clinic(database))
    calls = calls_possible(os.environ["CALLS_API"], day)

    model = train(known)
    forecasts = predict(model, new, day)
    save(forecasts, database)
    print(f"\ncall these {min(calls, len(forecasts))} patients today:")
    print(forecasts.head(calls).to_string(index=False))


def read_lab(path, day):
    """The lab's results, one row a patient; refuses a feed without the columns the model needs."""
    lab = pd.read_csv(path, parse_dates=["drawn_on"])
    lab = lab[LAB_COLUMNS]
    print(f"read {len(lab)} lab results from {path}", flush=True)
    age = pd.Timestamp(day) - lab.drawn_on.max()
    if age > FRESH:
        log.warning("the newest lab result is %d days old", age.days)
    return lab


def read_clinic(database):
    """Who the patients are, and how far the disease went in those who have been here for a year."""
    patients = pd.read_sql("select patient, age, sex from patients", database)
    outcomes = pd.read_sql("select patient, progression from outcomes", database)
    print(f"read {len(patients)} patients and {len(outcomes)} outcomes from the clinic", flush=True)
    return patients, outcomes


def join(lab, patients, outcomes):
    """Patients with a known outcome, to learn from, and new ones, to forecast."""
    data = lab.merge(patients, on="patient", validate="one_to_one").merge(outcomes, on="patient", how="left", validate="one_to_one")
    if len(data) < len(lab):
        log.warning("%d lab results belong to nobody the clinic knows", len(lab) - len(data))
    return data[data.progression.notna()], data[data.progression.isna()]


def calls_possible(url, day):
    """How many calls the nurses can make on that day."""
    with urllib.request.urlopen(f"{url}/calls?date={day}", timeout=10) as answer:
        calls = json.load(answer)["calls"]
    print(f"the nurses can make {calls} calls", flush=True)
    return calls


def train(known):
    """The model that does best in cross-validation, fitted to all that is known."""
    model = choose(known)
    for name, value in scores(model, known).items():
        print(f"{name}={value:.3f}", flush=True)
    return model.fit(known[FEATURES], known.progression)


def predict(model, new, day):
    """One forecast for each new patient, the worst first."""
    forecasts = pd.DataFrame({"made_on": str(day), "patient": new.patient, "progression": 0.0})
    if len(new):
        forecasts["progression"] = model.predict(new[FEATURES]).round(1)
    return forecasts.sort_values("progression", ascending=False)


def save(forecasts, database):
    """To the file that the nurses open, and to the clinic's database; a second run of a day replaces the first."""
    forecasts.to_csv("forecasts.csv", index=False)
    with database:
        database.executemany("insert or replace into forecasts values (:made_on, :patient, :progression)", forecasts.to_dict("records"))
    print(f"wrote {len(forecasts)} forecasts to forecasts.csv and to the clinic", flush=True)


if __name__ == "__main__":
    main()
