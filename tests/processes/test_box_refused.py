"""Where no box can be had, it is said what is missing, and what mends it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tinytorch.processes import box as module
from tinytorch.processes.box import refusal


def test_without_bubblewrap_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    why, mend = refusal.__wrapped__("A")

    assert (why, "apt install bubblewrap" in mend) == ("bubblewrap is not installed", True)


def test_without_the_library_there_is_no_tier_b(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "seccomp_program", lambda tier: b"")

    assert "pip install pyseccomp" in refusal.__wrapped__("B")[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel.apparmor_restrict_unprivileged_userns", "1"),
        ("kernel.unprivileged_userns_clone", "0"),
        ("user.max_user_namespaces", "0"),
    ],
)
def test_the_setting_that_forbids_namespaces_is_named(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Ubuntu's AppArmor does, older Debian, and a hardened system."""
    path = tmp_path / name.replace(".", "/")
    path.parent.mkdir(parents=True)
    path.write_text(f"{value}\n")
    monkeypatch.setattr(module, "SETTINGS", tmp_path)

    assert f"sudo sysctl {name}=" in module.mend_of_namespaces()


def test_another_system_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    assert refusal.__wrapped__("A") == ("boxes need Linux", "verify on a Linux machine or in a virtual one")


def test_a_kernel_without_landlock_has_no_tier_b(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.confine, "landlock_version", lambda: 0)

    assert "has no Landlock" in refusal.__wrapped__("B")[0]
