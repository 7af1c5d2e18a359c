"""Draws the pictures of docs/semantics.md: `python docs/images/semantics/make.py`.

A panel is a small run: rows of prices, what the strategy does, and the fills that follow. The same
panels are run through the engine by `python/tests/test_semantics_page.py`, so no picture shows
a fill that the engine does not make. Standard library only. Colours are readable on light and on
dark.
"""

from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

INK, FAINT, BUY, SELL, ENDED = "#737b84", "#8a929a", "#2f7fc4", "#c8741a", "#c64a4a"
STEP, HEIGHT, TOP, LEFT, RIGHT = 58, 150, 46, 14, 62
LINE = 15
FONT = "font-family='system-ui, sans-serif'"


@dataclass
class Level:
    """A price that something waits for, from one row to another."""

    price: float
    label: str
    first: float
    last: float
    colour: str = FAINT


@dataclass
class Mark:
    """Something that happens: a decision (`units` is 0), a fill, or an end without a fill."""

    row: int
    price: float
    where: str  # open, inside, close
    text: str
    units: float = 0.0
    is_end: bool = False


@dataclass
class Panel:
    """One run: rows (open, high, low, close), acts (row, method, arguments), marks, levels."""

    title: str
    rows: list
    acts: list
    marks: list
    levels: list = field(default_factory=list)
    terms: dict = field(default_factory=dict)
    rules: list = field(default_factory=list)
    volumes: list | None = None
    bands: list = field(default_factory=list)  # (row, low, high): what may act on the position
    width: int = 0

    def fills(self):
        return [(m.row, m.units, m.price) for m in self.marks if m.units]


def text(x, y, words, size=11, colour=INK, anchor="start", weight="normal"):
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' "
        f"text-anchor='{anchor}' font-weight='{weight}' {FONT}>{escape(words)}</text>"
    )


def line(x1, y1, x2, y2, colour=INK, width=1.0, dash=""):
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width}'{dashes}/>"
    )


def box(x, y, width, height, stroke=INK, fill="none", opacity=1.0, radius=0):
    return (
        f"<rect x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' rx='{radius}' "
        f"stroke='{stroke}' fill='{fill}' fill-opacity='{opacity}'/>"
    )


def wrapped(words, columns):
    """Lines of at most so many letters."""
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > columns:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def colour_of(mark):
    if mark.is_end:
        return ENDED
    return INK if not mark.units else BUY if mark.units > 0 else SELL


def width_of(panel):
    return max(panel.width, LEFT + STEP * len(panel.rows) + RIGHT, 210)


def captions(panel):
    """(number, mark, lines) of each mark."""
    columns = int((width_of(panel) - 34) / 5.7)
    return [(n, mark, wrapped(mark.text, columns)) for n, mark in enumerate(panel.marks, 1)]


def height_of(panel):
    below = sum(LINE * len(lines) + 3 for _, _, lines in captions(panel))
    return TOP + HEIGHT + 26 + below + 8


