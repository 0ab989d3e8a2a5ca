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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256 as hashed
from pathlib import Path
from shutil import which

from tinytorch.errors import SetupMissingError, UsageError
from tinytorch.files import read_regular, reason, sha256
from tinytorch.owners import scratch
from tinytorch.showing import safe_text, some
from tito.workspace.verified import SHIFTS, Verified

NAMESPACE = "tinytorch-olympics-verification"  # so that no signature made for anything else is taken for ours
MANIFEST, SIGNATURE = "manifest.jsonl", "manifest.jsonl.sig"
LARGEST_MANIFEST_BYTES, LARGEST_SIGNATURE_BYTES = 2**28, 2**16
LARGEST_RECORD_BYTES = 2**26
MAGIC = b"SSHSIG"  # https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
LIST_MAGIC = b"SSHKRL\n\0"
KEY_KINDS = ("ssh-", "ecdsa-", "sk-")
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
    lines, count = list(_lines(folder)), sum(1 for _ in folder.contents())
    if not count:
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
    return count


def check(folder: Verified, signers: Path, revoked: Path | None = None) -> Signed:
    """Whose signature the folder has. NotSignedError, with why, where it has none that holds for all that is in it."""
    if not signers.is_file():
        raise UsageError(f"there is no file {signers}", mend="a line for each signer: ada@uni ssh-ed25519 AAAA...")
    if revoked:
        _refuse_no_keys(revoked)
    content = _kept(folder, MANIFEST, LARGEST_MANIFEST_BYTES)
    signature = _kept(folder, SIGNATURE, LARGEST_SIGNATURE_BYTES)
    namespace, key = _parsed(signature)
    if namespace != NAMESPACE:
        raise NotSignedError(f"it was signed as {safe_text(namespace, 60)!r}, and not as a verification")
    with scratch() as place:
        beside = place / "signature"
        beside.write_bytes(signature)
        by = _signer(_principals(beside, signers, key), content, ["-f", str(signers), "-s", str(beside)], key)
        asked = ["verify", "-f", str(signers), "-I", by, "-n", NAMESPACE, "-s", str(beside)]
        if revoked and _keygen([*asked, "-r", str(revoked)], content).returncode:
            raise NotSignedError(f"the key {key} was revoked")
    wrong = list(_others(folder, content))
    if wrong:
        raise NotSignedError(some(wrong, MOST_NAMED, "; "))
    return Signed(by, key, sum(1 for _ in folder.contents()))


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
            named = safe_text(str(path), 300)
            raise UsageError(f"cannot read {named}: {reason(error)}", mend="remove it, or make it readable") from error


def _others(folder: Verified, manifest: bytes) -> Iterator[str]:
    """What is not there as it was signed."""
    signed = dict(_read(manifest))
    try:
        there = {name: sha256(content) for name, content in _contents(folder.folder)}
    except UsageError as error:
        raise NotSignedError(error.message) from None
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
        raise NotSignedError(f"it is not signed (no {name}): tito olympics verify sign DIR --key FILE") from None
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
    return namespace.decode("utf-8", "replace"), _named(key)


def _string(blob: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 + length:
        raise ValueError
    return blob[4 : 4 + length], blob[4 + length :]


def _principals(signature: Path, signers: Path, key: str) -> list[str]:
    """As which signers the key may be known; what begins with `!` says who is not meant."""
    found = _keygen(["find-principals", "-s", str(signature), "-f", str(signers)], b"")
    lines = [line.split() for line in _text(signers).splitlines()]
    own = [words[0].strip('"') for words in lines if words and any(_fingerprint(each) == key for each in words[1:])]
    named = ",".join([*found.stdout.decode("utf-8", "replace").split(), *own])  # OpenSSH tells those of one line
    names = [name for name in dict.fromkeys(named.split(",")) if name and not name.startswith(("!", *KEY_KINDS))]
    if not names and any(words and words[0].startswith(KEY_KINDS) for words in lines):
        raise NotSignedError(f"{signers} has a line without a name before the key: ada@uni ssh-ed25519 AAAA...")
    if not names:
        raise NotSignedError(_why(found.stderr, key, f"the key {key} is none of those in {signers}"))
    return names


def _fingerprint(word: str) -> str | None:
    """Of a key as it stands in a line; None of any other word."""
    try:
        return _named(base64.b64decode(word, validate=True))
    except (ValueError, binascii.Error):
        return None


def _named(key: bytes) -> str:
    """A key as OpenSSH names it."""
    return f"SHA256:{base64.b64encode(hashed(key).digest()).decode().rstrip('=')}"


def _text(path: Path) -> str:
    return path.read_bytes()[:LARGEST_SIGNATURE_BYTES].decode("utf-8", "replace")


def _signer(names: Sequence[str], content: bytes, files: list[str], key: str) -> str:
    """The first as whom the signature holds; several lines may have one key."""
    for name in names:
        found = _keygen(["verify", "-I", name, "-n", NAMESPACE, *files], content)
        if found.returncode == 0:
            return name
    raise NotSignedError(_why(found.stderr, key, f"{MANIFEST} is not what was signed: it was changed afterwards"))


def _refuse_no_keys(revoked: Path) -> None:
    """UsageError for a list of revoked keys that OpenSSH could not read: it would take every key for revoked."""
    mend = "give a public key (.pub), several in one file, or a list made by ssh-keygen -k"
    if not revoked.is_file():
        raise UsageError(f"there is no file {revoked}", mend=mend)
    is_list = revoked.read_bytes()[: len(LIST_MAGIC)] == LIST_MAGIC
    if not is_list and _run(["-l", "-f", str(revoked)], b"").returncode:
        raise UsageError(f"{revoked} is no list of keys", mend=mend)


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
    return _run(["-Y", *arguments], given, hears)


def _run(arguments: list[str], given: bytes, hears: bool = False) -> subprocess.CompletedProcess[bytes]:
    program = which("ssh-keygen")
    if program is None:
        raise SetupMissingError("ssh-keygen is not installed", mend=INSTALL)
    environment = {**os.environ, "LC_ALL": "C"}
    if not hears:
        environment["SSH_ASKPASS_REQUIRE"] = "never"
    try:
        return _finished([program, *arguments], given, environment, hears)
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"ssh-keygen did not end in {LIMIT_S:g} s", mend="is a device waiting to be touched?"
        ) from None


def _finished(
    command: list[str], given: bytes, environment: dict[str, str], hears: bool
) -> subprocess.CompletedProcess[bytes]:  # fmt: skip
    return subprocess.run(
        command, input=given, stdout=subprocess.PIPE, stderr=None if hears else subprocess.PIPE,
        env=environment, check=False, timeout=LIMIT_S, start_new_session=not hears,
    )  # fmt: skip
