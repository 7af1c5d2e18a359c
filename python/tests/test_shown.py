"""What a terminal and a notebook show of each public object."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import tapeworks as tw
from shown import MARKUP, hostile, objects

# Base of the position rules; its own objects are never made.
ABSTRACT = {"PositionRule"}
CLASSES = {
    name
    for name in tw.__all__
    if isinstance(getattr(tw, name), type) and not issubclass(getattr(tw, name), Exception)
} - ABSTRACT


@pytest.fixture(scope="module")
def shown(tiny, tmp_path_factory):
    return objects(hostile(tiny), tmp_path_factory.mktemp("shown"))


class Balanced(HTMLParser):
    """Tags that are opened and closed in order, and what they carry."""

    def __init__(self):
        super().__init__()
        self.stack, self.tags, self.attributes, self.text = [], set(), [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("br", "path"):
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_objects_when_listed_then_every_public_class_is_there(shown):
    assert set(shown) == CLASSES
    for name, thing in shown.items():
        assert isinstance(thing, getattr(tw, name)), name


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_repr_when_printed_then_a_screen_of_80_columns_and_stable(shown, name):
    thing = shown[name]
    lines = repr(thing).splitlines()
    assert 1 <= len(lines) <= 40 and max(map(len, lines)) <= 80
    assert " at 0x" not in repr(thing) and repr(thing) == repr(thing)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_html_when_shown_then_small_closed_escaped_and_by_itself(shown, name):
    html = shown[name]._repr_html_()
    page = Balanced()
    page.feed(html)
    assert page.stack == [] and len(html) < 100_000
    assert not page.tags & {"script", "link", "img", "iframe", "object", "style"}
    names = {key for key, _ in page.attributes}
    assert not any(key.startswith("on") for key in names) and not names & {"src", "href"}
    assert "http" not in html and "url(" not in html and "<script" not in html
    # Colours come from the page, so that both a light and a dark one can be read.
    styles = ";".join(value for key, value in page.attributes if key == "style")
    colours = re.findall(r"(?:^|[;\s])(color|background)(?:-color)?:([^;]+)", styles)
    assert all(value.strip() == "none" for _, value in colours)
    assert page.text.strip()


def test_markup_when_it_is_a_name_then_it_reads_as_text(shown):
    for name in ("Result", "Strategy", "Fill", "Position", "Rejection", "Table", "Order", "Limit"):
        page = Balanced()
        page.feed(shown[name]._repr_html_())
        assert "<script>alert" in page.text.replace("\n", ""), name
    assert MARKUP.replace("<", "&lt;").replace(">", "&gt;") in shown["Fill"]._repr_html_()


def test_result_when_shown_then_the_figures_with_their_conventions(shown):
    for text in (repr(shown["Result"]), shown["Result"]._repr_html_()):
        for part in ("total_return", "cagr", "sharpe", "max_drawdown", "n_trades", "commissions"):
            assert part in text, part
        assert "rf 0, ddof 1" in text and "fills realistic" in text
        assert re.search(r"\d rejected \(\w+", text)


def test_curve_when_the_run_is_long_then_its_extremes_are_drawn():
    result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="5d"))
    html = result._repr_html_()
    line = re.findall(r'd="(M[^"Z]+)"', html)[-1]
    heights = [float(point.split(" ")[1]) for point in re.split("[ML]", line)[1:]]
    # 2 from the edges of 96: the highest and the lowest equity of 3,270.
    assert (min(heights), max(heights)) == (2.0, 94.0)
    assert len(heights) < 400 and len(html) < 20_000


def test_text_when_it_is_longer_than_a_screen_then_it_is_counted():
    strategy = tw.Strategy(**{f"parameter_{i:03}": "x" * 60 for i in range(60)})
    lines = repr(strategy).splitlines()
    assert len(lines) == 40 and re.fullmatch(r"\.\.\. \d+ lines more", lines[-1])
    assert max(map(len, lines)) <= 80
