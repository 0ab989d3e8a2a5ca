#!/usr/bin/env bash
# Annotations for what is wrong, and a summary with every finding. It fails where the submission is not valid.
set -uo pipefail
cd "$GITHUB_WORKSPACE" || exit
class=.github/workflows/class.toml
tito olympics validate submission.json --class "$class" --format markdown >>"$GITHUB_STEP_SUMMARY"
tito olympics validate submission.json --class "$class" --format github
