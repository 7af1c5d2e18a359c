"""The engine, as Python sees it. Times are tz-aware UTC; missing values are NaN."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from os import PathLike
from typing import Any, Literal, Protocol, SupportsFloat, final, overload

import numpy as np
import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]
import polars as pl  # type: ignore[import-not-found, unused-ignore]
import pyarrow as pa  # type: ignore[import-untyped, import-not-found, unused-ignore]
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Self

from tapeworks._handover import Alphalens, Ml4t, Pyfolio
from tapeworks._metric import Metric
from tapeworks._reasons import Reasons

__version__: str

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _HasSchedule(Protocol):
    @property
    def schedule(self) -> Any: ...

_Path = str | PathLike[str]
_Source = _Path | _ArrowStream | pl.LazyFrame | pd.DataFrame
_Step = str | timedelta
_Time = str | date | datetime | np.datetime64
_PositionRules = PositionRule | Sequence[PositionRule]
_Tif = Literal["gtc", "day", "ioc", "fok", "gtd"]
_AccountName = Literal["cash", "margin", "crypto", "futures"]
_Action = Literal["warn", "liquidate", "halt", "stop"] | tuple[Literal["reduce"], float]
_Adjustment = Literal["none", "split", "total", "stated"]
_Semantics = str | Mapping[str, str | bool | float]
_Calendar = Calendar | _Path | _ArrowStream | _HasSchedule

class Error(Exception):
    """Base of every error that tapeworks raises; `.code` is stable, `.hint` says how to go on."""

    code: str | None
    hint: str | None

class DataError(Error):
    """Input data breaks a rule."""

class LookAheadError(Error):
    """A value would have been used before it was available."""

class ConfigError(Error):
    """A configuration or an argument is wrong."""

class OrderError(Error):
    """An order that can never be valid."""

class StrategyError(Error):
    """The strategy failed; `__cause__` is its own exception, the message has time and symbol."""

class OutputError(Error):
    """A result could not be written."""

class ResourceError(Error):
    """A cap on memory or files was reached."""

@final
class Table:
    """An immutable table of rows; an Arrow stream that any library which speaks Arrow takes.

    >>> import tapeworks as tw
    >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), cash=100_000)
    >>> result.fills.to_numpy("symbol").tolist()
    ['AAPL', 'IBM', 'MSFT']
    >>> result.fills.to_polars().columns == result.fills.columns
    True
    """

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def to_polars(self) -> pl.DataFrame:
        """The rows as a `polars.DataFrame`."""
    def to_pandas(self) -> pd.DataFrame:
        """The rows as a `pandas.DataFrame`."""
    def to_arrow(self) -> pa.Table:  # pyright: ignore[reportUnknownMemberType]
        """The rows as a `pyarrow.Table`."""
    def to_numpy(self, column: str) -> NDArray[Any]:
        """One column: `float64`, `datetime64[ns]` (UTC; dates as midnights), or objects for text.

        Nulls of a number column become NaN.
        """
    def write_parquet(self, path: _Path) -> None:
        """Writes the rows as a Parquet file (zstd), whole or not at all."""
    def _repr_html_(self) -> str: ...

@final
class CheckReport:
    """What checking a table found: a verdict, findings with their first rows, and repairs.

    >>> import tapeworks as tw
    >>> report = tw.sample("daily").check()
    >>> bool(report), report.n_symbols
    (True, 5)
    >>> [finding["code"] for finding in report.findings]
    ['D207', 'D303', 'D303', 'D303']
    """

    @property
    def ok(self) -> bool:
        """Whether no error was found."""
    @property
    def verdict(self) -> str:
        """The verdict on one line."""
    @property
    def n_rows(self) -> int:
        """Rows read."""
    @property
    def n_symbols(self) -> int:
        """Symbols of the table."""
    @property
    def span(self) -> tuple[str, str] | None:
        """The first and the last timestamp as text, `None` without rows."""
    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings, errors first: code, severity, column, message, count, offenders, fix."""
    @property
    def repairs(self) -> list[str]:
        """What was changed on the way in, a sentence each."""
    def to_dict(self) -> dict[str, Any]:
        """The whole report as plain values."""
    def __bool__(self) -> bool: ...
    def _repr_html_(self) -> str: ...

@final
class BarsMetadata:
    """What bars are, computed from their rows."""

    @property
    def symbols(self) -> list[str]:
        """The symbols that have rows, ascending."""
    @property
    def start(self) -> datetime | None:
        """The least start time, the first timestamp where starts are not known; UTC."""
    @property
    def end(self) -> datetime | None:
        """The last timestamp, UTC; `None` without rows."""
    @property
    def n_rows(self) -> int:
        """Rows."""
    @property
    def freq(self) -> str | None:
        """Usual distance between the bars of a symbol ("5m", "1d"), "event" or "mixed"."""
    @property
    def tz(self) -> str:
        """The zone of dates, an IANA name."""
    @property
    def calendar(self) -> str | None:
        """The name of the calendar."""
    @property
    def adjustment(self) -> _Adjustment | None:
        """What the prices are said to be."""
    def to_dict(self) -> dict[str, Any]:
        """All of it by name."""
    def _repr_html_(self) -> str: ...

