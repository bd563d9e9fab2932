"""Writes the body of docs/files.md, everything below its marker, from the first line of each module's docstring:

    python -m docs.files
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "files.md"
MARKER = "<!-- written by python -m docs.files -->\n"
FOLDERS = ("apps", "tasks", "nets", "utils", "docs")


def main() -> None:
    """Puts a table for each folder below the marker of the page."""
    head = PAGE.read_text(encoding="utf-8").split(MARKER)[0]
    PAGE.write_text(head + MARKER + body(), encoding="utf-8")


def body() -> str:
    """A table for each folder that holds modules, the scripts first."""
    tables = [table("Scripts", sorted(ROOT.glob("*.py")))]
    for folder in FOLDERS:
        for each in sorted({path.parent for path in (ROOT / folder).rglob("*.py")}):
            tables.append(table(f"{each.relative_to(ROOT)}/", sorted(each.glob("*.py"))))
    return "".join(tables)


def table(title: str, files: list[Path]) -> str:
    """A heading and a row for each file that says what it is; "" where none does."""
    rows = [f"| `{file.name}` | {line} |\n" for file in files if (line := first_line(file))]
    return f"\n## {title}\n\n| file | what it holds |\n|---|---|\n" + "".join(rows) if rows else ""


def first_line(file: Path) -> str:
    """The first line of a module's docstring, as a cell of a table; "" where it has none."""
    said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].strip().replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


if __name__ == "__main__":
    main()
