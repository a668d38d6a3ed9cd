"""The report in a real browser: everything is drawn, nothing is asked for, and figures know of each other."""

import itertools
import json
import os
import re
import shutil
import threading
from pathlib import Path

import pytest
from reported import settings, told, written
from test_report import population

from hyperpilot.cli import app
from hyperpilot.reports.beliefs import without
from hyperpilot.reports.live import Feed, server
from hyperpilot.reports.page import render
from hyperpilot.reports.record import read

sync_api = pytest.importorskip("playwright.sync_api")

ARTIFACTS = Path(__file__).parents[1] / "test-artifacts"
PICKABLE = (
    "progress",
    "transfer",
    "curves",
    "parallel",
    "slices",
    "surfaces",
    "seeds",
    "front",
    "exploration",
    "timeline",
    "calibration",
)
FIGURES = (*PICKABLE, "importance", "interactions", "rungs", "budget", "published")
ODD = "<img src=x onerror=document.title='broken'></script><b>"

# Where a trial is drawn in a figure, in pixels of the page; and how many marks a figure draws in the colour of the picked one.
PLACE = """([name, trial]) => {
  const plot = document.getElementById("plot-" + name), {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
  const trace = plot.data.find((each) => each.customdata && each.mode === "markers"), i = trace.customdata.indexOf(trial);
  return [box.x + xaxis._offset + xaxis.d2p(trace.x[i]), box.y + yaxis._offset + yaxis.d2p(trace.y[i])];
}"""
HIGHLIGHTED = """(name) => {
  const color = getComputedStyle(document.documentElement).getPropertyValue("--picked").trim();
  const wanted = "rgb(" + [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)).join(", ") + ")";
  const marks = [...document.querySelectorAll(`#plot-${name} .cartesianlayer path`)];
  return marks.filter((mark) => getComputedStyle(mark).stroke === wanted && mark.getTotalLength() > 0).length;
}"""


@pytest.fixture(scope="module")
def browser():
    path = next((found for name in ("chromium", "google-chrome") if (found := shutil.which(name))), None)
    with sync_api.sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("there is no Chromium: apt-get install chromium, or playwright install chromium")
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=path, args=options)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    study = settings()
    folder = written(
        tmp_path_factory.mktemp("studies") / "odd &amp; <b>", study, told(study, running=False), ended=True
    )
    app(["report", str(folder)], standalone_mode=False)
    return folder / "report.html"


