"""`tito olympics cheats`: people and programs read what each level says of entries that cheat."""

from __future__ import annotations

from tinytorch.harness.cheats.catalogue import cheats


def test_all_are_listed_with_what_each_level_says(tito) -> None:
    done = tito("cheats")
    first_words = {line.split(" ")[0] for line in done.out.splitlines()}

    assert (done.code, {str(each.number) for each in cheats().values()} <= first_words) == (0, True)
    assert "T3: " in done.out


def test_programs_read_the_same(tito) -> None:
    rows = tito("cheats", "--json").json["cheats"]

    assert [row["name"] for row in rows] == [*cheats()]
    assert {row["T3"]["ending"] for row in rows} <= {"caught", "harmless", "missed", "not tried"}


def test_one_is_shown_as_it_is(tito) -> None:
    first = next(iter(cheats().values()))
    done = tito("cheats", first.name)

    assert (done.code, done.out.strip()) == (0, first.path.read_text().strip())


def test_one_that_is_not_there_is_named(tito) -> None:
    done = tito("cheats", "looks_who_call")

    assert (done.code, "looks_who_calls" in done.err) == (2, True)
