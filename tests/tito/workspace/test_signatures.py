"""Signatures of verifications: who re-ran, and every way in which that does not hold."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.competition.checks.test_shift import WORKS, record, shift
from tinytorch.errors import SetupMissingError, UsageError
from tito.workspace import signatures
from tito.workspace.signatures import MANIFEST, SIGNATURE, NotSignedError
from tito.workspace.verified import Verified

needs_ssh = pytest.mark.ssh


def key(folder: Path, name: str, passphrase: str = "") -> Path:
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(path)], check=True)
    return path


def public(path: Path) -> str:
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@pytest.fixture
def folder(tmp_path: Path) -> Verified:
    """Two records and a shift."""
    found = Verified(tmp_path / "verified")
    found.make()
    for id_ in WORKS[:2]:
        found.keep(f"{id_}.json", record(id_).text().encode())
    found.keep_shift(shift())
    return found


@pytest.fixture
def signed(folder: Verified, tmp_path: Path) -> Verified:
    """Signed by Ada."""
    signatures.sign(folder, key(tmp_path, "ada"))
    return folder


@pytest.fixture
def signers(tmp_path: Path) -> Callable[[str], Path]:
    """A file of those whom we rely on."""

    def write(*lines: str) -> Path:
        path = tmp_path / "allowed_signers"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


@needs_ssh
def test_whose_signature_it_is(signed: Verified, signers: Callable[..., Path], tmp_path: Path) -> None:
    found = signatures.check(
        signed, signers(f"eve {public(key(tmp_path, 'eve'))}", f"ada@uni {public(tmp_path / 'ada')}")
    )

    assert (found.by, found.records, found.key.startswith("SHA256:")) == ("ada@uni", 2, True)


@needs_ssh
def test_the_manifest_has_a_line_for_every_record_in_their_order(signed: Verified) -> None:
    names = [json.loads(line)["file"] for line in (signed.folder / MANIFEST).read_text().splitlines()]

    assert names == [f"{WORKS[0]}.json", f"{WORKS[1]}.json", f"shifts/{WORKS[0]}.json"]


def change(path: Path, old: bytes = b"because", new: bytes = b"becausE") -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


def with_another_namespace(folder: Path, own: Path) -> None:
    content = (folder / MANIFEST).read_bytes()
    made = subprocess.run(["ssh-keygen", "-Y", "sign", "-f", str(own), "-n", "git"], input=content, capture_output=True,
                          check=True)  # fmt: skip
    (folder / SIGNATURE).write_bytes(made.stdout)


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a record": (lambda at: change(at / f"{WORKS[0]}.json"), "was changed after it was signed"),
    "a shift": (lambda at: (at / f"shifts/{WORKS[0]}.json").write_text("{}"), "was changed after it was signed"),
    "one more": (lambda at: (at / "ffffffffffffffff.json").write_text("{}"), "is not among what was signed"),
    "one less": (lambda at: (at / f"{WORKS[1]}.json").unlink(), "is not there any more"),
    "manifest": (lambda at: change(at / MANIFEST, b"sha256", b"sha257"), "manifest.jsonl is not what was signed"),
    "no manifest": (lambda at: (at / MANIFEST).unlink(), "it is not signed"),
    "no signature": (lambda at: (at / SIGNATURE).unlink(), "it is not signed"),
    "nonsense": (lambda at: (at / SIGNATURE).write_text("x"), "is no signature of OpenSSH"),
    "cut": (lambda at: (at / SIGNATURE).write_text((at / SIGNATURE).read_text()[:60]), "is no signature of OpenSSH"),
    "a pipe": (lambda at: ((at / SIGNATURE).unlink(), os.mkfifo(at / SIGNATURE)), "cannot be read"),
    "another namespace": (lambda at: with_another_namespace(at, at.parent / "ada"), "it was signed as 'git'"),
}  # fmt: skip


@needs_ssh
@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_does_not_hold(
    signed: Verified, signers: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    act, words = CHANGES[name]
    act(signed.folder)
    with pytest.raises(NotSignedError, match=words):
        signatures.check(signed, signers(f"ada {public(tmp_path / 'ada')}"))


@needs_ssh
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "is none of those in"),
        ('ada valid-before="20200101" {key}', "has expired"),
        ('ada valid-after="20990101" {key}', "is not valid yet"),
        ('ada namespaces="git" {key}', "may not sign verifications"),
        ("garbage", "is none of those in"),
        ("{key}", "has a line without a name before the key"),
    ],
)
def test_a_key_that_is_not_relied_on(
    signed: Verified, signers: Callable[..., Path], tmp_path: Path, line: str, words: str
) -> None:
    with pytest.raises(NotSignedError, match=words):
        signatures.check(signed, signers(line.format(key=public(tmp_path / "ada"))))


@needs_ssh
def test_a_key_that_was_revoked(signed: Verified, signers: Callable[..., Path], tmp_path: Path) -> None:
    known = signers(f"ada {public(tmp_path / 'ada')}")
    with pytest.raises(NotSignedError, match="was revoked"):
        signatures.check(signed, known, tmp_path / "ada.pub")

    assert signatures.check(signed, known, key(tmp_path, "eve").with_suffix(".pub")).by == "ada"


@needs_ssh
def test_one_key_may_stand_in_several_lines(signed: Verified, signers: Callable[..., Path], tmp_path: Path) -> None:
    own = public(tmp_path / "ada")
    nameless = public(key(tmp_path, "eve"))
    known = signers(nameless, f'ada@git namespaces="git" {own}', f"!eve@uni,ada@uni {own}")

    assert signatures.check(signed, known).by == "ada@uni"


@needs_ssh
@pytest.mark.parametrize(("name", "words"), [("nothing", "there is no file"), ("nonsense", "is no list of keys")])
def test_what_is_no_list_of_revoked_keys(
    signed: Verified, signers: Callable[..., Path], tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "nonsense").write_bytes(bytes(range(256)))
    with pytest.raises(UsageError, match=words):
        signatures.check(signed, signers(f"ada {public(tmp_path / 'ada')}"), tmp_path / name)


@needs_ssh
def test_what_was_added_and_cannot_be_read_does_not_hold(
    signed: Verified, signers: Callable[..., Path], tmp_path: Path
) -> None:
    (signed.folder / "x.json").mkdir()
    with pytest.raises(NotSignedError, match="cannot read"):
        signatures.check(signed, signers(f"ada {public(tmp_path / 'ada')}"))


@needs_ssh
def test_without_a_terminal_there_is_no_passphrase(folder: Verified, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no terminal to ask for it") as caught:
        signatures.sign(folder, key(tmp_path, "ada", "secret"))

    assert "ssh-add" in caught.value.mend
    assert not (folder.folder / MANIFEST).exists()


@needs_ssh
@pytest.mark.parametrize(("name", "words"), [("nothing", "there is no key"), ("nonsense", "cannot sign")])
def test_what_is_no_key(folder: Verified, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "nonsense").write_text("x")
    with pytest.raises(UsageError, match=words):
        signatures.sign(folder, tmp_path / name)


def test_a_device_that_nobody_touches_is_told(
    folder: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("ssh-keygen", signatures.LIMIT_S)

    monkeypatch.setattr(signatures, "which", lambda name: "/bin/ssh-keygen")
    monkeypatch.setattr(signatures.subprocess, "run", run)
    (tmp_path / "key").touch()
    with pytest.raises(UsageError, match="did not end"):
        signatures.sign(folder, tmp_path / "key")


@needs_ssh
def test_an_empty_folder_is_not_signed(tmp_path: Path) -> None:
    found = Verified(tmp_path / "empty")
    found.make()
    with pytest.raises(UsageError, match="there is no record of a verification"):
        signatures.sign(found, key(tmp_path, "ada"))


def test_without_openssh_that_is_said(folder: Verified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "which", lambda name: None)
    (tmp_path / "key").touch()
    with pytest.raises(SetupMissingError, match="ssh-keygen is not installed"):
        signatures.sign(folder, tmp_path / "key")


@needs_ssh
def test_signed_and_checked_by_the_commands(
    signed: Verified, signers: Callable[..., Path], tmp_path: Path, tito
) -> None:
    known, where = str(signers(f"ada {public(tmp_path / 'ada')}")), str(signed.folder)
    again = tito("verify", "sign", where, "--key", str(tmp_path / "ada"))
    good = tito("verify", "check", where, "--signers", known, "--json")
    change(signed.folder / f"{WORKS[0]}.json")
    bad = tito("verify", "check", where, "--signers", known)

    assert (again.code, good.code, good.json["signed_by"], bad.code) == (0, 0, "ada", 1)
    assert "the signature does not hold: 0000000000000000.json was changed" in bad.out
