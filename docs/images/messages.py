"""Draws messages.*.png, what arrives in mail, Teams and Slack: `python docs/images/messages.py`.

With .venv active; chromium, an emoji font and npm are there.

The mail is the very page that is sent; the card is drawn by Microsoft's own renderer; Slack's blocks by a likeness of what Slack does.
"""

import html
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from offduty.alerts import mail
from offduty.alerts.alert import Alert
from offduty.alerts.channels import slack, teams

HERE = Path(__file__).resolve().parent
LINK = "https://offduty.example/runs/7f3a91c2"
MORNING = 1_795_413_751.0
FAILED = Alert(
    key="1",
    event="failed",
    job="forecast",
    title="FAILED forecast: KeyError: 'region'",
    at=MORNING,
    severity="error",
    status="firing",
    incident="i",
    run="01932f6c-0000-7000-8000-00007f3a91c2",
    because="sales.csv lost the column “region”: it had 14 columns on every good run until 21 Nov, today 13",
    where="forecast.py:88 in features, after read s3://feeds/sales/2026-11-23.csv (81 204 rows)",
    triage="FEED-02 The sales feed changed shape",
    steps=("Ask Data Platform to restore the column or to announce the new name.", "Then run: offduty run forecast"),
    team="Data Platform",
    contact="#data-platform, ext. 4411",
    told=("Data Platform by Slack (delivered 06:02:31)", "Data Science in the 09:00 digest"),
    history="3 times in 30 days, last on 2 Nov (resolved in 40 min)",
    duration_s=134,
    host="etl-3",
    log="/var/lib/offduty/logs/forecast/2026-11-23T06-00-00Z-7f3a91c2.log",
    link=LINK,
)
UNKNOWN = Alert(
    key="2",
    event="failed",
    job="stock",
    title="FAILED stock: exit 3",
    at=MORNING + 600,
    severity="error",
    status="firing",
    run="01932f6c-0000-7000-8000-00001ab2c3d4",
    team="Data Science",
    contact="#forecast-support",
    history="never before",
    host="etl-3",
    duration_s=12,
    log="/var/lib/offduty/logs/stock/2026-11-23T06-10-00Z-1ab2c3d4.log",
    lines=("loading stock for 412 stores …", "store 17: <no price list>", "giving up after 3 stores without prices", "exit 3"),
)
RECOVERED = Alert(
    key="3",
    event="recovered",
    job="forecast",
    title="RECOVERED forecast, after 1 h 12 min",
    at=MORNING + 4320,
    status="resolved",
    run="01932f6c-0000-7000-8000-0000c0ffee11",
    because="the run of 07:14 succeeded; 2 runs had failed since 06:02",
    team="Data Platform",
    told=("everyone who was told of the failure",),
    host="etl-3",
    link=LINK,
    log="/var/lib/offduty/logs/forecast/2026-11-23T07-12-00Z-c0ffee11.log",
)
DIGEST = Alert(
    key="4",
    event="digest",
    job="",
    title="Digest: 14 runs, 1 failed, 2 with warnings",
    at=MORNING + 10_800,
    items=(
        "forecast  FAILED 06:02, recovered 07:14: sales.csv lost the column “region” (FEED-02, Data Platform)",
        "stock  warned: stores_present: 3 of 412 missing",
        "prices  warned: faster than ever before (8 s, usually 3 min)",
        "11 runs of 6 jobs went well",
    ),
    team="Data Science",
    link="https://offduty.example/",
)
MESSAGES = (FAILED, UNKNOWN, RECOVERED, DIGEST)
HOST = {
    "fontFamily": "'Segoe UI', 'DejaVu Sans', 'Noto Color Emoji', sans-serif",
    "spacing": {"small": 6, "default": 8, "medium": 16, "large": 24, "extraLarge": 32, "padding": 16},
    "fontSizes": {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24},
    "containerStyles": {
        name: {"backgroundColor": colour, "foregroundColors": {"default": {"default": "#242424", "subtle": "#616161"}}}
        for name, colour in {
            "default": "#ffffff",
            "emphasis": "#f5f5f5",
            "attention": "#fdf3f4",
            "good": "#f1faf1",
            "warning": "#fff9f5",
            "accent": "#ebf3fc",
        }.items()
    },
}


