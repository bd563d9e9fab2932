"""Each finding stands alone: pinned packages, a temporary folder, none of our code, a row in the table. None is run."""

import os
import re

import pytest

from helpers import ROOT

FINDINGS = sorted((ROOT / "findings").glob("*.sh"))


@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: file.stem)
def test_a_finding_stands_alone(file):
    text = file.read_text(encoding="utf-8")
    assert os.access(file, os.X_OK) and "set -euo pipefail" in text and "mktemp -d" in text and "trap 'rm -rf" in text
    packages = re.search(r"pip\" install --quiet (.+)", text.replace("\\\n", " "))[1].split()
    assert packages and all("==" in package for package in packages)
    assert not re.search(r"(from|import) (apps|compare|nets|tasks|utils)\b", text)
    assert f"| `{file.name}` |" in (ROOT / "findings" / "README.md").read_text(encoding="utf-8")