def draw(panel, x0):
    """A panel as SVG, its left edge at x0."""
    prices = [p for row in panel.rows for p in row] + [one.price for one in panel.levels]
    low, high = min(prices), max(prices)
    scale = HEIGHT / (high - low)

    def y_of(price):
        return TOP + (high - price) * scale

    def x_of(row):
        return x0 + LEFT + STEP * (row + 0.5)

    out = [text(x0 + 4, 18, panel.title, 12, INK, weight="600")]
    for row, bottom, top in panel.bands:
        out.append(
            box(x_of(row) - 17, y_of(top), 34, y_of(bottom) - y_of(top), "none", BUY, 0.22)
        )
    for one in panel.levels:
        x1, x2 = x_of(one.first) - STEP / 2 + 4, x_of(one.last) + STEP / 2 - 4
        y = y_of(one.price)
        out.append(line(x1, y, x2, y, one.colour, 1.2, "4 3"))
        out.append(text(x2 + 3, y + 3.5, one.label, 10, one.colour))
    for row, (open_, top, bottom, close) in enumerate(panel.rows):
        x = x_of(row)
        out.append(line(x, y_of(top), x, y_of(bottom), INK, 1.4))
        body = max(abs(y_of(open_) - y_of(close)), 1.2)
        shade = 0.45 if close < open_ else 0.0
        out.append(box(x - 8, min(y_of(open_), y_of(close)), 16, body, INK, INK, shade))
        out.append(text(x, TOP + HEIGHT + 18, f"row {row}", 10, FAINT, "middle"))
        if panel.volumes:
            words = f"{panel.volumes[row]:,}"
            out.append(text(x, TOP - 12, words, 9.5, FAINT, "middle"))
    y = TOP + HEIGHT + 40
    shift = {"open": -19, "inside": 0, "close": 19}
    for n, mark, lines in captions(panel):
        colour = colour_of(mark)
        is_plain = not mark.units and not mark.is_end
        for x, centre in ((x_of(mark.row) + shift[mark.where], y_of(mark.price)), (x0 + 13, y - 4)):
            fill = "none" if is_plain else colour
            out.append(
                f"<circle cx='{x:.1f}' cy='{centre:.1f}' r='7.5' stroke='{colour}' "
                f"stroke-width='1.3' fill='{fill}'/>"
            )
            ink = colour if is_plain else "#ffffff"
            out.append(text(x, centre + 3.6, str(n), 10, ink, "middle", "600"))
        for words in lines:
            out.append(text(x0 + 26, y, words, 11))
            y += LINE
        y += 3
    return "\n".join(out)


def svg(width, height, body, title):
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' role='img'>"
    )
    return f"{head}\n<title>{escape(title)}</title>\n{body}\n</svg>\n"


def chart(title, panels):
    """Panels beside each other."""
    x, parts = 6, []
    for panel in panels:
        parts.append(draw(panel, x))
        x += width_of(panel) + 10
    return svg(x, max(height_of(panel) for panel in panels), "\n".join(parts), title)


FLAT = (100, 101, 99, 100)
SENT = "decided at the close: "


def market():
    rows = [(100, 101, 99, 100.5), (101, 103, 100, 102), (102, 103, 101, 102.5)]
    acts = [(0, "buy", {"quantity": 10})]

    def panel(title, mark, **terms):
        sent = Mark(0, 100.5, "close", SENT + "buy 10")
        return Panel(title, rows, acts, [sent, mark], terms=terms)

    return [
        panel("next_open (realistic)", Mark(1, 101, "open", "filled at the next open, 101", 10)),
        panel(
            "next_close",
            Mark(1, 102, "close", "filled at the next close, 102", 10),
            fill_at="next_close",
        ),
        panel(
            "same_close",
            Mark(0, 100.5, "inside", "filled at that very close, 100.5: a price already seen", 10),
            fill_at="same_close",
        ),
    ]


def market_on_close():
    rows = [(100, 101, 99, 100.5), (101, 103, 100, 102), (102, 103, 101, 102.5)]
    sent = Mark(0, 100.5, "close", SENT + "buy 10 on_close")
    done = Mark(1, 102, "close", "filled at the close of the next session, 102", 10)
    acts = [(0, "buy", {"quantity": 10, "on_close": True})]
    return [Panel("market on close", rows, acts, [sent, done])]


def limit():
    acts = [(0, "buy", {"quantity": 10, "limit": 98})]

    def panel(title, row, price, where, words):
        marks = [Mark(0, 100, "close", SENT + "buy 10, limit 98"), Mark(1, price, where, words, 10)]
        return Panel(title, [FLAT, row], acts, marks, [Level(98, "limit 98", 0, 1)])

    return [
        panel("traded through", (100, 100.5, 96.5, 99), 98, "inside", "98, the limit; maker"),
        panel("gap", (96.5, 98.5, 96, 97.5), 96.5, "open", "96.5, the open, is better; taker"),
        panel("touched", (100, 100.5, 98, 99), 98, "inside", "98; carries the flag touch_only"),
    ]