@final
class Bars:
    """Bars of one or many symbols in long form, sorted by (timestamp, symbol).

    They never change: slices, numpy arrays and Arrow streams share their memory. Times are the
    instants at which bars are known; a missing value is null in frames and NaN in numpy.

    >>> import datetime as dt
    >>> import polars as pl
    >>> import tapeworks as tw
    >>> zone = dt.timezone.utc
    >>> minutes = [dt.datetime(2024, 3, 8, 14, m, tzinfo=zone) for m in (31, 32, 33)]
    >>> prices = {name: [10.0, 11.0, 12.0] for name in ("open", "high", "low", "close")}
    >>> bars = tw.Bars.from_frame(pl.DataFrame({"timestamp": minutes} | prices), symbol="A")
    >>> len(bars), bars.metadata.freq, bars.columns
    (3, '1m', ['timestamp', 'symbol', 'open', 'high', 'low', 'close'])
    >>> bars.slice("2024-03-08 14:32").to_numpy("close").tolist()
    [11.0, 12.0]
    """

    @staticmethod
    def from_frame(
        df: _ArrowStream | pl.LazyFrame,
        *,
        symbol: str | None = None,
        tz: str | None = None,
        label: Literal["end", "start", "session"] | None = None,
        calendar: _Calendar | None = None,
        adjustment: _Adjustment | None = None,
        check: Literal["fast", "standard", "paranoid"] = "standard",
    ) -> Bars:
        """A frame as bars; `symbol` is that of a frame that has no column of them."""
    @property
    def metadata(self) -> BarsMetadata:
        """What the bars are, computed from their rows."""
    @property
    def symbols(self) -> list[str]:
        """The symbols that have rows, ascending."""
    @property
    def columns(self) -> list[str]:
        """`timestamp`, `start_time` where it is known, `symbol`, then values."""
    @property
    def timestamps(self) -> NDArray[np.datetime64]:
        """The distinct timestamps, ascending, as `datetime64[ns]` (UTC)."""
    @property
    def report(self) -> CheckReport | None:
        """What reading them found and repaired; `None` for bars that the engine made."""
    def __len__(self) -> int: ...
    def __getitem__(self, key: Sequence[str], /) -> Bars:
        """The bars with these columns of values; nothing is copied."""
    def slice(
        self,
        start: _Time | None = None,
        end: _Time | None = None,
        symbols: str | Sequence[str] | None = None,
    ) -> Bars:
        """The rows with `start <= timestamp < end` of these symbols; shared where they can be."""
    def resample(self, every: str | timedelta) -> Bars:
        """Bars of a coarser step ("5m", "1d", "1w", "1mo"); by sessions with a calendar."""
    def check(self, level: Literal["fast", "standard", "paranoid"] = "standard") -> CheckReport:
        """Checks the rows; those that break rules are findings, not an exception."""
    def info(self) -> Table:
        """A row a symbol: n_rows, start, end, freq, n_missing, low, high, volume."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def to_polars(self) -> pl.DataFrame:
        """The rows as a `polars.DataFrame`; times and numbers share the memory of the bars."""
    def to_pandas(self) -> pd.DataFrame:
        """The rows as a `pandas.DataFrame` with columns timestamp and symbol."""
    def to_arrow(self) -> pa.Table:  # pyright: ignore[reportUnknownMemberType]
        """The rows as a `pyarrow.Table`; times and numbers share the memory of the bars."""
    def to_numpy(self, column: str | None = None) -> NDArray[Any]:
        """A column without copying it; without a name all values, of shape (rows, columns)."""
    def to_csv(self, path: _Path) -> None:
        """Writes a CSV file, whole or not at all."""
    def to_parquet(self, path: _Path) -> None:
        """Writes a Parquet file (zstd), whole or not at all; `tw.read_bars` reads the same bars."""
    @property
    def df(self) -> pd.DataFrame:
        """`pandas.DataFrame` with times as its index, made on first use and kept.

        A `DatetimeIndex` in the bars' zone for one symbol, else a `MultiIndex` (timestamp, symbol).
        """
    @property
    def pandas_df(self) -> pd.DataFrame:
        """`df` by the name that Lumibot gives it."""
    @property
    def polars_df(self) -> pl.DataFrame:
        """`to_polars()`, made on first use and kept."""
    def _repr_html_(self) -> str: ...

@final
class MarketEvent:
    """One row of the market: a symbol at the instant its bar became known.

    >>> import tapeworks as tw
    >>> event = next(iter(tw.sample("daily")))
    >>> event
    MarketEvent(2000-03-01 AAPL, open=3.8092, high=4.2429, low=3.8072, close=4.1867,
        volume=299301389)
    >>> event["close"] == event.close == event.data["close"]
    True
    >>> event.context
    {'vix': 21.64}
    """

    @property
    def timestamp(self) -> datetime:
        """When the row became known, UTC."""
    @property
    def timestamp_ns(self) -> int:
        """When the row became known, in nanoseconds since 1970 UTC."""
    @property
    def symbol(self) -> str:
        """The symbol."""
    @property
    def open(self) -> float:
        """First price of the bar."""
    @property
    def high(self) -> float:
        """Highest price of the bar."""
    @property
    def low(self) -> float:
        """Lowest price of the bar."""
    @property
    def close(self) -> float:
        """Last price of the bar."""
    @property
    def volume(self) -> float:
        """Units traded, NaN where unknown."""
    @property
    def data(self) -> dict[str, float]:
        """Prices and volume by name."""
    @property
    def signals(self) -> dict[str, float]:
        """Signals of the row by name."""
    @property
    def indicators(self) -> dict[str, float]:
        """Indicators of the row by name."""
    @property
    def context(self) -> dict[str, float]:
        """Context of the timestamp by name."""
    def __getitem__(self, name: str, /) -> float:
        """One value by column name: a price, a signal or an indicator, without building a dict."""
    def _repr_html_(self) -> str: ...

@final
class Columns:
    """One family of columns of a batch, by name.

    >>> import tapeworks as tw
    >>> batch = next(tw.sample("daily").iter_batches())
    >>> list(batch.signals), batch.signals["score"].size
    (['score'], 3)
    """

    def __getitem__(self, name: str, /) -> NDArray[np.float64]: ...
    def __contains__(self, name: str, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def keys(self) -> list[str]:
        """The names."""
    def _repr_html_(self) -> str: ...

@final
class Batch:
    """All rows of one timestamp. Columns are read-only numpy views, in the order of `symbols`.

    >>> import tapeworks as tw
    >>> batch = next(tw.sample("daily").iter_batches())
    >>> batch.symbols
    ['AAPL', 'IBM', 'MSFT']
    >>> batch["close"].round(2)
    array([ 4.19, 73.67, 30.23])
    >>> batch.index("IBM")
    1
    """

    @property
    def timestamp(self) -> datetime:
        """When these rows became known, UTC."""
    @property
    def timestamp_ns(self) -> int:
        """When these rows became known, in nanoseconds since 1970 UTC."""
    @property
    def symbols(self) -> list[str]:
        """The symbols of the rows, ascending."""
    @property
    def ids(self) -> NDArray[np.uint32]:
        """Each row's position in `feed.symbols`, for arrays over all symbols."""
    @property
    def columns(self) -> list[str]:
        """Names of the columns: prices, signals, indicators."""
    @property
    def signals(self) -> Columns:
        """The signal columns by name."""
    @property
    def indicators(self) -> Columns:
        """The indicator columns by name."""
    @property
    def context(self) -> dict[str, float]:
        """Context of the timestamp by name."""
    def index(self, symbol: str) -> int:
        """The row of a symbol; `KeyError` when it has none at this timestamp."""
    def __getitem__(self, name: str, /) -> NDArray[np.float64]: ...
    def __contains__(self, column: str, /) -> bool: ...
    def __len__(self) -> int: ...
    def to_table(self) -> Table:
        """The rows as a table: timestamp, symbol and every column."""
    def to_polars(self) -> pl.DataFrame:
        """The rows as a polars frame."""
    def _repr_html_(self) -> str: ...

@final
class Targets:
    """The holdings wanted, one number a row of the batch; see `targets`."""
    def _repr_html_(self) -> str: ...

@final
class Orders:
    """Orders at rows of the batch; see `orders`."""
    def _repr_html_(self) -> str: ...

def targets(
    *,
    weights: ArrayLike | None = None,
    quantities: ArrayLike | None = None,
    values: ArrayLike | None = None,
) -> Targets:
    """The holdings wanted after this timestamp, aligned with `batch.symbols`; NaN leaves as is.

    >>> import tapeworks as tw
    >>> class Equal(tw.Strategy):
    ...     def on_timestamp_batch(self, timestamp, batch, context):
    ...         return tw.targets(weights=[1 / len(batch)] * len(batch))
    ...
    >>> len(tw.run(tw.sample("daily"), Equal()).fills)
    11374
    """

def orders(
    index: ArrayLike,
    quantity: ArrayLike,
    *,
    limit: ArrayLike | None = None,
    stop: ArrayLike | None = None,
    trail: ArrayLike | None = None,
    trail_percent: ArrayLike | None = None,
    tif: _Tif = "gtc",
    good_till: _Time | None = None,
    tag: str | None = None,
) -> Orders:
    """Orders for many symbols: `index` are row numbers of the batch, `quantity` signed units.

    All numbers are arrays as long as `index`, or one for all; NaN is "none". A row with limit and
    stop is a stop-limit order; `trail` is currency, `trail_percent` a fraction (0.05 is 5 %).

    >>> import tapeworks as tw
    >>> class BuyTheFirst(tw.Strategy):
    ...     def on_timestamp_batch(self, timestamp, batch, context):
    ...         if not self.positions and not self.open_orders():
    ...             return tw.orders([0], [10.0], tag="first")
    ...
    >>> tw.run(tw.sample("daily"), BuyTheFirst()).reasons()["filled"]
    1
    """

@final
class Position:
    """A position as it stands at this timestamp."""

    @property
    def symbol(self) -> str:
        """The symbol."""
    @property
    def quantity(self) -> float:
        """Units held; negative when short."""
    @property
    def entry_price(self) -> float:
        """Average price of the units held."""
    @property
    def mark(self) -> float:
        """Last price."""
    @property
    def value(self) -> float:
        """Quantity times mark, in currency."""
    @property
    def unrealised(self) -> float:
        """Profit or loss not yet taken, in currency, before exit costs."""
    @property
    def entry_timestamp(self) -> datetime:
        """When the position was opened, UTC."""
    @property
    def entry_timestamp_ns(self) -> int:
        """When the position was opened, in nanoseconds since 1970 UTC."""
    @property
    def bars_held(self) -> int:
        """Rows of the symbol since the entry row."""
    @property
    def side(self) -> Literal["long", "short"]:
        """The direction."""
    def _repr_html_(self) -> str: ...

@final
class Fill:
    """One execution, as `on_fill` sees it."""

    @property
    def symbol(self) -> str:
        """The symbol."""
    @property
    def side(self) -> Literal["buy", "sell"]:
        """The direction."""
    @property
    def quantity(self) -> float:
        """Units, always positive."""
    @property
    def signed_quantity(self) -> float:
        """Units with the sign of the side."""
    @property
    def price(self) -> float:
        """Price paid or received per unit."""
    @property
    def base_price(self) -> float:
        """Price before slippage."""
    @property
    def commission(self) -> float:
        """Fee in currency."""
    @property
    def order_id(self) -> int:
        """Id of the order."""
    @property
    def phase(self) -> Literal["open", "inside"]:
        """At the open of the bar, or inside its range."""
    @property
    def reason(self) -> str:
        """`"signal"`, or the position rule that closed the position."""
    @property
    def timestamp(self) -> datetime:
        """When, UTC."""
    @property
    def timestamp_ns(self) -> int:
        """When, in nanoseconds since 1970 UTC."""
    def _repr_html_(self) -> str: ...

@final
class Rejection:
    """One refused order, as `on_reject` sees it."""

    @property
    def symbol(self) -> str:
        """The symbol."""
    @property
    def order_id(self) -> int:
        """Id of the order."""
    @property
    def code(self) -> str:
        """Why, as a stable word: `"insufficient_cash"`, `"quantity_zero"`, ..."""
    @property
    def side(self) -> Literal["buy", "sell"]:
        """The direction."""
    @property
    def quantity(self) -> float:
        """Units asked for, always positive."""
    @property
    def need(self) -> float:
        """What was needed (currency or units, by code); NaN when not a quantity."""
    @property
    def have(self) -> float:
        """What there was; NaN when not a quantity."""
    @property
    def timestamp(self) -> datetime:
        """When, UTC."""
    @property
    def timestamp_ns(self) -> int:
        """When, in nanoseconds since 1970 UTC."""
    def _repr_html_(self) -> str: ...

