"""Expected values of every indicator, by TA-Lib where it has them and by NumPy where not.

    python -m venv VENV && VENV/bin/pip install TA-Lib==0.8.2 numpy polars
    VENV/bin/python oracles/indicators.py > oracles/indicators.json

Two series: one drawn here, with prices in cents so that ties happen, written into the file; and
AAPL of the bundled sample, of which only chosen values are written. TA-Lib's unstable periods are
0.
"""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import talib

ROOT = Path(__file__).parent.parent


def drawn(rows: int = 140) -> dict[str, np.ndarray]:
    """A walk in cents whose bars are possible ones."""
    rng = np.random.default_rng(20261121)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, rows))), 2)
    open_ = np.round(np.concatenate([[50.0], close[:-1]]) + rng.normal(0, 0.1, rows), 2)
    high = np.round(np.maximum(open_, close) + np.abs(rng.normal(0, 0.15, rows)), 2)
    low = np.round(np.minimum(open_, close) - np.abs(rng.normal(0, 0.15, rows)), 2)
    volume = np.floor(rng.lognormal(8, 0.7, rows))
    vwap = np.round((open_ + high + low + close) / 4, 4)
    notional = np.round(vwap * volume, 2)
    bars = dict(open=open_, high=high, low=low, close=close)
    return bars | dict(volume=volume, vwap=vwap, notional=notional)


def sample() -> dict[str, np.ndarray]:
    frame = pl.read_parquet(ROOT / "crates/tapeworks/sample/bars.parquet")
    frame = frame.filter(pl.col("symbol").cast(pl.String) == "AAPL").sort("timestamp")
    columns = ["open", "high", "low", "close", "volume"]
    return {name: frame[name].cast(pl.Float64).to_numpy() for name in columns}


def rolling(values: np.ndarray, rows: int, f) -> np.ndarray:
    out = np.full(len(values), np.nan)
    for t in range(rows - 1, len(values)):
        out[t] = f(values[t - rows + 1 : t + 1])
    return out