def stop():
    acts = [(0, "buy", {"quantity": 10, "stop": 102})]

    def panel(title, row, price, where, words):
        marks = [Mark(0, 100, "close", SENT + "buy 10, stop 102"), Mark(1, price, where, words, 10)]
        return Panel(title, [FLAT, row], acts, marks, [Level(102, "stop 102", 0, 1)])

    return [
        panel("touched", (100.5, 103, 100, 102.5), 102, "inside", "102, the stop; taker"),
        panel("gap", (103.5, 104.5, 103, 104), 103.5, "open", "103.5, the open: worse, and real"),
    ]


def stop_limit():
    def panel(title, stop_at, limit_at, rows, *marks):
        acts = [(0, "buy", {"quantity": 10, "stop": stop_at, "limit": limit_at})]
        sent = Mark(0, 100, "close", SENT + f"buy 10, stop {stop_at}, limit {limit_at}")
        last = len(rows)
        levels = [
            Level(stop_at, f"stop {stop_at}", 0, last),
            Level(limit_at, f"limit {limit_at}", 0, last, BUY),
        ]
        return Panel(title, [FLAT, *rows], acts, [sent, *marks], levels)

    return [
        panel(
            "limit beyond the stop",
            103,
            104,
            [(101, 104.5, 100.5, 103.5)],
            Mark(1, 103, "inside", "triggered and filled at 103", 10),
        ),
        panel(
            "limit short of it, close below",
            103,
            102,
            [(101, 104, 100.5, 101.5)],
            Mark(1, 102, "inside", "102: the price certainly came back", 10),
        ),
        panel(
            "limit short of it, close above",
            103,
            102,
            [(101, 104, 100.5, 103), (102.5, 103, 101.5, 102)],
            Mark(1, 103, "close", "triggered; whether 102 came later is unknown: it waits"),
            Mark(2, 102, "inside", "filled as a limit order, 102", 10),
        ),
        panel(
            "open beyond both",
            103,
            104,
            [(105, 106, 103.5, 105)],
            Mark(1, 105, "open", "triggered; 105 is beyond the limit"),
            Mark(1, 104, "inside", "filled inside the row, 104", 10),
        ),
    ]


def trailing():
    rows = [FLAT, (100, 104, 99, 103), (103, 110, 102, 108), (108, 109, 104.6, 105)]
    rows.append((105, 106, 102, 103))
    levels = [
        Level(95, "", 1, 1, SELL),
        Level(98.8, "", 2, 2, SELL),
        Level(104.5, "stop 104.5", 3, 4, SELL),
    ]
    marks = [
        Mark(0, 100, "close", SENT + "buy 10; the run has TrailingStop(0.05)"),
        Mark(1, 100, "open", "filled at 100: the water mark is 100, the stop 95", 10),
        Mark(1, 104, "close", "row 1 has ended: its high 104 sets the stop of row 2 to 98.8"),
        Mark(2, 110, "close", "its high 110 sets the stop to 104.5, from row 3 on"),
        Mark(4, 104.5, "inside", "touched: sold at 104.5", -10),
    ]
    acts = [(0, "buy", {"quantity": 10})]
    return [
        Panel("5 % behind the best price of the rows before", rows, acts, marks, levels,
              rules=[("TrailingStop", 0.05)], width=430)
    ]


def bracket():
    rows = [FLAT, (100, 101, 98.5, 99.5), (99, 99.5, 97.5, 99), (99, 101.5, 98.5, 101)]
    terms = {"quantity": 10, "limit": 98, "stop_loss": 96, "take_profit": 101}
    first = Panel(
        "children wait for their parent",
        rows,
        [(0, "buy", terms)],
        [
            Mark(0, 100, "close", SENT + "buy 10, limit 98, stop_loss 96, take_profit 101"),
            Mark(1, 101, "close", "row 1 reaches 101, but the children are held"),
            Mark(2, 98, "inside", "the parent fills at 98: the children are live", 10),
            Mark(3, 101, "inside", "the target fills; the stop is cancelled (oco)", -10),
        ],
        [Level(101, "target", 2, 3, SELL), Level(98, "limit", 0, 2, BUY),
         Level(96, "stop", 2, 3, SELL)],
        width=330,
    )
    gap = Panel(
        "entry gapped through the stop",
        [FLAT, (94, 96, 93, 95)],
        [(0, "buy", {"quantity": 10, "stop_loss": 95})],
        [
            Mark(0, 100, "close", SENT + "buy 10, stop_loss 95"),
            Mark(1, 94, "open", "filled at 94, beyond the stop", 10),
            Mark(1, 94, "inside", "so the stop fires at 94 as well", -10),
        ],
        [Level(95, "stop 95", 0, 1, SELL)],
    )
    return [first, gap]