@final
class Order:
    """An order that is not sent yet: for `self.submit`, `self.oco` and `self.after`.

    >>> import tapeworks as tw
    >>> tw.Order.buy("AAPL", 10, limit=99.5, tif="day")
    Order.buy('AAPL', 10, limit=99.5, tif='day')
    """

    @staticmethod
    def buy(
        symbol: str,
        quantity: float | None = None,
        percent: float | None = None,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        *,
        trail: float | None = None,
        trail_percent: float | None = None,
        stop_loss: float | StopLoss | TrailingStop | None = None,
        take_profit: float | TakeProfit | None = None,
        tif: _Tif = "gtc",
        good_till: _Time | None = None,
        on_close: bool = False,
        reduce_only: bool = False,
        trail_limit: float | None = None,
        activate: float | None = None,
        tag: str | None = None,
    ) -> Order:
        """An order to buy, with the arguments of `Strategy.buy`."""
    @staticmethod
    def sell(
        symbol: str,
        quantity: float | None = None,
        percent: float | None = None,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        *,
        trail: float | None = None,
        trail_percent: float | None = None,
        stop_loss: float | StopLoss | TrailingStop | None = None,
        take_profit: float | TakeProfit | None = None,
        tif: _Tif = "gtc",
        good_till: _Time | None = None,
        on_close: bool = False,
        reduce_only: bool = False,
        trail_limit: float | None = None,
        activate: float | None = None,
        tag: str | None = None,
    ) -> Order:
        """An order to sell, with the arguments of `Strategy.sell`."""
    @property
    def symbol(self) -> str:
        """The symbol."""
    def _repr_html_(self) -> str: ...

@final
class Commission:
    """What a broker charges for a fill, in account currency.

    Value is quantity times price times multiplier. `minimum` is the least fee and `maximum` the
    largest one as a fraction of the value, of each order or, with `scope="fill"`, of each fill.

    >>> import tapeworks as tw
    >>> tw.Commission.per_share(0.005, 1.0)
    Commission.per_share(0.005, minimum=1)
    >>> tw.Commission.combined(tw.Commission.percent(2), tw.Commission.sell_levy(10))
    Commission.combined(Commission.percent(bps=2, minimum=0),
        Commission.sell_levy(bps=10))
    >>> tw.Commission.custom(lambda value, side: 0.001 * value if side == "sell" else 0.0)
    Commission.custom(<lambda>)
    """

    @staticmethod
    def none() -> Commission:
        """No fee."""
    @staticmethod
    def percent(
        bps: float,
        *,
        minimum: float = 0.0,
        maximum: float | None = None,
        scope: Literal["order", "fill"] = "order",
    ) -> Commission:
        """A share of the traded value in basis points (1 bps = 0.01 %)."""
    @staticmethod
    def per_share(
        rate: float,
        minimum: float = 0.0,
        *,
        maximum: float | None = None,
        scope: Literal["order", "fill"] = "order",
    ) -> Commission:
        """`rate` a unit: a share, a contract, a coin."""
    @staticmethod
    def per_fill(amount: float) -> Commission:
        """The same amount for every fill."""
    @staticmethod
    def per_trade(amount: float) -> Commission:
        """The same amount for every order, charged with its first fill."""
    @staticmethod
    def tiered(
        tiers: Sequence[tuple[float | None, float]],
        *,
        rate: Literal["bps", "per_share"] = "bps",
        by: Literal["fill", "month"] = "fill",
        marginal: bool = True,
    ) -> Commission:
        """Rates by what is traded: `(up_to, rate)` by rising `up_to`, the last one `None`."""
    @staticmethod
    def maker_taker(maker_bps: float, taker_bps: float) -> Commission:
        """`maker_bps` for limit orders touched in the book, `taker_bps` for all other fills."""
    @staticmethod
    def sell_levy(bps: float) -> Commission:
        """A share of the value sold in basis points: a stamp duty, an exchange levy."""
    @staticmethod
    def combined(*parts: Commission) -> Commission:
        """The sum of several."""
    @staticmethod
    def custom(function: Callable[..., float]) -> Commission:
        """A function of your own that gives the fee of a fill, called with the keywords it names.

        There are `quantity`, `price`, `multiplier`, `value`, `side` ("buy" or "sell"), `maker`,
        `order_quantity`, `order_value`, `order_fees` and the same of the month: `month_quantity`,
        `month_value`, `month_fees`.
        """
    def _repr_html_(self) -> str: ...

@final
class Slippage:
    """How much worse than its reference price a fill that takes liquidity is, against the order.

    >>> import tapeworks as tw
    >>> tw.Slippage.percent(bps=5)
    Slippage.percent(bps=5)
    >>> tw.Slippage.volatility(50, window=20)
    Slippage.volatility(50, window=20)
    """

    @staticmethod
    def none() -> Slippage:
        """No slippage."""
    @staticmethod
    def percent(bps: float) -> Slippage:
        """A share of the price in basis points."""
    @staticmethod
    def fixed(amount: float) -> Slippage:
        """The same amount of currency for every unit."""
    @staticmethod
    def ticks(n: float) -> Slippage:
        """So many price steps of the instrument; every instrument then needs a `tick`."""
    @staticmethod
    def spread(amount: float, *, half: bool = False) -> Slippage:
        """Half of a bid-ask spread in currency; the `spread` of an instrument comes first."""
    @staticmethod
    def spread_bps(bps: float) -> Slippage:
        """Half of a bid-ask spread of `bps` basis points of the price."""
    @staticmethod
    def quote(bid: str = "bid", ask: str = "ask", *, fallback: Slippage | None = None) -> Slippage:
        """Market orders buy at the ask and sell at the bid of the row, two columns of the data."""
    @staticmethod
    def volume_share(coefficient: float) -> Slippage:
        """`price * coefficient * quantity / volume`."""
    @staticmethod
    def volume_share_sq(coefficient: float) -> Slippage:
        """`price * coefficient * (filled in this row / volume) ** 2`."""
    @staticmethod
    def volatility(eta_bps: float, *, window: int = 20) -> Slippage:
        """`price * eta_bps / 10000 * sigma * sqrt(quantity / adv)` of the `window` rows before."""
    @staticmethod
    def custom(
        function: Callable[..., float], *, needs_volume: bool = False, past_rows: int = 0
    ) -> Slippage:
        """A function of your own that gives currency a unit, called with the keywords it names.

        There are `quantity`, `price`, `side` ("buy" or "sell"), `volume`, `used`, `tick`, `spread`,
        `asset`, and with `past_rows=n` the yearly volatility `sigma` and the mean volume `adv`.
        """
    def _repr_html_(self) -> str: ...

@final
class Impact:
    """How far an order that takes liquidity moves the price against itself, before slippage.

    >>> import tapeworks as tw
    >>> tw.Impact.sqrt(0.5, sigma=0.02)
    Impact.sqrt(0.5, sigma=0.02, volume_share=1)
    """

    @staticmethod
    def none() -> Impact:
        """No impact."""
    @staticmethod
    def linear(coefficient: float) -> Impact:
        """`price * coefficient * quantity / volume`."""
    @staticmethod
    def sqrt(
        coefficient: float = 0.5, *, sigma: float = 0.02, volume_share: float = 1.0
    ) -> Impact:
        """`price * coefficient * sigma * sqrt(quantity / (volume * volume_share))`."""
    @staticmethod
    def power(coefficient: float, exponent: float, *, minimum: float = 0.0) -> Impact:
        """`price * coefficient * (quantity / volume) ** exponent`, at least `minimum` a unit."""
    @staticmethod
    def custom(
        function: Callable[..., float], *, needs_volume: bool = True, past_rows: int = 0
    ) -> Impact:
        """A function of your own that gives currency a unit, as in `Slippage.custom`."""
    def _repr_html_(self) -> str: ...

@final
class Participation:
    """The largest share of the traded volume that orders may take; the rest waits.

    >>> import tapeworks as tw
    >>> tw.Participation(0.1, basis="adv", window=20)
    Participation(0.1, basis='adv', window=20, scope='symbol')
    """

    def __new__(
        cls,
        max_share: float,
        *,
        basis: Literal["bar", "previous_bar", "adv"] = "bar",
        window: int | None = None,
        scope: Literal["symbol", "order"] = "symbol",
    ) -> Self: ...
    def _repr_html_(self) -> str: ...

