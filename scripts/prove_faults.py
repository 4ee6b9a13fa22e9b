"""Puts small faults into what decides, seals and chains, one by one, and counts how many the tests notice.

Which files and tests: `[tool.mutmut]` in pyproject.toml. Ends with 1 when too many stay unnoticed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

KILLED_MIN: Final = 0.90
MADE: Final = Path("mutants")
STATS: Final = MADE / "mutmut-cicd-stats.json"


def main() -> int:
    shutil.rmtree(MADE, ignore_errors=True)
    # It draws its progress over and over on one line; what goes wrong is said by its exit code and what it wrote.
    ran = subprocess.run([sys.executable, "-m", "mutmut", "run"], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        print(ran.stdout[-4000:], ran.stderr[-4000:], sep="\n", file=sys.stderr)
        return ran.returncode
    subprocess.run([sys.executable, "-m", "mutmut", "export-cicd-stats"], capture_output=True, check=True)
    found = json.loads(STATS.read_text())
    # A fault with which a test goes on without end is noticed as well.
    killed = found["killed"] + found["timeout"] + found["segfault"]
    share = killed / found["total"]
    print(f"{found['total']} faults in policy, seal and chain: {killed} noticed ({share:.1%}). Not noticed:")
    told = subprocess.run([sys.executable, "-m", "mutmut", "results"], capture_output=True, text=True, check=True)
    for name in sorted(line.strip() for line in told.stdout.splitlines() if line.strip()):
        print(f"  {name}")
    return 0 if share >= KILLED_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
