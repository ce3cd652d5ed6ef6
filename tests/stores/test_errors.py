"""What a store raises: one tree, picklable, with facts and cures."""

from __future__ import annotations

import errno
import inspect
import pickle

import pytest

from stores import errors
from stores.errors import ArtifactMissing, StoreError, StoreUnwritable, Unencodable, UnknownPlugin

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, StoreError) and each.__module__ == "stores.errors"
]
FACTS = {
    UnknownPlugin: ("codec", "jsn", ["json", "text"]),
    ArtifactMissing: ("Train/9a7a08b2", "modle", ["model"]),
    Unencodable: ("is a Lock", ".opt.lock"),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_survives_a_pickle(kind):
    """Workers send them: class, message and facts arrive."""
    error = kind(*FACTS.get(kind, ("something happened",)))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


def test_the_docstring_draws_the_whole_tree():
    """Each class stands in it."""
    drawn = (errors.__doc__ or "").split()
    assert [each.__name__ for each in CLASSES if each.__name__ not in drawn] == []


def test_errors_are_found_under_pythons_names_too():
    """A missing thing is a LookupError, a wrong type a TypeError, a full disk an OSError."""
    assert issubclass(UnknownPlugin, LookupError)
    assert issubclass(ArtifactMissing, LookupError)
    assert issubclass(Unencodable, TypeError)
    assert issubclass(StoreUnwritable, OSError)


def test_a_wrong_name_comes_with_the_choices_and_the_nearest():
    """Of plugins and of artifacts."""
    assert str(UnknownPlugin("codec", "jsn", ["text", "json"])) == (
        "unknown codec 'jsn'; choose one of: json, text. Did you mean json?"
    )
    assert str(ArtifactMissing("Train/9a7a08b2", "modle", ["model", "log"])) == (
        "Train/9a7a08b2 has no artifact 'modle'; it holds: log, model. Did you mean model?"
    )
    assert str(ArtifactMissing("T/1", "x")) == "T/1 has no artifact 'x'; it holds: nothing."


def test_an_unencodable_value_is_named_by_its_path():
    """The path grows from the inside to the outside."""
    inner = Unencodable("is a Lock")
    outer = inner.inside("[2]").inside(".layers").inside("config")
    assert str(inner) == "the value is a Lock"
    assert str(outer) == "config.layers[2] is a Lock"
    assert str(inner.inside(".lock")) == "lock is a Lock"


@pytest.mark.parametrize(
    ("code", "cure"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "another place"), (errno.EACCES, "rights")],
)
def test_a_failed_write_names_the_path_and_the_cure(code, cure):
    """Full, read-only and forbidden disks are told apart."""
    error = errors.unwritable(OSError(code, "whatever"), "/data/runs/x")
    assert isinstance(error, StoreUnwritable)
    assert str(error).startswith("/data/runs/x cannot be written: ")
    assert cure in str(error)


def test_a_failure_of_another_kind_stays_what_it_is():
    """A missing file is no unwritable store."""
    assert errors.unwritable(OSError(errno.ENOENT, "gone"), "x") is None
