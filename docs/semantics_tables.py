"""Writes the tables of docs/semantics.md that list code: `python docs/semantics_tables.py`.

Knobs, words and constants come from `crates/tapeworks/src/broker/semantics.rs` and `presets.rs`,
codes and remedies from `codes.rs` and `records/hints.rs`. A test runs this script with `--check`.
Standard library only.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
SOURCE = DOCS.parent / "crates" / "tapeworks" / "src"
PAGE = DOCS / "semantics.md"


def doc_of(lines):
    """The text of `///` lines, as one line, without links between items."""
    text = " ".join(re.sub(r"^\s*/// ?", "", line).strip() for line in lines)
    return re.sub(r"\[(`[^`]*`)\](\([^)]*\))?", r"\1", text).strip()


def enums(text):
    """{type: [(variant, word, doc)]} of every `codes!` list."""
    found = {}
    for block in re.findall(r"^codes! \{\n(.*?)^\}", text, re.S | re.M):
        name = re.search(r"(\w+) \{", block).group(1)
        variants, docs = [], []
        for line in block.split("{", 1)[1].splitlines():
            if line.strip().startswith("///"):
                docs.append(line)
            match = re.match(r'\s*(\w+) = "(\w+)"', line)
            if match:
                variants.append((*match.groups(), doc_of(docs)))
                docs = []
        found[name] = variants
    return found


def knobs(text):
    """[(knob, type, doc)], those with words first, then the plain ones."""
    worded, docs = [], []
    block = re.search(r"^semantics! \{\n(.*?)^\}", text, re.S | re.M).group(1)
    pattern = r"\$\(\$\(#\[\$doc\]\)\* pub.*?\n(.*?)\n        \}"
    plain_block = re.search(pattern, text, re.S).group(1)
    plain = []
    for source, into in ((block, worded), (plain_block, plain)):
        for line in source.splitlines():
            if line.strip().startswith("///"):
                docs.append(line)
            match = re.match(r"\s*(?:pub )?(\w+): (\w+),", line)
            if match:
                into.append((*match.groups(), doc_of(docs)))
                docs = []
    return worded, plain


def constants(text, words):
    """{CONSTANT: (parent or None, {field: value})}; values as configs write them."""
    found = {}
    pattern = r"pub const (\w+): Self =\s*Self \{(.*?)\};"
    for name, body in re.findall(pattern, text, re.S):
        parent = re.search(r"\.\.Self::(\w+)", body)
        fields = {}
        for field, value in re.findall(r"(\w+): ([^,]+?)\s*,", body + ","):
            match = re.match(r"(\w+)::(\w+)$", value)
            if match:
                kind, variant = match.groups()
                value = next(word for v, word, _ in words[kind] if v == variant)
            fields[field] = value.strip('"')
        found[name] = (parent and parent.group(1), fields)
    return found


def knob_table(words, worded, plain, realistic):
    lines = ["| knob | what it decides | words, that of `realistic` first |", "|---|---|---|"]
    for knob, kind, doc in worded:
        own = realistic[knob]
        order = sorted(words[kind], key=lambda one: one[1] != own)
        cells = "<br>".join(f"`{word}`: {lowered(text)}" for _, word, text in order)
        lines.append(f"| `{knob}` | {doc} | {cells} |")
    kinds = {"bool": "true or false", "u8": "whole number", "f64": "number"}
    for knob, kind, doc in plain:
        lines.append(f"| `{knob}` | {doc} | {kinds[kind]}; `{realistic[knob]}` |")
    return lines


def lowered(text):
    return text[0].lower() + text[1:].rstrip(".")


def constant_table(found):
    """What each constant changes of the one it starts from."""
    lines = ["| constant | starts from | and changes |", "|---|---|---|"]
    names = {constant: fields["name"] for constant, (_, fields) in found.items()}
    for constant, (parent, fields) in found.items():
        if parent is None:
            continue
        changed = [f"{k} `{v}`" for k, v in fields.items() if k != "name"]
        cell = ", ".join(changed) or "nothing"
        lines.append(f"| `{names[constant]}` | `{names[parent]}` | {cell} |")
    return lines


def rejection_table(words, hints):
    lines = ["| code | when | remedy |", "|---|---|---|"]
    raised = {
        path: path.read_text()
        for folder in ("broker", "engine")
        for path in sorted((SOURCE / folder).rglob("*.rs"))
    }
    for variant, word, doc in words["RejectCode"]:
        is_raised = any(f"RejectCode::{variant}" in text for text in raised.values())
        later = "" if is_raised else " *Not raised.*"
        lines.append(f"| `{word}` | {doc}{later} | {hints[variant]} |")
    return lines


def reason_table(words):
    lines = ["| list | words |", "|---|---|"]
    for title, kind in (
        ("exit reasons", "ExitReason"),
        ("cancelled", "CancelReason"),
        ("expired", "ExpireReason"),
    ):
        cells = "<br>".join(f"`{word}`: {lowered(doc)}" for _, word, doc in words[kind])
        lines.append(f"| {title} | {cells} |")
    return lines


def remedies(text):
    found = {}
    pattern = r'RejectCode::(\w+) => \{?\s*"((?:[^"\\]|\\.)*)"'
    for variant, body in re.findall(pattern, text, re.S):
        found[variant] = re.sub(r"\\\n\s*", "", body)
    return found


def tables():
    """{marker: lines}."""
    broker = SOURCE / "broker"
    text = (broker / "semantics.rs").read_text()
    presets = (broker / "presets.rs").read_text()
    words = enums(text) | enums((broker / "codes.rs").read_text())
    worded, plain = knobs(text)
    found = constants(text, words) | constants(presets, words)
    hints = remedies((SOURCE / "records" / "hints.rs").read_text())
    return {
        "knobs": knob_table(words, worded, plain, found["REALISTIC"][1]),
        "constants": constant_table(found),
        "rejections": rejection_table(words, hints),
        "reasons": reason_table(words),
    }


def filled(page):
    for marker, lines in tables().items():
        start, end = f"<!-- {marker}: by semantics_tables.py -->", f"<!-- end of {marker} -->"
        before, rest = page.split(start)
        _, after = rest.split(end)
        page = before + "\n".join([start, *lines, end]) + after
    return page


def main():
    page = PAGE.read_text()
    new = filled(page)
    if "--check" in sys.argv[1:]:
        return 0 if new == page else "docs/semantics.md differs: run docs/semantics_tables.py"
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