def both_hit():
    def panel(title, last, price, words, **terms):
        marks = [
            Mark(0, 100, "close", SENT + "buy 10"),
            Mark(1, 100, "open", "100; StopLoss(0.05), TakeProfit(0.1)", 10),
            Mark(2, price, "inside", words, -10),
        ]
        return Panel(
            title, [FLAT, FLAT, last], [(0, "buy", {"quantity": 10})], marks,
            [Level(110, "target 110", 1, 2, SELL), Level(95, "stop 95", 1, 2, SELL)],
            terms=terms, rules=[("StopLoss", 0.05), ("TakeProfit", 0.1)], width=250,
        )

    up, down = (100, 112, 93, 101), (100, 112, 93, 99)
    return [
        panel("stop_first (realistic)", up, 95, "sold at 95, flagged ambiguous"),
        panel("profit_first", up, 110, "sold at 110", both_hit="profit_first"),
        panel("ohlc_path, close below open", down, 110, "high before low: 110",
              both_hit="ohlc_path"),
        panel("nearest_open", down, 95, "95 is nearer to 100 than 110", both_hit="nearest_open"),
    ]


def entry_bar():
    def panel(title, row, terms, entry, levels, band, *ends):
        how, words = title.split(": ")
        marks = [Mark(0, 100, "close", SENT + words), entry, *ends]
        bands = [(1, *band)] if band else []
        return Panel(f"entry {how}", [FLAT, row],
                     [(0, "buy", {"quantity": 10, **terms})], marks, levels, bands=bands, width=232)

    return [
        panel("at the open: buy 10, stop_loss 95", (100, 103, 94, 101), {"stop_loss": 95},
              Mark(1, 100, "open", "entered at 100: the whole row comes later", 10),
              [Level(95, "stop 95", 1, 1, SELL)], (94, 103),
              Mark(1, 95, "inside", "sold at 95", -10)),
        panel("at a limit: buy 10, limit 98, take_profit 102", (100, 103, 97, 101),
              {"limit": 98, "take_profit": 102},
              Mark(1, 98, "inside", "entered at 98: the low comes after, the high maybe not", 10),
              [Level(102, "target 102", 1, 1, SELL)], (97, 101),
              Mark(1, 102, "open", "102 is not certain: the target waits")),
        panel("at a stop: buy 10, stop 102, stop_loss 98", (100, 104, 97, 103),
              {"stop": 102, "stop_loss": 98},
              Mark(1, 102, "inside", "entered at 102: the high comes after, the low may", 10),
              [Level(98, "stop 98", 1, 1, SELL)], (97, 104),
              Mark(1, 98, "open", "sold at 98, ambiguous", -10)),
        panel("at the close: buy 10 on_close, stop_loss 98", (100, 104, 97, 103),
              {"on_close": True, "stop_loss": 98},
              Mark(1, 103, "close", "entered at 103: nothing comes later", 10),
              [Level(98, "stop 98", 1, 1, SELL)], None),
    ]


