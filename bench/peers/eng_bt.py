"""bt trades at the price of the row it is on, so it is given opens, decisions moved one row down,
and one last row with the final closes, at which nothing trades, to mark the book."""

import importlib.metadata
import warnings

import bt
import numpy as np
import pandas as pd
import workloads as w

warnings.filterwarnings("ignore")


class Cross(bt.Algo):
    def __init__(self, moves, row_of, symbols):
        super().__init__("Cross")
        self.moves, self.row_of, self.symbols = moves, row_of, symbols
        self.held, self.fills = set(), 0

    def __call__(self, target):
        row = self.row_of.get(target.now)
        if row is None:
            return True
        for j in np.flatnonzero(self.moves[row]):
            symbol = self.symbols[j]
            if self.moves[row, j] > 0:
                target.transact(w.QUANTITY, child=symbol)
                self.held.add(symbol)
                self.fills += 1
            elif symbol in self.held:
                target.transact(-w.QUANTITY, child=symbol)
                self.held.discard(symbol)
                self.fills += 1
        return True


def load(workload, folder):
    timestamps, symbols, columns = w.panel(workload, folder, ("open", "close"))
    return pd.DatetimeIndex(timestamps).as_unit("ns"), symbols, columns


def run(workload, data):
    index, symbols, columns = data
    open_, close = columns["open"], columns["close"]
    moves = np.zeros(close.shape, np.int8)
    if w.kind(workload) == "sma":
        average = pd.DataFrame(close).rolling
        gap = (average(w.FAST).mean() - average(w.SLOW).mean()).to_numpy()
        moves[1:][(gap[1:] > 0) & (gap[:-1] <= 0)] = 1
        moves[1:][(gap[1:] < 0) & (gap[:-1] >= 0)] = -1
        moves = w.next_row(moves)
    last = index[-1] + (index[-1] - index[-2])
    marked = index.append(pd.DatetimeIndex([last]))
    prices = pd.DataFrame(np.vstack([open_, close[-1:]]), index=marked, columns=symbols)
    cross = Cross(moves, {t: i for i, t in enumerate(index)}, symbols)
    strategy = bt.Strategy("s", [cross], children=[bt.Security(name) for name in symbols])
    test = bt.Backtest(
        strategy,
        prices,
        initial_capital=w.cash(workload),
        integer_positions=True,
        commissions=lambda quantity, price: abs(quantity) * price * w.FEE,
        progress_bar=False,
    )
    test.run()
    final = test.strategy  # a copy of the one above, with the algos that ran
    return {"equity": round(float(final.value), 6), "fills": final.stack.algos[0].fills}


w.main("bt", importlib.metadata.version("bt"), load, run)
