"""The tree of errors: each says whether another try can help, and the module's picture of it is true."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from glidepath import errors
from glidepath.errors import GlidepathError, PermanentError, TemporaryError


def tree(of: type[Exception], depth: int = 0) -> Iterator[tuple[int, str]]:
    """Every error below one, with how deep it lies."""
    yield depth, of.__name__
    for one in of.__subclasses__():
        if one.__module__ == errors.__name__:
            yield from tree(one, depth + 1)


def drawn() -> list[tuple[int, str]]:
    """The tree as the module's docstring draws it."""
    lines = re.findall(r"^((?:[│ ]   )*(?:[├└]── )?)(\w+Error|ReleaseTakenBack)\b", str(errors.__doc__), re.M)
    return [(len(indent) // 4, name) for indent, name in lines]


def test_the_tree_is_as_the_module_draws_it() -> None:
    assert sorted(drawn()) == sorted(tree(GlidepathError))


@pytest.mark.parametrize("name", [name for depth, name in tree(GlidepathError) if depth > 1])
def test_every_error_says_whether_another_try_can_help(name: str) -> None:
    one = getattr(errors, name)
    assert issubclass(one, PermanentError) != issubclass(one, TemporaryError)
