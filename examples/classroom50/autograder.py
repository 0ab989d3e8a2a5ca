"""An autograder for Classroom 50: the checks of `submission.json` as tests, with the points of class.toml as the score.

Put it into CLASSROOM/autograders/ASSIGNMENT/, with class.toml and the package's wheel beside it. The runner calls it in
the student's checkout and reads result.json: https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
FACTS = {"classroom": "CLASSROOM", "assignment": "ASSIGNMENT", "submission": "SUBMISSION_TAG", "commit": "COMMIT_URL",
         "release": "RELEASE_URL", "review": "REVIEW_URL"}  # fmt: skip


def main() -> None:
    """Check, and write result.json; a failure of our own ends with another exit code than 0."""
    Path("result.json").unlink(missing_ok=True)
    if find_spec("tito") is None:
        python("pip", "install", "--quiet", *map(str, HERE.glob("*.whl"))).check_returncode()
    file, asked = Path("submission.json").absolute(), HERE / "class.toml"
    done = python("tito", "olympics", "validate", str(file), "--class", str(asked), "--json")
    if done.returncode > 1:  # 0 is good, 1 are findings, and anything else is not the student's doing
        sys.exit(done.stderr)
    found, *others = json.loads(done.stdout)["results"]
    if others:
        sys.exit("submission.json is a folder of several files")
    if found["points"] is None:
        sys.exit("class.toml gives no points to one file alone: write points at scores, not at ranks")
    Path("result.json").write_text(json.dumps(result(found), indent=2))


def python(*command: str) -> subprocess.CompletedProcess[str]:
    """A module in a process that imports nothing of the student's: not in their folder, and -P is for ours."""
    return subprocess.run(
        [sys.executable, "-P", "-m", *command], cwd=HERE, capture_output=True, text=True, check=False
    )  # fmt: skip


def result(found: dict) -> dict:
    """The document that Classroom 50 asks for: all points belong to the first test, and none to the checks."""
    earned, most = round(found["points"]), round(found["most_points"])
    points = {"test-name": found["earned"], "passed": found["valid"] and earned > 0, "score": earned, "max-score": most}
    checks = [
        {"test-name": f"{check['id']} {check['name']}: {check['message']}",
         "passed": check["passed"] is not False or check["severity"] != "error", "score": 0, "max-score": 0}
        for check in found["checks"]
    ]  # fmt: skip
    return {
        "schema": "classroom50/result/v1",
        **{name: os.environ.get(variable, "") for name, variable in FACTS.items()},
        "datetime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "score": earned, "max-score": most, "tests": [points, *checks],
    }  # fmt: skip


if __name__ == "__main__":
    main()