@final
class Account:
    """What may be held and borrowed; margins are fractions of value, rates fractions a year.

    >>> import tapeworks as tw
    >>> tw.Account.margin(initial=0.5, maintenance=0.25, borrow_rate=0.02)
    Account.margin(maintenance_short=0.25, borrow_rate=0.02)
    >>> tw.Account.cash().kind
    'cash'
    """

    def __new__(cls, *args: object, **unknown: object) -> Self: ...
    @staticmethod
    def cash(
        *,
        cash_buffer: float = 0.0,
        settlement_days: int = 0,
        credit_rate: float = 0.0,
        price_band: float | None = None,
        day_count: Literal[252, 360, 365] = 360,
    ) -> Account:
        """Pays for everything it holds; no short positions."""
    @staticmethod
    def crypto(
        *,
        cash_buffer: float = 0.0,
        credit_rate: float = 0.0,
        price_band: float | None = None,
        day_count: Literal[252, 360, 365] = 360,
    ) -> Account:
        """A spot account around the clock: pays for everything it holds; no short positions."""
    @staticmethod
    def margin(
        *,
        initial: float = 0.5,
        maintenance: float | None = None,
        maintenance_long: float | None = None,
        maintenance_short: float | None = None,
        margin_call: Literal["liquidate", "record", "stop", "ignore"] = "liquidate",
        cash_buffer: float = 0.0,
        settlement_days: int = 0,
        borrow_rate: float = 0.0,
        credit_rate: float = 0.0,
        debit_rate: float = 0.0,
        price_band: float | None = None,
        day_count: Literal[252, 360, 365] = 360,
    ) -> Account:
        """Borrows against what it holds; short positions allowed."""
    @staticmethod
    def futures(
        *,
        initial: float = 0.5,
        maintenance: float | None = None,
        margin_call: Literal["liquidate", "record", "stop", "ignore"] = "liquidate",
        cash_buffer: float = 0.0,
        credit_rate: float = 0.0,
        debit_rate: float = 0.0,
        price_band: float | None = None,
        day_count: Literal[252, 360, 365] = 360,
    ) -> Account:
        """Holds contracts against margin; gains are settled in cash each row."""
    @property
    def kind(self) -> _AccountName:
        """The kind of account."""
    def _repr_html_(self) -> str: ...

@final
class Instrument:
    """What is particular to an instrument; the default is a share of stock without particulars.

    >>> import tapeworks as tw
    >>> tw.Instrument(multiplier=50.0, tick=0.25, future=True, margin=12_000.0)
    Instrument(multiplier=50, tick=0.25, margin=12000, future=True)
    """

    def __new__(
        cls,
        *,
        lot: float | None = None,
        tick: float | None = None,
        multiplier: float = 1.0,
        min_notional: float = 0.0,
        max_quantity: float | None = None,
        shortable: bool = True,
        future: bool = False,
        has_volume: bool = True,
        negative_prices: bool = False,
        margin: float | None = None,
        margin_rate: float | None = None,
        maintenance: float | None = None,
        maintenance_rate: float | None = None,
        borrow_rate: float | None = None,
        spread: float | None = None,
    ) -> Self: ...
    def _repr_html_(self) -> str: ...

class PositionRule:
    """A rule that watches a position and closes it without the strategy's help.

    >>> import tapeworks as tw
    >>> rules = [tw.StopLoss(0.05), tw.TakeProfit(0.1), tw.TrailingStop(amount=2.5)]
    >>> tw.AnyOf(*rules)
    AnyOf(StopLoss(0.05), TakeProfit(0.1), TrailingStop(amount=2.5))
    >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), rules=rules)
    >>> sorted(set(result.trades.to_numpy("exit_reason")))
    ['stop_loss', 'trailing']
    """

    def _repr_html_(self) -> str: ...

@final
class StopLoss(PositionRule):
    """Closes a position when the price is this fraction worse than its entry price."""

    def __new__(cls, fraction: float) -> Self: ...
    @property
    def fraction(self) -> float:
        """Distance as a fraction of the price."""

@final
class TakeProfit(PositionRule):
    """Closes a position when the price is this fraction better than its entry price."""

    def __new__(cls, fraction: float) -> Self: ...
    @property
    def fraction(self) -> float:
        """Distance as a fraction of the price."""

@final
class TrailingStop(PositionRule):
    """Closes a position at this fraction, or `amount` of currency, worse than the best price."""

    def __new__(cls, fraction: float | None = None, *, amount: float | None = None) -> Self: ...
    @property
    def fraction(self) -> float | None:
        """Distance as a fraction of the price; `None` when it is an amount."""
    @property
    def amount(self) -> float | None:
        """Distance in currency; `None` when it is a fraction."""

@final
class TighteningTrail(PositionRule):
    """A trailing stop whose distance depends on the gain at the last close: `(gain, distance)`."""

    def __new__(cls, steps: Sequence[tuple[float, float]]) -> Self: ...

@final
class VolatilityStop(PositionRule):
    """Closes a position `multiple` times a column, as of the entry, below its entry price."""

    def __new__(cls, multiple: float, column: str) -> Self: ...

@final
class VolatilityTrail(PositionRule):
    """Closes a position `multiple` times a column below the best price since the entry."""

    def __new__(cls, multiple: float, column: str) -> Self: ...

@final
class ScaledExit(PositionRule):
    """Closes parts of a position at gains: `(gain, fraction)` by rising gain."""

    def __new__(
        cls,
        steps: Sequence[tuple[float, float]],
        *,
        of: Literal["initial", "remaining"] = "initial",
    ) -> Self: ...

@final
class TimeExit(PositionRule):
    """Closes a position at the next open once it was held for `bars` rows of its symbol."""

    def __new__(cls, bars: int) -> Self: ...

@final
class SignalExit(PositionRule):
    """Closes a position at the next open once a column says against it by `threshold`."""

    def __new__(cls, column: str, threshold: float = 0.0) -> Self: ...

@final
class AnyOf(PositionRule):
    """All of the rules are armed; whichever the price reaches first closes."""

    def __new__(cls, *rules: PositionRule | Sequence[PositionRule]) -> Self: ...

@final
class AllOf(PositionRule):
    """Closes a position at the next open once all of the rules hold at a close."""

    def __new__(cls, *rules: PositionRule | Sequence[PositionRule]) -> Self: ...

@final
class Limit:
    """A limit on the whole portfolio and what happens when it is passed; see `tw.limits`.

    >>> import tapeworks as tw
    >>> limit = tw.limits.max_drawdown(0.2, action="liquidate")
    >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), limits=limit)
    >>> result.metrics["n_open_trades"] == 0
    True
    """

    def _repr_html_(self) -> str: ...

def max_drawdown(fraction: float, *, action: _Action) -> Limit:
    """Equity has fallen by this fraction from its peak; the peak includes the initial cash."""

def daily_loss(fraction: float, *, action: _Action) -> Limit:
    """Equity has fallen by this fraction since the end of the session before."""

def gross_exposure(fraction: float, *, action: _Action | None = None) -> Limit:
    """The sum of the absolute values of all positions, as a fraction of equity."""

def net_exposure(fraction: float, *, action: _Action | None = None) -> Limit:
    """The absolute sum of the values of all positions, as a fraction of equity."""

def symbol_exposure(fraction: float, *, action: _Action | None = None) -> Limit:
    """The absolute value of any one position, as a fraction of equity."""

def group_exposure(
    symbols: Sequence[str], fraction: float, *, action: _Action | None = None
) -> Limit:
    """The sum of the absolute values of a group of symbols, as a fraction of equity."""

def max_positions(n: int, *, action: _Action | None = None) -> Limit:
    """So many positions at most; an order for one more is refused as `limit_positions`."""

def max_orders(n: int, *, action: _Action | None = None) -> Limit:
    """So many orders a session at most; one more is refused as `limit_order_count`."""

def value_at_risk(
    fraction: float, *, action: _Action, level: float = 0.95, window: int = 250
) -> Limit:
    """The historical loss quantile of session returns has passed `fraction` of equity."""

def conditional_value_at_risk(
    fraction: float, *, action: _Action, level: float = 0.95, window: int = 250
) -> Limit:
    """The mean of the session losses beyond the value at risk has passed `fraction` of equity."""

@final
class Rule:
    """A built-in strategy, for `tw.run`."""

    @property
    def name(self) -> str:
        """The name of the rule in configs."""
    def _repr_html_(self) -> str: ...

def noop() -> Rule:
    """Does nothing."""

def buy_and_hold() -> Rule:
    """Buys every symbol with an equal share of the cash at its first row, and holds."""

def sma_cross(fast: int, slow: int, quantity: float) -> Rule:
    """Buys when the mean of `fast` closes crosses above that of `slow`, sells when below."""

def top_n(
    signal: str,
    n: int,
    *,
    rebalance: str = "1d",
    phase: int | None = None,
    weight: Literal["equal", "signal", "inverse_vol"] | float | None = None,
    long_short: bool = False,
    max_weight: float | None = None,
    where: str | None = None,
) -> Rule:
    """Holds the `n` symbols with the highest signal; cycles: "1d", "5d", "1w", "month_end".

    >>> import tapeworks as tw
    >>> rule = tw.rules.top_n("score", 2, rebalance="5d", where="context.vix < 30")
    >>> rule.name
    'top_n'
    >>> result = tw.run(tw.sample("daily"), rule)
    """

