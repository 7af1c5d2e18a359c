"""docs/strategies.md: every snippet runs, in order, and does what the page says."""

import re
from pathlib import Path

import pytest

import tapeworks as tw

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"


def test_page_when_its_snippets_run_then_each_strategy_trades(capsys):
    if not PAGE.exists():
        pytest.skip("skipped: no docs beside the tests")
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.S)
    assert len(snippets) == 3
    names: dict[str, object] = {}
    results = []
    for number, snippet in enumerate(snippets):
        exec(compile(snippet, f"{PAGE.name}, snippet {number + 1}", "exec"), names)
        results.append(names["result"])
    assert all(isinstance(result, tw.Result) and len(result.fills) > 10 for result in results)
    assert "Pullback" in capsys.readouterr().out
