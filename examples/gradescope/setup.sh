#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: the wheel beside it is installed for run_autograder.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
python3 -m venv "$root/environment"
"$root/environment/bin/pip" install --quiet "$root"/source/*.whl
