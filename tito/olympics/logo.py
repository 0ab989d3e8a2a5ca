"""`tito olympics logo`: five rings, in ASCII for every terminal."""

from __future__ import annotations

from tito.options import Json
from tito.terminal import screen

LOGO = r"""
   ,---.   ,---.   ,---.
  /     \ /     \ /     \
 (   ,-+-)-.   ,-(-+-.   )
  \ /   / \ \ / / \   \ /
   `+--'   `-+-'   `--+'
     \     /   \     /      TINYTORCH OLYMPICS
      `---'     `---'       faster, smaller, and measured
"""


def logo(json_: Json = False) -> None:
    """Show the logo."""
    if json_:
        screen.put_json({"logo": LOGO.strip("\n").splitlines()})
    else:
        screen.put(LOGO.strip("\n"))