def groups():
    held = [FLAT, (100, 101, 99, 100), (100, 103.5, 99.5, 103)]
    pair = {"orders": [("sell", {"quantity": 10, "limit": 103}), ("sell", {"quantity": 10,
                                                                           "stop": 97})]}
    oco = Panel(
        "one cancels the other",
        held,
        [(0, "buy", {"quantity": 10}), (1, "oco", pair)],
        [
            Mark(0, 100, "close", SENT + "buy 10"),
            Mark(1, 100, "open", "filled at 100", 10),
            Mark(1, 100, "close", "oco: sell 10 at limit 103, or at stop 97"),
            Mark(2, 103, "inside", "the limit fills", -10),
            Mark(2, 97, "inside", "the stop is cancelled: oco", is_end=True),
        ],
        [Level(103, "limit 103", 2, 2, SELL), Level(97, "stop 97", 2, 2, SELL)],
        width=300,
    )
    rows = [FLAT, (100, 102, 98.5, 99.5), (99.5, 100, 97.5, 99), (99, 101.5, 98.5, 101)]
    after = {"parent": 0, "orders": [("sell", {"quantity": 10, "limit": 101})]}
    oto = Panel(
        "one triggers the other",
        rows,
        [(0, "buy", {"quantity": 10, "limit": 98}), (0, "after", after)],
        [
            Mark(0, 100, "close", SENT + "buy 10 at 98; after it, sell 10 at 101"),
            Mark(1, 101, "close", "101 is traded; the second order is held"),
            Mark(2, 98, "inside", "the first fills: the second is live", 10),
            Mark(3, 101, "inside", "filled", -10),
        ],
        [Level(98, "limit 98", 0, 2, BUY), Level(101, "limit 101", 2, 3, SELL)],
        width=330,
    )
    return [oco, oto]


def participation():
    rows = [(100, 101, 99, 100.5), (101, 103, 100, 102), (102.5, 104, 101, 103), (103, 105, 98, 99)]
    marks = [
        Mark(0, 100.5, "close", SENT + "buy 250; participation 0.1"),
        Mark(1, 101, "open", "100 at 101: a tenth of 1,000", 100),
        Mark(2, 102.5, "open", "100 at 102.5", 100),
        Mark(3, 103, "open", "the last 50 at 103", 50),
    ]
    return [
        Panel("a tenth of each row's volume (above)", rows, [(0, "buy", {"quantity": 250})], marks,
              volumes=[1000] * 4, terms={"participation": 0.1}, width=330)
    ]


def whipsaw():
    rows = [(100, 101, 99, 100.5), (101, 103, 100, 102), (103, 104, 101.5, 102)]
    marks = [
        Mark(0, 100.5, "close", SENT + "buy 10"),
        Mark(1, 101, "open", "filled at 101", 10),
        Mark(1, 102, "close", "the callback of row 1 sees the position and closes it"),
        Mark(2, 103, "open", "filled at 103: one trade, one bar held", -10),
    ]
    acts = [(0, "buy", {"quantity": 10}), (1, "close_position", {})]
    return [Panel("in and out, one row later", rows, acts, marks, width=330)]


def cycle():
    """The phases of a row on one line of time."""
    phases = [
        ("0", "clock", "settlement, borrow,", "interest, expiries"),
        ("1", "before", "flows, funding", "up to now"),
        ("2", "open", "rolls, reduces,", "then opens, at O"),
        ("3", "inside", "opens, then exits", "touched in L..H"),
        ("4", "close", "market on close", "at C"),
        ("5", "mark", "variation, trails,", "limits, margin"),
        ("6", "callback", "on_fill, on_reject,", "then the data"),
        ("7", "seal", "one portfolio", "row"),
    ]
    width, x0, y0 = 112, 10, 54
    out = [text(x0, 20, "One row of prices at time t: what happens, in this order", 13, INK,
                weight="600")]
    for idx, (n, name, first, second) in enumerate(phases):
        x = x0 + idx * (width + 4)
        is_fill, is_yours = n in "234", n == "6"
        colour = BUY if is_fill else SELL if is_yours else INK
        out.append(box(x, y0, width, 62, colour, colour, 0.14 if is_fill or is_yours else 0.0, 5))
        out.append(text(x + 8, y0 + 18, f"{n}  {name}", 12, colour, weight="600"))
        out.append(text(x + 8, y0 + 36, first, 10.5))
        out.append(text(x + 8, y0 + 50, second, 10.5))
    step = width + 4
    out.append(text(x0 + 2 * step, y0 - 8, "fills: prices of row t", 11, BUY))
    out.append(text(x0 + 6 * step, y0 - 8, "your code", 11, SELL))
    x1, x2 = x0 + 6 * step + width / 2, x0 + 2 * step + width / 2
    y = y0 + 96
    out.append(line(x1, y0 + 62, x1, y, SELL, 1.4))
    out.append(line(x1, y, x2, y, SELL, 1.4))
    out.append(line(x2, y, x2, y0 + 68, SELL, 1.4, "3 3"))
    head = f"M {x2 - 5:.1f} {y0 + 73} L {x2:.1f} {y0 + 64} L {x2 + 5:.1f} {y0 + 73} Z"
    out.append(f"<path d='{head}' fill='{SELL}'/>")
    words = "an order sent in the callback of t meets the open of the next row of its symbol, first"
    out.append(text((x1 + x2) / 2, y + 16, words, 11, SELL, "middle"))
    return svg(x0 + len(phases) * step + 6, y0 + 126, "\n".join(out), "The bar cycle")