def weights(column: str) -> Rule:
    """Holds the weights (fractions of equity) that a signal or indicator column names."""

def entries_exits(
    entry: str, exit: str, *, quantity: float | None = None, percent: float | None = None
) -> Rule:
    """Enters where `entry` is true and leaves where `exit` is: conditions over a row's columns.

    >>> import tapeworks as tw
    >>> rule = tw.rules.entries_exits("context.vix > 35", "context.vix < 20", quantity=10)
    >>> len(tw.run(tw.sample("daily"), rule).trades)
    18
    """

class Strategy:
    """Base class of strategies: override exactly one of `on_market_data`, `on_timestamp_batch`.

    >>> import tapeworks as tw
    >>> class Dips(tw.Strategy):
    ...     def on_market_data(self, event):
    ...         if event.close < 0.98 * event.open and self.quantity(event.symbol) == 0:
    ...             self.buy(event.symbol, 10, stop_loss=tw.StopLoss(0.05))
    ...
    >>> result = tw.run(tw.sample("daily"), Dips())
    >>> len(result.rejections)
    0
    """

    history_rows: int
    def __new__(cls, *args: Any, **params: Any) -> Self: ...
    def on_market_data(self, event: MarketEvent) -> object:
        """Simple mode: called once per symbol and timestamp."""
    def on_timestamp_batch(
        self, timestamp: datetime, batch: Batch, context: dict[str, float]
    ) -> Targets | Orders | None:
        """Batch mode: called once per timestamp with all its symbols."""
    def on_start(self) -> object:
        """Called once before the first row."""
    def on_fill(self, fill: Fill) -> object:
        """Called after each execution."""
    def on_reject(self, rejection: Rejection) -> object:
        """Called after each refused order."""
    def on_rescale(self, symbol: str, price: float, volume: float) -> object:
        """Called when a corporate action restates the past of a symbol (`adjustment` "split" or
        "total"): multiply what you remember of its earlier prices by `price`, and of its volumes
        by `volume`. `history` does so by itself."""
    def on_end(self) -> object:
        """Called once after the last row."""
    def buy(
        self,
        symbol: str,
        quantity: float | None = None,
        percent: float | None = None,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        *,
        trail: float | None = None,
        trail_percent: float | None = None,
        stop_loss: float | StopLoss | TrailingStop | None = None,
        take_profit: float | TakeProfit | None = None,
        tif: _Tif = "gtc",
        good_till: _Time | None = None,
        on_close: bool = False,
        reduce_only: bool = False,
        trail_limit: float | None = None,
        activate: float | None = None,
        tag: str | None = None,
    ) -> int:
        """Buys units, a share of equity (0.05 is 5 %) or a value; returns the order id.

        `stop_loss` and `take_profit`: numbers are prices, `tw.StopLoss(0.05)` and
        `tw.TakeProfit(0.1)` fractions of the entry price, `tw.TrailingStop(0.1)` trails.
        """
    def sell(
        self,
        symbol: str,
        quantity: float | None = None,
        percent: float | None = None,
        value: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        *,
        trail: float | None = None,
        trail_percent: float | None = None,
        stop_loss: float | StopLoss | TrailingStop | None = None,
        take_profit: float | TakeProfit | None = None,
        tif: _Tif = "gtc",
        good_till: _Time | None = None,
        on_close: bool = False,
        reduce_only: bool = False,
        trail_limit: float | None = None,
        activate: float | None = None,
        tag: str | None = None,
    ) -> int:
        """Sells, with the arguments of `buy`."""
    def submit(self, order: Order) -> int:
        """Sends an order made with `tw.Order.buy` or `tw.Order.sell`; returns its id."""
    def oco(self, orders: Sequence[Order]) -> list[int]:
        """Sends orders of which one fills; what one fills, the others lose. Returns their ids."""
    def after(
        self,
        order_id: int,
        orders: Order | Sequence[Order],
        *,
        on: Literal["complete", "partial"] = "complete",
    ) -> list[int]:
        """Sends orders that wait until another order has filled. Returns their ids."""
    def replace(
        self,
        order_id: int,
        *,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
    ) -> bool:
        """Changes a live order from the next row on; `False` when it is not live any more."""
    def close_position(self, symbol: str, fraction: float = 1.0) -> int:
        """Closes a position, or a fraction of it; returns the order id."""
    def close_all(self) -> None:
        """Closes every position."""
    def cancel(self, order_id: int) -> bool:
        """Cancels a live order; `False` when it is not live any more."""
    def cancel_all(self, symbol: str | None = None) -> int:
        """Cancels every live order, or those of one symbol; returns how many."""
    def resume(self) -> None:
        """Lets positions be opened again after a limit of the portfolio has halted trading."""
    def order_target_percent(self, symbol: str, percent: float) -> int | None:
        """Brings a symbol to `percent` of equity (0.05 is 5 %); `None`: nothing to do."""
    def order_target_value(self, symbol: str, value: float) -> int | None:
        """Brings a symbol to `value` in currency."""
    def order_target_quantity(self, symbol: str, quantity: float) -> int | None:
        """Brings a symbol to `quantity` units."""
    def rebalance(self, weights: Mapping[str, SupportsFloat]) -> None:
        """Brings the portfolio to these weights; symbols that are not named go to 0."""
    def set_position_rules(self, rules: _PositionRules | None, symbol: str | None = None) -> None:
        """Sets the exit rules of one symbol, or of all when `symbol` is not given."""
    def get_position(self, symbol: str) -> Position | None:
        """The position of a symbol, `None` when flat."""
    def quantity(self, symbol: str) -> float:
        """Units held of a symbol; 0 when flat."""
    def quantities(self, batch: Batch) -> NDArray[np.float64]:
        """Units held of each row of a batch, as a new array."""
    @property
    def positions(self) -> dict[str, Position]:
        """Every position by symbol."""
    def get_all_positions(self) -> pl.DataFrame:
        """Every position as a polars frame."""
    def open_orders(self) -> list[int]:
        """Ids of the live orders, ascending."""
    def calculate_position_size(self, price: float, atr: float, risk_pct: float = 0.02) -> int:
        """Whole units that risk `risk_pct` of equity when the price moves by one `atr`."""
    def last_price(self, symbol: str) -> float | None:
        """The last price of a symbol, `None` before its first row."""
    @overload
    def history(
        self, symbol: str, length: int, column: None = None, *, timeframe: _Step | None = None
    ) -> Bars: ...
    @overload
    def history(
        self,
        symbol: str,
        length: int,
        column: str | Indicator,
        *,
        timeframe: _Step | None = None,
    ) -> NDArray[np.float64]:
        """The last `length` rows up to now, oldest first: one column as a read-only array (a name
        or an indicator, missing values are NaN), or all columns as `Bars`.

        With `timeframe` ("5m", "1h", "1d", "1w") they are bars of that step, completed ones only.
        Fewer rows up to now are an `OrderError` (TW-O308), rows that were let go to bound memory
        a `ResourceError` (TW-R103; see `history_rows`).
        """
    def indicator(
        self,
        name: str,
        *args: str | float,
        output: str | None = None,
        **numbers: float,
    ) -> Indicator:
        """A running indicator: `self.indicator("sma", "close", 20)`, `self.indicator("atr", 14)`.

        `tw.DataPreparer.indicators()` lists the names with their numbers; a column stands in the
        place of the close where the close is all that the indicator reads. It is computed by the
        engine along the run, for every symbol. Ask for it in `__init__` or `on_start`; asked for
        again, it is the same one.
        """
    def iter_events(self, batch: Batch, context: object = None) -> Iterator[MarketEvent]:
        """One event a row of a batch."""
    def note(self, text: str) -> None:
        """Adds a line to the notes of the run."""
    @property
    def cash(self) -> float:
        """Cash, in account currency."""
    @property
    def equity(self) -> float:
        """Cash plus the value of all positions."""
    @property
    def timestamp(self) -> datetime:
        """The instant the run has reached, UTC."""
    @property
    def symbols(self) -> list[str]:
        """The symbols of the feed."""
    @property
    def params(self) -> dict[str, Any]:
        """The keyword arguments that the strategy was made with."""
    def _repr_html_(self) -> str: ...

