"""Numbers and sizes as users write them; nothing is lost by adding and taking away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlib.amounts import PARTS, Amount, amount_of


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("32GB", 32 * 10**9),
        ("64G", 64 * 10**9),
        ("512MiB", 512 * 2**20),
        ("1Ki", 1024),
        ("1.5 TB", 15 * 10**11),
        ("100B", 100),
        ("2gb", 2 * 10**9),
        ("0.1KB", 100),
        ("1PiB", 2**50),
    ],
)
def test_sizes_are_bytes(text, size_bytes):
    """K, M, G, T, P are powers of 1000; with an i of 1024."""
    amount = amount_of(text)

    assert (amount.value, amount.is_size) == (size_bytes, True)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "8",
        "GB",
        "8 GBs",
        "-1GB",
        "1e3G",
        "8iB",
        True,
        None,
        -1,
        float("nan"),
        float("inf"),
        [1],
    ],
)
def test_what_is_no_amount_is_none(wrong):
    """Also a bare number as text: it could be meant as anything."""
    assert amount_of(wrong) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"),
        (0.25, "0.25"),
        ("32GB", "32GB"),
        ("512MiB", "512MiB"),
        ("1.5GB", "1500MB"),
        ("0B", "0B"),
        ("1234567B", "1.23MB"),
    ],
)
def test_amounts_are_shown_as_users_write_them(value, text):
    """Exact where that is short."""
    assert str(amount_of(value)) == text


def test_the_smallest_fraction_is_not_nothing():
    """A demand that is almost nothing still counts."""
    assert amount_of(1e-9) == Amount(1)
    assert amount_of(0) == amount_of(0.0) == Amount(0)


@given(st.integers(1, 1000))
def test_n_parts_of_one_nth_fit_into_one(n):
    """Rounding never keeps the last of them out."""
    assert n * amount_of(1 / n).parts <= PARTS


@given(st.integers(0, 2**60))
def test_whole_numbers_come_back(number):
    """A number of any size is itself."""
    assert amount_of(number).value == number
