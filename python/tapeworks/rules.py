"""Built-in strategies; they run wholly in Rust."""

from tapeworks._native import (
    Rule,
    buy_and_hold,
    entries_exits,
    noop,
    sma_cross,
    top_n,
    weights,
)

__all__ = ["Rule", "buy_and_hold", "entries_exits", "noop", "sma_cross", "top_n", "weights"]