@final
class Indicator:
    """A running indicator of a strategy: `self.indicator("sma", "close", 20)`.

    `value` is that of the row that `on_market_data` is called for, `previous` that of the row of
    the same symbol before; `values` and `previous_values` are arrays aligned with `batch.symbols`.
    Missing values are NaN.

    >>> import tapeworks as tw
    >>> class Cross(tw.Strategy):
    ...     def on_start(self):
    ...         self.fast = self.indicator("sma", "close", 20)
    ...         self.slow = self.indicator("sma", "close", 50)
    ...     def on_market_data(self, event):
    ...         if self.fast.crossed_above(self.slow):
    ...             self.order_target_percent(event.symbol, 0.2)
    ...         elif self.fast.crossed_below(self.slow):
    ...             self.order_target_percent(event.symbol, 0.0)
    ...
    >>> result = tw.run(tw.sample("daily"), Cross())
    """

    @property
    def name(self) -> str:
        """Its name as a column: `"sma_20"`."""
    @property
    def outputs(self) -> list[str]:
        """The names of all outputs, such as `["macd", "macd_signal", "macd_hist"]`."""
    def output(self, name: str) -> Indicator:
        """Another output of the same indicator."""
    @property
    def warm_up(self) -> int:
        """Rows of a symbol before its first value."""
    @property
    def value(self) -> float:
        """The value at the row that the strategy is called for."""
    @property
    def previous(self) -> float:
        """The value at the row of the same symbol before, in the units of this one."""
    @property
    def values(self) -> NDArray[np.float64]:
        """The values at the rows of the batch, as a read-only view."""
    @property
    def previous_values(self) -> NDArray[np.float64]:
        """The values at the rows before, each of its symbol, as a read-only view."""
    def crossed_above(self, other: Indicator | float) -> bool:
        """Whether it is above now and was not at the row before; false while a value is missing."""
    def crossed_below(self, other: Indicator | float) -> bool:
        """Whether it is below now and was not at the row before; false while a value is missing."""
    def __getitem__(self, of: str | MarketEvent, /) -> float:
        """The newest value of a symbol, or the value of an event."""
    def __float__(self) -> float: ...
    def _repr_html_(self) -> str: ...

@final
class EventIterator:
    """Iterator over the rows of a feed."""

    def __iter__(self) -> EventIterator: ...
    def __next__(self) -> MarketEvent: ...

@final
class BatchIterator:
    """Iterator over the timestamps of a feed."""

    def __iter__(self) -> BatchIterator: ...
    def __next__(self) -> Batch: ...

_Mode = Literal["timestamp", "market_open", "market_close", "next_day"]

@final
class Calendar:
    """The sessions of a market: dates, and the instants (UTC) at which they open and close.

    Ranges are half-open. Dates outside the span are an error, nothing is extrapolated.

    >>> import tapeworks as tw
    >>> nyse = tw.calendar("XNYS")
    >>> len(nyse.sessions("2024-07-01", "2024-07-06"))
    4
    >>> nyse.is_session("2024-07-04")
    False
    >>> print(nyse.close("2024-07-03"))
    2024-07-03 17:00:00+00:00
    """

    @property
    def name(self) -> str:
        """Code of a built-in calendar, or the name that was given."""
    @property
    def tz(self) -> str:
        """IANA name of the zone in which dates begin and end."""
    @property
    def span(self) -> tuple[date, date]:
        """First and last date that the calendar answers for."""
    def sessions(self, start: _Time, end: _Time) -> list[date]:
        """The sessions of the dates from `start` on and before `end`."""
    def is_session(self, session: _Time) -> bool:
        """Whether a date has a session."""
    def open(self, session: _Time) -> datetime:
        """When the session of a date opens."""
    def close(self, session: _Time) -> datetime:
        """When the session of a date closes."""
    def lunch(self, session: _Time) -> tuple[datetime, datetime] | None:
        """First and last instant of a session's lunch break, `None` when it has none."""
    def session_of(self, timestamp: _Time) -> date:
        """The date an instant belongs to: of its session, or, between sessions, the local one."""
    def next_open(self, timestamp: _Time) -> datetime:
        """The first open after an instant."""
    def prev_close(self, timestamp: _Time) -> datetime:
        """The last close before an instant."""
    def __len__(self) -> int: ...
    def _repr_html_(self) -> str: ...

def calendar(
    calendar: _Calendar, *, name: str | None = None, tz: str | None = None
) -> Calendar:
    """A trading calendar: built in by name (`"XNYS"`, `"NASDAQ"`, `"24/7"`), or from a table (a
    frame, or a CSV or Parquet file) of session, open, close (and break_start, break_end), or from
    an object with such a `schedule`.

    `tz` is the zone of a table's dates and of times without one; texts such as "09:30" are times
    of the session's date.
    """

@final
class DataFeed:
    """Market data for a run: bars with signals and indicators, and context, in time order.

    `asset_data` is a path, a frame, or `Bars`, which bring their zone, calendar and adjustment.
    Paths are streamed by every run; frames by the first one, later ones keep their decoded rows.

    A row of `signals` or `context` is seen once it is known: at its own timestamp, or by
    `signal_available_at` at the open, at the close or at the next open of the session that its
    date names; a column `available_at` of the table wins. `signal_delay` ("15m", "1session") is
    added; a row older than `staleness` ("5d", "3sessions") is missing. With a `calendar`, dates of
    daily bars are sessions, known at their close, and dates of weeks and months are known at the
    close of their last session.

    Bars that are stamped at their start take `label="start"`: they are known a step later, with a
    calendar at most at the end of their session. The step is `frequency` ("1m", "1w"), or told by
    the rows.

    `actions` is a table of corporate actions on raw prices: `symbol`, `ex_date`, `kind` (split,
    dividend, merger, rename), `ratio`, `amount`, `pay_date`, `into`. Splits and dividends are then
    booked, and `adjustment` says what a strategy sees of the past: as it was quoted ("none"), in
    the units of now ("split"), or without dividends as well ("total"). "stated": the prices are
    adjusted already.

    >>> import tapeworks as tw
    >>> import polars as pl
    >>> days = pl.datetime_range(pl.datetime(2024, 1, 2), pl.datetime(2024, 1, 4), "1d",
    ...                          time_zone="UTC", eager=True)
    >>> bars = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": [9.0, 10.0, 12.0],
    ...     "high": [11.0, 12.0, 13.0], "low": [9.0, 10.0, 12.0],
    ...     "close": [10.0, 12.0, 12.0], "volume": 100.0})
    >>> feed = tw.DataFeed(bars)
    >>> [event.close for event in feed]
    [10.0, 12.0, 12.0]
    >>> feed.check().ok
    True
    """

    def __new__(
        cls,
        asset_data: _Source,
        *,
        signals: _Source | None = None,
        context: _Source | None = None,
        actions: _Source | None = None,
        adjustment: Literal["none", "split", "total", "stated"] | None = None,
        signal_columns: Sequence[str] | None = None,
        indicator_columns: Sequence[str] | None = None,
        context_columns: Sequence[str] | None = None,
        signal_available_at: _Mode = "timestamp",
        context_available_at: _Mode = "timestamp",
        staleness: str | timedelta | None = None,
        context_staleness: str | timedelta | None = None,
        signal_delay: str | timedelta | None = None,
        context_delay: str | timedelta | None = None,
        signal_fill: Literal["none", "last"] = "none",
        calendar: _Calendar | None = None,
        tz: str | None = None,
        label: Literal["end", "start", "session"] | None = None,
        frequency: str | timedelta | None = None,
        ambiguous: Literal["first", "second"] | None = None,
        chunk: str | int | None = None,
        validation: Literal["fast", "standard", "paranoid"] = "standard",
        on_bad_row: Literal["error", "drop", "null"] = "error",
        allow_negative: bool = False,
        start: _Time | None = None,
        end: _Time | None = None,
        symbols: Sequence[str] | None = None,
        csv_columns: Sequence[str] | None = None,
        csv_delimiter: str | None = None,
        csv_price_scale: float = 1.0,
    ) -> Self: ...
    @property
    def symbols(self) -> list[str]:
        """The symbols, ascending."""
    @property
    def columns(self) -> list[str]:
        """Every column by name: time, symbol, prices, signals, indicators, context."""
    @property
    def signal_columns(self) -> list[str]:
        """Names of the signal columns."""
    @property
    def indicator_columns(self) -> list[str]:
        """Names of the indicator columns."""
    @property
    def context_columns(self) -> list[str]:
        """Names of the context columns."""
    def check(self) -> CheckReport:
        """Checks the asset data at the feed's level (`validation`), then signals and context
        against it, signals as a run would join them; bad rows are findings, not an exception."""
    def __iter__(self) -> EventIterator: ...
    def iter_batches(self) -> BatchIterator:
        """One `Batch` a timestamp, in time order."""
    def to_alphalens(self, factor: str) -> Alphalens:
        """A signal or indicator and the closes as alphalens takes them.

        `factor` is a series by `(date, asset)`, `prices` a frame with a column a symbol. Dates are
        sessions at midnight UTC, or instants where a session has several rows. alphalens buys at
        the close at which the factor was known, a row earlier than a run here could.
        """
    def _repr_html_(self) -> str: ...

