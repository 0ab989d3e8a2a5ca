"""Changes of a valid file, drawn from a seed: of its JSON values, and of its bytes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key) of a document."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from leaves(value[key])


NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.1, -0.0, 5e-324, 1e308, float("nan"), float("inf"))
OTHERS: tuple[Any, ...] = (None, True, False, "", "1", "\u202e", "\ud800", "x" * 300, [], {}, [[[1]]], {"mean": 1.0})


def changed_value(value: Any, generator: random.Random) -> Any:
    """Another value in the place of `value`: near it, or anything."""
    if isinstance(value, int | float) and not isinstance(value, bool) and generator.random() < 0.5:
        return generator.choice((value + 1, value - 1, -value, value * 2, value * (1 + 1e-9), float(value), str(value)))
    if isinstance(value, str) and value and generator.random() < 0.5:
        place = generator.randrange(len(value))
        return value[:place] + generator.choice("0aZ \u00e9\n") + value[place + 1 :]
    if isinstance(value, list) and value and generator.random() < 0.5:
        return generator.choice((value[:-1], value + value[:1], value[::-1]))
    return copy.deepcopy(generator.choice(NUMBERS + OTHERS))


def mutate_json(content: bytes, generator: random.Random) -> bytes:
    """The document with one to three values changed, removed, renamed or moved."""
    document = json.loads(content)
    for _ in range(generator.randint(1, 3)):
        holder, key = generator.choice(list(leaves(document)) or [({}, "x")])
        action = generator.random()
        if action < 0.7:
            holder[key] = changed_value(holder[key], generator) if holder else 1
        elif action < 0.85:
            del holder[key]
        elif isinstance(holder, dict):
            holder[f"{key}_"] = holder.pop(key)
        else:
            holder.append(copy.deepcopy(holder[key]))
    return json.dumps(document).encode()


def mutate_bytes(content: bytes, generator: random.Random) -> bytes:
    """The file with bytes flipped, written over, cut out, doubled or moved."""
    data = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        start = generator.randrange(len(data))
        length = generator.choice((1, 1, 1, 2, 8, 64))
        action = generator.randrange(5)
        if action == 0:
            data[start] ^= 1 << generator.randrange(8)
        elif action == 1:
            data[start : start + length] = generator.randbytes(length)
        elif action == 2 and len(data) > length:
            del data[start : start + length]
        elif action == 3:
            data[start:start] = data[start : start + length]
        else:
            data[start : start + 1] = generator.choice(
                (b"0", b"9", b"-", b".", b"e", b'"', b",", b" ", b"\n", b"}", b"]")
            )
    return bytes(data)
