"""The probes: each is blocked in a box, and succeeds without one; else it proves nothing."""

from __future__ import annotations

import pytest

from tinytorch.processes.box import Box, Tier, refusal
from tinytorch.processes.probes import PROBES
from tinytorch.processes.selftest import NEEDED, Probe, SelfTest, self_test

LEAST_BLOCKED = {"A": 22, "B": 20}


@pytest.mark.box
@pytest.mark.parametrize("tier", LEAST_BLOCKED)
def test_a_box_blocks_what_is_tried(tier: Tier) -> None:
    refused = refusal(tier)
    assert refused is None, f"no box of tier {tier} on this machine: {refused}"
    found = self_test(Box(tier))

    assert len(found.probes) == 22
    assert found.blocked >= LEAST_BLOCKED[tier], found.open
    assert found.holds


@pytest.mark.box
def test_every_probe_has_its_control() -> None:
    """In a plain process each act succeeds."""
    found = self_test(None)

    assert [probe for probe in found.probes if not probe.is_open] == []
    assert not found.holds


def test_what_is_needed_is_among_the_probes() -> None:
    assert {*PROBES} >= NEEDED


@pytest.mark.parametrize(("name", "holds"), [("ptrace", False), ("keyring", True)])
def test_a_box_holds_with_what_matters_blocked(name: str, holds: bool) -> None:
    assert SelfTest("A", (Probe(name, True, ""),)).holds is holds


def test_no_plain_process_holds() -> None:
    assert not SelfTest("C", (Probe("ptrace", False, ""),)).holds