def read_bars(
    src: _Source | Bars,
    *,
    tz: str | None = None,
    columns: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    start: _Time | None = None,
    end: _Time | None = None,
    label: Literal["end", "start", "session"] | None = None,
    calendar: _Calendar | None = None,
    adjustment: _Adjustment | None = None,
    check: Literal["fast", "standard", "paranoid"] = "standard",
    frequency: str | timedelta | None = None,
    ambiguous: Literal["first", "second"] | None = None,
    on_bad_row: Literal["error", "drop", "null"] = "error",
    allow_negative: bool = False,
    csv_columns: Sequence[str] | None = None,
    csv_delimiter: str | None = None,
    csv_price_scale: float = 1.0,
) -> Bars:
    """Reads bars of one or many symbols into memory, sorted by (timestamp, symbol) and checked.

    `src` is a path, a glob, a folder with `key=value` parts, or a frame of polars (lazy too),
    pandas (times, or times and symbols, in the index), pyarrow or DuckDB. A frame without a column
    of symbols is that of the one symbol in `symbols`. `columns` keeps these columns of values;
    `start` and `end` are half-open; `adjustment` says what the prices are and changes none.

    >>> import polars as pl
    >>> import tapeworks as tw
    >>> days = pl.DataFrame({"date": ["2024-03-08", "2024-03-11"], "ticker": ["A", "A"]})
    >>> days = days.with_columns(Open=10.0, High=12.0, Low=9.0, Close=11.0, Volume=pl.lit(500))
    >>> bars = tw.read_bars(days, calendar="XNYS")
    >>> [str(close) for close in bars.df.index]
    ['2024-03-08 16:00:00-05:00', '2024-03-11 16:00:00-04:00']
    """

def sort_bars(
    source: str | PathLike[str],
    out: str | PathLike[str],
    *,
    memory: str = "256MB",
    tz: str | None = None,
) -> int:
    """Writes a table by timestamp, symbol and `bar_id` to the Parquet file `out`, which must not
    exist; gives the number of rows. Nothing is dropped, every column is kept, and at most `memory`
    of rows are held at once (text and Arrow files are held whole)."""

def adjust_prices(
    bars: _Source,
    actions: _Source,
    *,
    adjustment: Literal["split", "total"] = "total",
    view_date: str | date | None = None,
    calendar: _Calendar | None = None,
    tz: str | None = None,
) -> Table:
    """Raw bars in the units of one date, the last row's when `view_date` is left out.

    Actions with an ex-date up to it divide the prices of the rows before by the ratio of a split
    (volumes are multiplied), and with "total" take dividends off them: times 1 - dividend / close
    before the ex-date. Other columns stay. Such prices know the actions up to the view date, so a
    signal made of them for an earlier day looks ahead."""

@final
class DataPreparer:
    """Joins prices, signals and context point in time and writes them down, with indicators.

    Prices are the spine: a row of the result is a row of the prices, and a joined value is the
    newest one known at its timestamp. Nothing is filled; what is missing is null.

    >>> import polars as pl, tapeworks as tw, tempfile
    >>> days = pl.datetime_range(pl.datetime(2024, 1, 1, time_zone="UTC"),
    ...                          pl.datetime(2024, 1, 3, time_zone="UTC"), "1d", eager=True)
    >>> prices = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": [9.0, 10.0, 12.0],
    ...     "high": [11.0, 12.0, 13.0], "low": [9.0, 10.0, 12.0], "close": [10.0, 12.0, 12.0],
    ...     "volume": 100.0})
    >>> scores = pl.DataFrame({"timestamp": days[1:2], "symbol": ["AAA"], "score": [0.5]})
    >>> prep = tw.DataPreparer().add_prices(prices, freq="1d").add_signals(scores)
    >>> target = tempfile.mkdtemp() + "/asset_data.parquet"
    >>> report = prep.add_indicators(["returns"]).validate_and_save(target)
    >>> report.columns, report.joins[0]["not_yet"]
    (['score', 'returns_1'], 1)
    >>> pl.read_parquet(target)["score"].to_list()
    [None, 0.5, 0.5]
    """

    def __new__(
        cls,
        *,
        calendar: _Calendar | None = None,
        tz: str | None = None,
        label: Literal["end", "start", "session"] | None = None,
        ambiguous: Literal["first", "second"] | None = None,
        start: _Time | None = None,
        end: _Time | None = None,
        symbols: Sequence[str] | None = None,
        on_bad_row: Literal["error", "drop", "null"] = "error",
        csv_columns: Sequence[str] | None = None,
        csv_delimiter: str | None = None,
        csv_price_scale: float = 1.0,
    ) -> Self: ...
    def add_prices(
        self,
        table: _Source,
        *,
        freq: str | timedelta | None = None,
        actions: _Source | None = None,
        adjustment: Literal["none", "split", "total", "stated"] | None = None,
    ) -> DataPreparer:
        """The bars whose rows the result has.

        Bars that are closer together than `freq` ("5min", "1d", "1w", "1mo") are put together into
        bars of that step, with a calendar by sessions: first open, highest high, lowest low, last
        close, sums of volumes. Their timestamp is the end of their window.

        Prices are written as they are. `adjustment` says what they are: raw ("none", "split",
        "total"), with a table of `actions`, or adjusted already ("stated"). With "split" and
        "total" indicators are those of a table adjusted as of the session of each row, so in its
        units: no window mixes units, and no later action is known.
        """
    def add_signals(
        self,
        table: _Source,
        *,
        freq: str | timedelta | None = None,
        valid_from: str = "timestamp",
        staleness: str | timedelta | None = None,
        delay: str | timedelta | None = None,
        columns: Sequence[str] | None = None,
        prefix: str = "",
    ) -> DataPreparer:
        """A table of signals, joined as of each row; may be called again.

        A row may be seen from `valid_from` plus `delay` on; one older than `staleness` counts as
        missing. `columns` are taken (all when left out), `prefix` is put before their names.
        """
    def add_context(
        self,
        table: _Source,
        *,
        columns: Sequence[str] | None = None,
        valid_from: str = "timestamp",
        delay: str | timedelta | None = None,
        prefix: str = "",
    ) -> DataPreparer:
        """A table of series of the market as a whole; may be called again."""
    def add_indicators(self, indicators: Sequence[str]) -> DataPreparer:
        """Indicators such as `"rsi:14"` or `"macd"`; may be called again."""
    def add_universe(self, table: _Source) -> DataPreparer:
        """Members by time, a table of symbol, from, to: rows get a column `member` of 1 and 0."""
    @staticmethod
    def indicators() -> dict[str, str]:
        """Every indicator with its defaults, and what it gives."""
    def validate_and_save(
        self,
        asset_output: str | PathLike[str],
        context_output: str | PathLike[str] | None = None,
        *,
        partition_by: Literal["month", "symbol"] | None = None,
        compression: str = "zstd:3",
        force: bool = False,
        progress: bool | None = None,
    ) -> PrepareReport:
        """Joins, checks and writes everything; files appear whole or not at all.

        Raises `DataError` when the result breaks a rule of the level `standard`; with `force` it
        is written all the same, prices of bad rows missing, and the report says so.
        """
    def _repr_html_(self) -> str: ...

@final
class PrepareReport:
    """What was joined, found and written; true when no rule is broken."""

    @property
    def ok(self) -> bool:
        """Whether neither the tables nor the result break a rule."""
    @property
    def verdict(self) -> str:
        """The verdict on one line."""
    @property
    def rows(self) -> int:
        """Rows of asset data."""
    @property
    def timestamps(self) -> int:
        """Distinct timestamps."""
    @property
    def symbols(self) -> int:
        """Symbols of the prices."""
    @property
    def span(self) -> tuple[str, str] | None:
        """The first and the last timestamp as text, `None` without rows."""
    @property
    def columns(self) -> list[str]:
        """The columns of asset data beside time, symbol, prices and volume."""
    @property
    def context_columns(self) -> list[str]:
        """The columns of context data."""
    @property
    def joins(self) -> list[dict[str, Any]]:
        """For each table of signals: columns, rows, and rows without a value by reason."""
    @property
    def outside_universe(self) -> int | None:
        """Rows outside the universe, `None` without one."""
    @property
    def forced(self) -> bool:
        """Whether the result was written although it does not pass the checks."""
    @property
    def input(self) -> CheckReport:
        """What reading the tables found and repaired."""
    @property
    def result(self) -> CheckReport:
        """What checking the written asset data found."""
    @property
    def files(self) -> list[dict[str, Any]]:
        """For each file: table, path, rows, bytes."""
    @property
    def bytes(self) -> int:
        """Bytes of all files."""
    def to_dict(self) -> dict[str, Any]:
        """The whole report as plain values."""
    def __bool__(self) -> bool: ...
    def _repr_html_(self) -> str: ...

def sample(name: Literal["daily"] = "daily") -> DataFeed:
    """The bundled sample: five US shares, a model score as signal, the VIX as context."""