class Opened:
    """A page with everything that it complained about and asked for."""

    def __init__(self, browser, url, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        self.page.wait_for_selector("html[data-drawn]", timeout=60_000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def keep(self, name):
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)


def test_every_figure_is_drawn_and_nothing_is_asked_for(browser, report):
    with Opened(browser, report.as_uri()) as opened:
        opened.keep("report-light")
        assert opened.complaints == []
        assert opened.requests == [report.as_uri()]
        for name in FIGURES:
            box = opened.page.locator(f"#plot-{name} svg.main-svg").first.bounding_box()
            assert box["width"] > 200 and box["height"] > 150, name
            assert opened.page.locator(f"#plot-{name} .cartesianlayer").locator("path, image").count() > 3, name
        assert opened.page.locator("figure").count() == len(FIGURES)
        assert opened.page.locator("#missing").is_hidden()
        said = opened.page.locator("#summary").inner_text()
        assert "Handed over: trial" in said and "What is not established" in said


def test_names_from_users_stay_text(browser, report, tmp_path):
    content = json.loads(re.search(r'id="data">(.*?)</script>', report.read_text(), re.DOTALL)[1])
    renamed = json.loads(json.dumps(content).replace("learning_rate", ODD.replace('"', "'")))
    odd = tmp_path / "odd.html"
    odd.write_text(render({**renamed, "title": ODD}))
    with Opened(browser, odd.as_uri()) as opened:
        assert opened.page.title() == ODD and opened.page.locator("h1").inner_text() == ODD
        opened.page.locator("#leaders button").first.click()
        assert ODD in opened.page.locator("#panel").inner_text()
        assert "<img" in opened.page.locator("#plot-parallel").text_content().replace("\u200b", "")
        assert opened.page.locator("img").count() == 0 and opened.complaints == []
        assert "<b>" in opened.page.locator("#about").inner_text()  # of the folder


def test_a_trial_that_is_picked_in_one_figure_shows_in_the_others(browser, report):
    with Opened(browser, report.as_uri(), viewport={"width": 1280, "height": 900}) as opened:
        page = opened.page
        assert not any(page.evaluate(HIGHLIGHTED, name) for name in PICKABLE)
        page.locator("#plot-progress").scroll_into_view_if_needed()
        page.mouse.click(*page.evaluate(PLACE, ["progress", 4]))
        page.wait_for_selector("#panel:not([hidden])")
        assert page.locator("#panel h2").inner_text() == "Trial 4"
        assert "learning_rate" in page.locator("#panel").inner_text()
        for name in PICKABLE:
            assert page.evaluate(HIGHLIGHTED, name) > 0, name
        opened.keep("report-picked")

        page.locator("#plot-front").scroll_into_view_if_needed()
        page.mouse.click(*page.evaluate(PLACE, ["front", 8]))
        assert page.locator("#panel h2").inner_text() == "Trial 8"
        page.keyboard.press("Escape")
        assert page.locator("#panel").is_hidden()
        assert not any(page.evaluate(HIGHLIGHTED, name) for name in PICKABLE)

        first = page.locator("#leaders button").first
        first.focus()
        page.keyboard.press("Enter")
        assert page.locator("#panel h2").inner_text() == f"Trial {first.inner_text()}"


def test_dark_and_light(browser, report):
    def back(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with Opened(browser, report.as_uri(), color_scheme="dark") as opened:
        dark = back(opened.page)
        ink = opened.page.evaluate("document.getElementById('plot-progress')._fullLayout.font.color")
        opened.keep("report-dark")
        opened.page.click("#theme")
        opened.page.wait_for_selector("html[data-theme=light][data-drawn]")
        light = back(opened.page)
        assert opened.page.evaluate("document.getElementById('plot-progress')._fullLayout.font.color") != ink
        opened.page.reload()
        opened.page.wait_for_selector("html[data-theme=light][data-drawn]")
        assert back(opened.page) == light != dark and opened.complaints == []


def test_a_phone_shows_it_without_scrolling_sideways(browser, report):
    with Opened(browser, report.as_uri(), viewport={"width": 360, "height": 740}, has_touch=True) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= 360
        for name in FIGURES:
            box = opened.page.locator(f"#plot-{name} svg.main-svg").first.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 360, name
        opened.keep("report-phone")
        assert opened.complaints == []


def test_a_live_page_grows_and_keeps_what_is_picked(browser, tmp_path):
    study = settings()
    events = told(study, trials=6, tested=0, running=False, diverged=None)
    folder = written(tmp_path / "s", study, events[:-2])
    ticks = itertools.count(step=10)
    serving = server(
        Feed(folder, read(folder), lambda record: without("not asked for"), clock=lambda: float(next(ticks)))
    )
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    try:
        url = "http://{}:{}/".format(*serving.server_address)
        with Opened(browser, url) as opened:
            page = opened.page
            page.locator("#leaders button", has_text="4").click()
            before = page.locator("#about").inner_text()
            written(folder, study, events[-2:])
            page.wait_for_function("(before) => document.getElementById('about').textContent !== before", arg=before)
            assert page.locator("#panel h2").inner_text() == "Trial 4"
            assert page.evaluate(HIGHLIGHTED, "curves") > 0 and page.evaluate(HIGHLIGHTED, "progress") > 0
            assert opened.complaints == [] and all(asked.startswith(url) for asked in opened.requests)
    finally:
        serving.shutdown()
        serving.server_close()


def test_a_lineage_is_drawn_and_the_line_of_who_is_picked(browser, tmp_path):
    study = settings()
    folder = written(tmp_path / "s", study, population())
    app(["report", str(folder)], standalone_mode=False)
    with Opened(browser, (folder / "report.html").as_uri()) as opened:
        assert opened.complaints == [] and opened.page.locator("#plot-lineage svg.main-svg").count() > 0
        opened.page.locator("#leaders button", has_text="3").click()
        assert opened.page.evaluate(HIGHLIGHTED, "lineage") > 0
        drawn = opened.page.evaluate("document.getElementById('plot-lineage').data.at(-1).x.filter((x) => x !== null)")
        assert min(drawn) == 0 and max(drawn) == 1000  # back to who trial 3 descends from
        opened.keep("report-lineage")