def time_in_force():
    """How long an order may fill, by its time in force, on three sessions of two rows."""
    x0, y0, cell = 70, 66, 76
    out = [text(10, 20, "A stop sent at the last row of session 1; its level is never reached", 13,
                INK, weight="600")]
    for session in range(3):
        x = x0 + session * 2 * cell
        out.append(box(x, y0 - 30, 2 * cell - 6, 16, FAINT, FAINT, 0.12))
        out.append(text(x + cell - 3, y0 - 18, f"session {session + 1}", 10.5, INK, "middle"))
    for column in range(6):
        out.append(text(x0 + column * cell + cell / 2 - 3, y0 + 2, f"row {column}", 10, FAINT,
                        "middle"))
    lives = [
        ("gtc", 2, 6, "until filled or cancelled", False),
        ("day", 2, 4, "day_end when session 3 begins", True),
        ("gtd", 2, 5, "gtd_passed after its date, row 4", True),
        ("ioc", 2, 3, "ioc_rest after its first row", True),
        ("fok", 2, 3, "fok_unfilled after its first row", True),
    ]
    y = y0 + 14
    out.append(line(x0 + 1.5 * cell, y0 - 8, x0 + 1.5 * cell, y + 5 * 26, INK, 1, "2 3"))
    out.append(text(x0 + 1.5 * cell + 4, y + 5 * 26 + 2, "sent", 10.5))
    for name, first, last, words, ends in lives:
        x1, x2 = x0 + first * cell, x0 + last * cell - 6
        out.append(text(14, y + 14, name, 12, INK, weight="600"))
        out.append(box(x1, y + 3, x2 - x1, 14, BUY, BUY, 0.25, 3))
        if ends:
            out.append(line(x2, y, x2, y + 20, ENDED, 2))
        out.append(text(x2 + 7, y + 14, words, 10.5))
        y += 26
    return svg(x0 + 6 * cell + 190, y + 14, "\n".join(out), "Time in force")


CHARTS = {
    "market": ("A market order", market),
    "market_on_close": ("A market-on-close order", market_on_close),
    "limit": ("A limit order", limit),
    "stop": ("A stop order", stop),
    "stop_limit": ("A stop-limit order", stop_limit),
    "trailing": ("A trailing stop", trailing),
    "bracket": ("A bracket", bracket),
    "both_hit": ("Two levels in one row", both_hit),
    "entry_bar": ("What of the entry row may act", entry_bar),
    "groups": ("Orders that depend on each other", groups),
    "participation": ("A cap on the share of volume", participation),
    "whipsaw": ("In and out within one row", whipsaw),
}
DRAWINGS = {"cycle": cycle, "time_in_force": time_in_force}


def panels():
    """(picture, number, panel) of every panel that is a run."""
    for name, (_, build) in CHARTS.items():
        for idx, panel in enumerate(build()):
            yield name, idx, panel


def main():
    folder = Path(__file__).parent
    for name, (title, build) in CHARTS.items():
        (folder / f"{name}.svg").write_text(chart(title, build()))
    for name, build in DRAWINGS.items():
        (folder / f"{name}.svg").write_text(build())


if __name__ == "__main__":
    main()
