"""Where this program's own files are: in a checkout, or in a wheel that has no more than the packages. Light."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent
SOURCE_TESTS = CHECKOUT / "tests" / "modules"
IS_CHECKOUT = SOURCE_TESTS.is_dir()
