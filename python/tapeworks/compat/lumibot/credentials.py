"""What examples import to decide between live and backtest: it is always a backtest."""

IS_BACKTESTING = True

__all__ = ["IS_BACKTESTING"]
