"""A folder of verifications, signed: one manifest with the digest of every record, and a signature by `ssh-keygen`.

OpenSSH does the signing (https://man.openbsd.org/ssh-keygen, `-Y`), so that agents and hardware keys work and nobody
needs a new kind of key. The signature says who re-ran, and nothing more. `check-novalidate` is never used: it says
"good" to anybody's.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256 as hashed
from pathlib import Path
from shutil import which

from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.files import read_regular, reason, sha256
from tinytorch.owners import scratch
from tinytorch.showing import safe_text
from tito.workspace.verified import SHIFTS, Verified

NAMESPACE = "tinytorch-olympics-verification"  # so that no signature made for anything else is taken for ours
MANIFEST, SIGNATURE = "manifest.jsonl", "manifest.jsonl.sig"
LARGEST_MANIFEST_BYTES, LARGEST_SIGNATURE_BYTES = 2**28, 2**16
LARGEST_RECORD_BYTES = 2**26
MAGIC, WORDS = b"SSHSIG", 3  # https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
FIRST = "-----BEGIN SSH SIGNATURE-----"
LIMIT_S = 600.0  # somebody may have to find his hardware key
INSTALL = "apt install openssh-client"
MOST_NAMED = 3


class NotSignedError(Exception):
    """A signature that says nothing of what is there, and why in a sentence."""


@dataclass(frozen=True)
class Signed:
    """Whose signature it is: as the file of signers calls him, and the key."""

    by: str
    key: str
    records: int

    @property
    def words(self) -> str:
        """In a sentence."""
        return f"{self.records} records, signed by {safe_text(self.by, 100)} ({self.key})"


def sign(folder: Verified, key: Path) -> int:
    """Write the manifest and its signature; how many records it has. UsageError for a key that cannot sign."""
    lines = list(_lines(folder))
    if not any("/" not in json.loads(line)["file"] for line in lines):
        mend = "verify the entries first: tito olympics verify FOLDER -o DIR"
        raise UsageError(f"there is no record of a verification in {folder.folder}", mend=mend)
    if not key.is_file():
        raise UsageError(f"there is no key {key}", mend="--key ~/.ssh/id_ed25519; make one with: ssh-keygen -t ed25519")
    content = "".join(lines).encode()
    hears = sys.stdin.isatty() and sys.stderr.isatty()
    done = _keygen(["sign", "-f", str(key), "-n", NAMESPACE], content, hears)
    if done.returncode:
        raise _unsigned(key, done.stderr)
    folder.keep(MANIFEST, content)
    folder.keep(SIGNATURE, done.stdout)
    return len(lines) - sum(SHIFTS in line for line in lines)


def check(folder: Verified, signers: Path, revoked: Path | None = None) -> Signed:
    """Whose signature the folder has. NotSignedError, with why, where it has none that holds for all that is in it."""
    for path in (signers, *([revoked] if revoked else [])):
        if not path.is_file():
            raise UsageError(f"there is no file {path}", mend="a line for each signer: ada@uni ssh-ed25519 AAAA...")
    content = _kept(folder, MANIFEST, LARGEST_MANIFEST_BYTES)
    signature = _kept(folder, SIGNATURE, LARGEST_SIGNATURE_BYTES)
    namespace, key = _parsed(signature)
    if namespace != NAMESPACE:
        raise NotSignedError(f"it was signed as {safe_text(namespace, 60)!r}, and not as a verification")
    with scratch() as place:
        beside = place / "signature"
        beside.write_bytes(signature)
        by = _principal(beside, signers, key)
        asked = ["verify", "-f", str(signers), "-I", by, "-n", NAMESPACE, "-s", str(beside)]
        found = _keygen(asked, content)
        if found.returncode:
            raise NotSignedError(
                _why(found.stderr, key, f"{MANIFEST} is not what was signed: it was changed afterwards")
            )
        if revoked and _keygen([*asked, "-r", str(revoked)], content).returncode:
            raise NotSignedError(f"the key {key} was revoked")
    wrong = list(_others(folder, content))
    if wrong:
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise NotSignedError(f"{'; '.join(wrong[:MOST_NAMED])}{more}")
    return Signed(by, key, sum(SHIFTS not in line for line in content.decode().splitlines()))


def is_signed(folder: Path) -> bool:
    """Whether there is a signature, whatever it is worth."""
    return os.path.lexists(folder / SIGNATURE)


def _lines(folder: Verified) -> Iterator[str]:
    """A line for each record, sorted by its name."""
    for name, content in sorted(_contents(folder.folder)):
        yield json.dumps({"file": name, "sha256": sha256(content)}) + "\n"


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in (*folder.glob("*.json"), *(folder / SHIFTS).glob("*.json")):
        try:
            yield path.relative_to(folder).as_posix(), read_regular(path, LARGEST_RECORD_BYTES)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {reason(error)}", mend="remove it, or make it readable") from error


def _others(folder: Verified, manifest: bytes) -> Iterator[str]:
    """What is not there as it was signed."""
    signed = dict(_read(manifest))
    there = {name: sha256(content) for name, content in _contents(folder.folder)}
    for name in sorted({*signed, *there}):
        if name not in there:
            yield f"{safe_text(name, 60)} was signed, and is not there any more"
        elif name not in signed:
            yield f"{safe_text(name, 60)} is not among what was signed"
        elif signed[name] != there[name]:
            yield f"{safe_text(name, 60)} was changed after it was signed"


def _read(manifest: bytes) -> Iterable[tuple[str, str]]:
    try:
        lines = [json.loads(line) for line in manifest.decode().splitlines()]
        return [(str(line["file"]), str(line["sha256"])) for line in lines]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotSignedError(f"{MANIFEST} is signed, and not of a form that we write") from None


def _kept(folder: Verified, name: str, limit_bytes: int) -> bytes:
    try:
        return read_regular(folder.folder / name, limit_bytes)
    except FileNotFoundError:
        raise NotSignedError(f"it is not signed: there is no {name}") from None
    except OSError as error:
        raise NotSignedError(f"{name} cannot be read: {reason(error)}") from None


def _parsed(signature: bytes) -> tuple[str, str]:
    """The namespace, and the key as OpenSSH prints it: of public key, namespace, ... behind the magic word."""
    try:
        first, *lines = signature.decode("ascii").partition("\n-----END")[0].splitlines()
        blob = base64.b64decode("".join(lines), validate=True)
        if first != FIRST or not blob.startswith(MAGIC):
            raise ValueError
        key, rest = _string(blob[len(MAGIC) + 4 :])
        namespace, _ = _string(rest)
    except (ValueError, binascii.Error):
        raise NotSignedError(f"{SIGNATURE} is no signature of OpenSSH") from None
    digest = base64.b64encode(hashed(key).digest()).decode().rstrip("=")
    return namespace.decode("utf-8", "replace"), f"SHA256:{digest}"


def _string(blob: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 + length:
        raise ValueError
    return blob[4 : 4 + length], blob[4 + length :]


def _principal(signature: Path, signers: Path, key: str) -> str:
    found = _keygen(["find-principals", "-s", str(signature), "-f", str(signers)], b"")
    names = [name for line in found.stdout.decode("utf-8", "replace").splitlines() for name in line.split(",")]
    if found.returncode or not names:
        raise NotSignedError(_why(found.stderr, key, f"the key {key} is none of those in {signers}"))
    return names[0]


def _why(said: bytes, key: str, otherwise: str) -> str:
    """In a sentence of ours what OpenSSH said."""
    words = said.decode("utf-8", "replace")
    for mark, sentence in (
        ("expired", f"the key {key} has expired"),
        ("not yet valid", f"the key {key} is not valid yet"),
        ("not permitted", f"the key {key} may not sign verifications"),
    ):
        if mark in words:
            return sentence
    return otherwise


def _unsigned(key: Path, said: bytes | None) -> UsageError:
    """Why there is no signature; at a terminal OpenSSH has said it there."""
    words, named = (said or b"").decode("utf-8", "replace").strip(), shlex.quote(str(key))
    if "passphrase" in words:
        mend = f"ssh-add {named}, then --key {named}.pub; or sign at a terminal"
        return UsageError(f"{key} has a passphrase, and there is no terminal to ask for it", mend=mend)
    why = f": {safe_text(words.splitlines()[-1])}" if words else ""
    return UsageError(f"{key} cannot sign{why}", mend="give a key of OpenSSH: --key ~/.ssh/id_ed25519")


def _keygen(arguments: list[str], given: bytes, hears: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Whoever signs at a terminal is asked there for his passphrase, or to touch his key."""
    program = which("ssh-keygen")
    if program is None:
        raise SetupMissingError("ssh-keygen is not installed", mend=INSTALL)
    environment = {**os.environ, "LC_ALL": "C"}
    if not hears:
        environment["SSH_ASKPASS_REQUIRE"] = "never"
    return subprocess.run(
        [program, "-Y", *arguments], input=given, stdout=subprocess.PIPE, stderr=None if hears else subprocess.PIPE,
        env=environment, check=False, timeout=LIMIT_S, start_new_session=not hears,
    )  # fmt: skip