@final
class Result:
    """A finished run: metrics with their conventions, and six tables of records.

    >>> import tapeworks as tw
    >>> result = tw.run(tw.sample("daily"), tw.rules.sma_cross(20, 50, quantity=100))
    >>> result.metrics["n_trades"]
    127.0 (one a reducing fill, n=127)
    >>> round(result.metrics["max_drawdown"], 4)
    -0.0974
    >>> result.metrics["sharpe"].convention
    '252/yr, rf 0, ddof 1'
    >>> result.reasons()["submitted"], result.reasons()["filled"]
    (257, 257)
    """

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric by key: a float with `.value`, `.reason`, `.unit`, `.convention`, `.n`."""
    @property
    def summary(self) -> dict[str, Metric]:
        """The headline metrics, a short `metrics`."""
    @property
    def trades(self) -> Table:
        """One row a reducing fill, and one a position still held at the end."""
    @property
    def fills(self) -> Table:
        """One row an execution."""
    @property
    def orders(self) -> Table:
        """One row an event in the life of an order."""
    @property
    def rejections(self) -> Table:
        """One row a refused order, with the figures behind the refusal."""
    @property
    def positions(self) -> Table:
        """One row whenever a position changed."""
    @property
    def portfolio(self) -> Table:
        """One row a timestamp: equity, cash, exposure, fees, context."""
    @property
    def name(self) -> str:
        """Name of the run."""
    @property
    def run_id(self) -> str:
        """Hash of configuration, inputs and version."""
    @property
    def fingerprint(self) -> str:
        """Hash of the results: equal for equal records."""
    @property
    def warnings(self) -> list[str]:
        """Warnings of the run."""
    @property
    def repairs(self) -> list[str]:
        """Changes made to the data, with counts."""
    def reasons(self) -> Reasons:
        """What became of the orders: a dict of counts by cause that prints as a tally.

        Keys: "submitted", "filled", other events such as "resized_for_cash", with their reason
        after a colon where they have one ("rejected: quantity_zero"). "no signal" counts the
        timestamps at which the strategy sent no order.

        >>> import tapeworks as tw
        >>> result = tw.run(tw.sample("daily"), tw.rules.sma_cross(20, 50, quantity=0.5))
        >>> result.reasons()["rejected: quantity_zero"], result.reasons()["no signal"]
        (130, 3146)
        """
    def next_orders(self) -> Table:
        """What the strategy would send after the last row; one row an order that has not ended.

        Columns: `decided_at` (UTC), symbol, side, kind, `quantity` (units left, positive), limit,
        stop, tif, `status`, tag, rule (of orders that no strategy sent), origin, reduce_only,
        trail, trail_is_percent, limit_offset, gtd_until, order_id, parent_id, group; null where an
        order has no such term. `status`: "new" was decided at the last timestamp, "resting" before
        it and waits for its price, "held" waits until its parent fills.

        >>> import tapeworks as tw
        >>> result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="1d"))
        >>> orders = result.next_orders().to_polars()
        >>> orders.select("symbol", "side", "quantity", "status").rows()[0]
        ('AAPL', 'sell', 3073.0, 'new')
        """
    def compare(self, other: Result) -> Table:
        """Every metric of both runs: metric, ours, other, difference (ours less other).

        Null where a metric is undefined. The last row, `first_different_fill`, has the id of the
        first fill that differs, null on a side that has no such fill, and on both where all fills
        are equal.
        """
    def save(self, directory: _Path) -> None:
        """Writes the run folder: config, metrics, tables, report, manifest."""
    def report(self, path: _Path = "report.html") -> None:
        """Writes the report as one HTML file that needs no network."""
    def to_pyfolio(self, *, feed: DataFeed | None = None) -> Pyfolio:
        """Returns, positions and transactions as pyfolio takes them.

        Days are sessions (without a calendar UTC days) at midnight UTC. `positions` has the value
        of each symbol at the end of the session, and what is left of equity as `cash`;
        `transactions` has `amount` (units times multiplier), `price` and `symbol` by instant. A
        loaded run needs its `feed`.
        """
    def to_quantstats(self, *, feed: DataFeed | None = None) -> pd.Series:
        """Returns by session as quantstats takes them: a pandas series with dates without a zone.

        A loaded run counts UTC days, or the sessions of `feed`.
        """
    def to_ml4t(self, *, feed: DataFeed | None = None) -> Ml4t:
        """Completed trades and returns by session as ml4t-diagnostic takes them.

        `trades` is a list of its `TradeRecord`: `pnl` is net, `fees` is all that lies between the
        price move and it. `returns` is the series of `to_quantstats`.
        """
    def _repr_html_(self) -> str: ...

def load(directory: _Path) -> Result:
    """Reads a run folder back, after checking every file against the manifest.

    >>> import tapeworks as tw
    >>> import tempfile
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> result = tw.run(tw.sample("daily"), tw.rules.buy_and_hold(), out=folder)
    >>> tw.load(folder).fingerprint == result.fingerprint
    True
    """

def resume(
    result: Result,
    new_rows: DataFeed | _Source,
    *,
    feed: DataFeed | None = None,
    strategy: Strategy | Rule | None = None,
    signals: _Source | None = None,
    context: _Source | None = None,
    actions: _Source | None = None,
    out: _Path | None = None,
    progress: bool | None = None,
    **others: Any,
) -> Result:
    """Goes on with a run on new rows; the result is that of one run over all rows.

    `new_rows` are bars after the last timestamp of the run: a path, a frame, or a `DataFeed` whose
    tables are taken (not its options). New rows of the run's other tables are `signals`, `context`
    and `actions`. A frame has the columns that the rows of the run have.

    The run is made again over everything, and its records up to then are compared with those of
    `result`, exactly: a difference is `DataError` TW-D320, which names the first fill. Rows that do
    not come after the last timestamp are TW-D321.

    A strategy is made anew from its class and the arguments of its constructor; `strategy=` gives
    one. `feed=` gives the old rows. A run read from a folder knows its config, and files are looked
    for from the working folder and from above the run folder; one that `tw.run` made is given
    `feed`, `strategy` and, as keywords, the options of `tw.run` once more (TW-C472, TW-C474).

    >>> import polars as pl, tapeworks as tw
    >>> days = pl.datetime_range(pl.datetime(2024, 1, 1, time_zone="UTC"),
    ...                          pl.datetime(2024, 1, 4, time_zone="UTC"), "1d", eager=True)
    >>> close = [10.0, 11.0, 12.0, 13.0]
    >>> bars = pl.DataFrame({"timestamp": days, "symbol": "AAA", "open": close, "high": close,
    ...                      "low": close, "close": close, "volume": 100.0})
    >>> first = tw.run(tw.DataFeed(bars[:3]), tw.rules.buy_and_hold())
    >>> whole = tw.resume(first, bars[3:])
    >>> whole.fingerprint == tw.run(tw.DataFeed(bars), tw.rules.buy_and_hold()).fingerprint
    True
    """

def run(
    feed: DataFeed,
    strategy: Strategy | Rule,
    *,
    cash: float = 100_000.0,
    commission: Commission | None = None,
    slippage: Slippage | None = None,
    impact: Impact | None = None,
    participation: float | Participation | None = None,
    stop_slippage: float = 0.0,
    account: _AccountName | Account = "cash",
    semantics: _Semantics = "realistic",
    rules: _PositionRules | None = None,
    limits: Limit | Sequence[Limit] | None = None,
    lots: Literal["integer", "fractional"] = "integer",
    instrument: Instrument | None = None,
    instruments: Mapping[str, Instrument] | None = None,
    flows: Sequence[tuple[_Time, float]] | _Source | None = None,
    funding: Sequence[tuple[_Time, str, float]] | _Source | None = None,
    rolls: Sequence[tuple[_Time, str, str]] | None = None,
    snapshot: Literal["bar", "session"] = "bar",
    on_reject: Literal["record", "warn", "raise"] = "record",
    seed: int = 0,
    name: str | None = None,
    out: _Path | None = None,
    progress: bool | None = None,
) -> Result:
    """Runs a strategy over a feed.

    `stop_slippage` is a fraction of the price, `participation` a share of each row's volume.
    `semantics` is a name, or `{"base": name, knob: word}`. `flows` are `(when, amount)`, `funding`
    `(when, symbol, rate)`, `rolls` `(when, from, to)`; tables name these columns.

    >>> import tapeworks as tw
    >>> result = tw.run(tw.sample("daily"), tw.rules.top_n("score", 2, rebalance="5d"),
    ...                 cash=50_000, commission=tw.Commission.percent(bps=5), name="pair")
    >>> result.name, len(result.portfolio)
    ('pair', 3270)
    """

def run_config(
    path: _Path,
    overrides: Mapping[str, object] | None = None,
    *,
    out: _Path | None = None,
    progress: bool | None = None,
) -> Result:
    """Runs the config of a YAML, TOML or JSON file; `overrides` maps dotted keys to values."""

def command_line(arguments: Sequence[str]) -> int:
    """Runs the command line program with `arguments` (its name first); gives the exit code."""
