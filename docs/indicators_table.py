"""Writes the table of indicators into docs/preparing.md; run it when one is added.

    python docs/indicators_table.py
"""

from pathlib import Path

import tapeworks as tw

page = Path(__file__).with_name("preparing.md")
rows = [f"| `{spec}` | {doc} |" for spec, doc in tw.DataPreparer.indicators().items()]
table = "\n".join(["| indicator | what it gives |", "|---|---|", *rows])
head, _, tail = page.read_text().partition("<!-- indicators -->\n")
page.write_text(f"{head}<!-- indicators -->\n{table}\n")
