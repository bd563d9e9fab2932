"""Writes the body of docs/flags.md, everything below its marker, from what the scripts print for --help:

    python -m docs.flags
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "flags.md"
MARKER = "<!-- written by python -m docs.flags -->\n"
SCRIPTS = ("train.py", "predict.py", "evaluate.py", "export.py", "benchmark.py", "serve.py", "-m utils.download",
           "-m utils.distortions")


def main() -> None:
    """Puts a section for each script below the marker of the page."""
    head = PAGE.read_text(encoding="utf-8").split(MARKER)[0]
    PAGE.write_text(head + MARKER + "".join(f"\n## python {script}\n{section(script)}" for script in SCRIPTS),
                    encoding="utf-8")


def section(script: str) -> str:
    """A script's headings and flags as Markdown; what --help says before the first heading is left out."""
    printed = subprocess.run([sys.executable, *script.split(), "--help"], cwd=ROOT, capture_output=True, text=True,
                             check=True).stdout
    lines, started, waiting = [], False, ""
    for line in printed.splitlines():
        if line.startswith("  --"):
            if not started:
                lines, started = [f"\n### {waiting}\n\n"], True
            elif waiting:
                lines.append(f"\n### {waiting}\n\n")
            waiting = ""
            note = re.fullmatch(r"  (--\w+): (.*)", line)  # of a flag that stands under another heading
            lines.append(f"- `{note[1]}`: {plain(note[2])}\n" if note else flag(line.strip()))
        elif line.startswith("      ") and started:
            lines.append(f"  {plain(line.strip())}\n")
        elif line and not line.startswith(" "):
            waiting = line
    return "".join(lines)


def flag(line: str) -> str:
    """`--name=default` as an item of a list, the same on every machine."""
    name, note = re.fullmatch(r"(\S+)\s*(\(.*\))?", line).groups()
    name = re.sub(r"(?<=^--workers=)\d+", "CORES-1", name)
    return f"- `{name}`{f' {note}' if note else ''}\n"


def plain(text: str) -> str:
    """Text in which Markdown sees no tags; what stands in `ticks` stays."""
    return "".join(part if n % 2 else part.replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_") for n, part in
                   enumerate(re.split(r"(`[^`]*`)", text)))


if __name__ == "__main__":
    main()