def shifted(values: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([np.full(rows, np.nan), values[:-rows]])


def expected(name: str, args: list[float], d: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The columns of one indicator, in the order of our table."""
    o, h, l, c, v = (d[k] for k in ("open", "high", "low", "close", "volume"))
    hlc = (h, l, c)
    n = [int(a) for a in args]
    one = {
        "sma": talib.SMA, "wma": talib.WMA, "ema": talib.EMA, "dema": talib.DEMA,
        "tema": talib.TEMA, "kama": talib.KAMA, "trix": talib.TRIX, "rsi": talib.RSI,
        "cmo": talib.CMO, "roc": talib.ROC,
        "rocp": talib.ROCP, "mom": talib.MOM, "stddev": talib.STDDEV, "var": talib.VAR,
        "linreg": talib.LINEARREG, "linreg_slope": talib.LINEARREG_SLOPE,
        "linreg_intercept": talib.LINEARREG_INTERCEPT, "linreg_angle": talib.LINEARREG_ANGLE,
        "tsf": talib.TSF, "apo": talib.APO, "ppo": talib.PPO,
    }
    ranged = {
        "willr": talib.WILLR, "cci": talib.CCI, "atr": talib.ATR, "natr": talib.NATR,
        "adx": talib.ADX,
        "plus_di": talib.PLUS_DI, "minus_di": talib.MINUS_DI, "ultosc": talib.ULTOSC,
    }
    if name in one:
        return [one[name](c, *n)]
    if name in ranged:
        return [ranged[name](*hlc, *n)]
    log = np.log(c / shifted(c, 1))
    value = d.get("notional", c * v)
    match name:
        case "macd":
            return list(talib.MACD(c, *n))
        case "stoch":
            return list(talib.STOCH(*hlc, n[0], n[1], 0, n[2], 0))
        case "stochf":
            return list(talib.STOCHF(*hlc, n[0], n[1], 0))
        case "stochrsi":
            return list(talib.STOCHRSI(c, n[0], n[1], n[2], 0))
        case "mfi":
            return [talib.MFI(*hlc, v, n[0])]
        case "aroon":
            return list(talib.AROON(h, l, n[0]))
        case "aroonosc":
            return [talib.AROONOSC(h, l, n[0])]
        case "bop":
            return [talib.BOP(o, *hlc)]
        case "sar":
            return [talib.SAR(h, l, *args)]
        case "bbands":
            return list(talib.BBANDS(c, n[0], args[1], args[2], 0))
        case "obv":
            return [talib.OBV(c, v)]
        case "ad":
            return [talib.AD(*hlc, v)]
        case "adosc":
            return [talib.ADOSC(*hlc, v, *n)]
        case "donchian":
            return [rolling(h, n[0], np.max), rolling(l, n[0], np.min)]
        case "keltner":
            middle, width = talib.EMA(c, n[0]), args[1] * talib.ATR(*hlc, n[0])
            return [middle + width, np.where(np.isnan(width), np.nan, middle), middle - width]
        case "returns":
            return [c / shifted(c, n[0]) - 1]
        case "log_returns":
            return [np.log(c / shifted(c, n[0]))]
        case "volatility":
            return [rolling(log, n[0], lambda x: np.std(x, ddof=1))]
        case "zscore":
            return [rolling(c, n[0], lambda x: (x[-1] - x.mean()) / np.std(x, ddof=1))]
        case "adv":
            return [rolling(value, n[0], np.mean)]
        case "vwap_dev":
            return [c / d["vwap"] - 1] if "vwap" in d else []
        case "gap":
            return [o / shifted(c, 1) - 1]
        case "range":
            return [(h - l) / c]
    raise ValueError(name)


CASES = """
sma:20 sma:1 wma:20 ema:20 dema:20 tema:20 kama:10 kama:4 trix:30 trix:5 macd:12:26:9 macd:5:35:5
apo:12:26 ppo:12:26 rsi:14 rsi:2 cmo:14 stoch:5:3:3 stoch:14:3:5 stochf:5:3 stochrsi:14:5:3 willr:14
cci:14 mfi:14 mfi:3 aroon:14 aroon:25 aroonosc:14 ultosc:7:14:28 ultosc:3:5:9 bop roc:10 rocp:10
mom:10 atr:14 atr:1 natr:14 adx:14 adx:7 plus_di:14 minus_di:14 sar:0.02:0.2 sar:0.01:0.1
bbands:20:2:2 bbands:10:1.5:2.5 stddev:5 var:5 donchian:20 keltner:20:2 linreg:14 linreg_slope:14
linreg_intercept:14 linreg_angle:14 tsf:14 obv ad adosc:3:10 adv:20 vwap_dev gap range returns:1
log_returns:1 volatility:20 zscore:20
""".split()


def points(values: np.ndarray, step: int) -> dict:
    """The first row with a value, and some of them as [row, value]."""
    here = np.flatnonzero(~np.isnan(values))
    first = int(here[0])
    assert len(here) == len(values) - first, "values go on once they begin"
    end = len(values)
    rows = sorted({*range(first, min(first + 3, end)), *range(first, end, step), end - 1})
    return {"first": first, "values": [[t, float(values[t])] for t in rows]}


def main() -> None:
    walk, real = drawn(), sample()
    cases = []
    for text in CASES:
        name, *numbers = text.split(":")
        args = [float(x) for x in numbers]
        row = {"spec": text, "drawn": [points(x, 9) for x in expected(name, args, walk)]}
        row["sample"] = [points(x, 700) for x in expected(name, args, real)]
        cases.append(row)
    document = {
        "made_by": f"TA-Lib {talib.__ta_version__.decode().split()[0]}, NumPy {np.__version__}",
        "drawn": {name: values.tolist() for name, values in walk.items()},
        "cases": cases,
    }
    columns = [column for case in cases for column in case["drawn"]]
    assert not any(math.isinf(x) for column in columns for _, x in column["values"])
    text = json.dumps(document, separators=(",", ":"))
    print(text.replace('{"spec"', '\n{"spec"'))


if __name__ == "__main__":
    main()