def main() -> None:
    """Three pictures."""
    with tempfile.TemporaryDirectory() as folder:
        pages = {"mail": mail_page(), "teams": teams_page(renderer(Path(folder))), "slack": slack_page()}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for name, page in pages.items():
                tab = browser.new_page(viewport={"width": 760, "height": 400}, device_scale_factor=1)
                tab.set_content(page)
                tab.screenshot(path=str(HERE / f"messages.{name}.png"), full_page=True)
            browser.close()


def renderer(folder: Path) -> str:
    """The source of Microsoft's renderer of Adaptive Cards."""
    subprocess.run(["npm", "pack", "--silent", "adaptivecards@3.0.6"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        member = archive.extractfile("package/dist/adaptivecards.min.js")
        assert member is not None
        return member.read().decode()


def mail_page() -> str:
    """The mails, one below the other."""
    bodies = [re.search(r"<body[^>]*>(.*)</body>", mail.html(alert), re.DOTALL) for alert in MESSAGES]
    return page("#eef0f2", "<div style='height:18px'></div>".join(found[1] for found in bodies if found))


def teams_page(source: str) -> str:
    """Each card as the renderer draws it."""
    cards = [teams.payload(alert)["attachments"][0]["content"] for alert in MESSAGES]
    script = f"""
      for (const card of {json.dumps(cards)}) {{
        const drawn = new AdaptiveCards.AdaptiveCard();
        drawn.hostConfig = new AdaptiveCards.HostConfig({json.dumps(HOST)});
        drawn.parse(card);
        const frame = document.createElement('div');
        frame.className = 'card';
        frame.appendChild(drawn.render());
        document.body.appendChild(frame);
      }}"""
    style = """.card { background: #fff; border-radius: 6px; box-shadow: 0 1px 3px #0003; margin: 0 0 18px; overflow: hidden }
      .ac-pushButton { font: 600 13px 'Segoe UI', 'DejaVu Sans', 'Noto Color Emoji', sans-serif; background: #fff;
                       border: 1px solid #d1d1d1; border-radius: 4px; padding: 6px 12px }"""
    safe = script.replace("</", "<\\/")
    return page("#f5f5f5", f"<style>{style}</style><script>{source}</script><script>{safe}</script>")


def slack_page() -> str:
    """A likeness of Slack."""
    style = """.m { background: #fff; padding: 14px 18px; margin: 0 0 18px;
           font: 15px/22px Lato, 'DejaVu Sans', 'Noto Color Emoji', sans-serif; color: #1d1c1d }
      h2 { font-size: 18px; margin: 4px 0 8px } p { margin: 6px 0; white-space: pre-wrap } small { color: #616061; display: block }
      .f { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 20px } a { color: #1264a3; text-decoration: none }
      pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 4px 0;
            font-size: 12px; line-height: 18px }"""
    drawn = "".join(f"<div class=m>{''.join(map(block, slack.payload(alert)['blocks']))}</div>" for alert in MESSAGES)
    return page("#f8f8f8", f"<style>{style}</style>{drawn}")


def block(found: dict) -> str:
    """One block."""
    if found["type"] == "header":
        return f"<h2>{html.escape(found['text']['text'])}</h2>"
    if found["type"] == "context":
        return f"<small>{' &nbsp;·&nbsp; '.join(text(element) for element in found['elements'])}</small>"
    if "fields" in found:
        return f"<div class=f>{''.join(f'<p>{text(field)}</p>' for field in found['fields'])}</div>"
    return f"<p>{text(found['text'])}</p>"


def text(found: dict) -> str:
    """A text object; mrkdwn is escaped already, but for its own marks."""
    if found["type"] == "plain_text":
        return html.escape(found["text"])
    marked = re.sub(r"<(http[^|>]*)\|([^>]*)>", r'<a href="\1">\2</a>', found["text"])
    marked = re.sub(r"```(.*?)```", r"<pre>\1</pre>", marked, flags=re.DOTALL)
    return re.sub(r"^\*([^*\n]+)\*$", r"<b>\1</b>", marked, flags=re.MULTILINE)


def page(colour: str, body: str) -> str:
    """A whole page."""
    return (
        f"<!DOCTYPE html><meta charset=utf-8><body style='margin:0;padding:18px;background:{colour};font-family:sans-serif'>{body}</body>"
    )


if __name__ == "__main__":
    main()
