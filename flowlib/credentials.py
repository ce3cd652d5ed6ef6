"""What may be shown of a text? All but passwords in URLs, and what looks like a secret."""

from __future__ import annotations

import re
from typing import Final

_CREDENTIALS: Final = re.compile(
    r"""(?<=://)(?:[^\s/@'"]+|[^\s/@'":]*:(?![0-9]+/)[^\s@'"]{1,256})(?=@)"""
)
"""What stands before the `@` of a URL; a slash may be in a password, and behind a port."""

_HIDDEN: Final = "***"

_TOKENS: Final = re.compile(
    r"""
    \b(?:
        gh[oprsu]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,}   # GitHub
        | glpat-[A-Za-z0-9_-]{16,}                                  # GitLab
        | sk-[A-Za-z0-9_-]{20,}                                     # OpenAI and others
        | hf_[A-Za-z0-9]{20,}                                       # Hugging Face
        | (?:AKIA|ASIA)[A-Z0-9]{16}                                 # Amazon
        | AIza[A-Za-z0-9_-]{30,}                                    # Google
        | xox[abeoprs]-[A-Za-z0-9-]{10,}                            # Slack
        | pypi-[A-Za-z0-9_-]{30,}
        | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+  # JSON web tokens
    )
    """,
    re.VERBOSE,
)

_KEYS: Final = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)

_KEY_MARKS: Final = re.compile(r"-----(BEGIN|END) [A-Z ]*PRIVATE KEY-----")

_SECRET_NAME: Final = (
    r"(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|"
    r"auth[-_]?key|credentials?)"
)
_NAMED: Final = re.compile(
    rf"""((?<![A-Za-z0-9]){_SECRET_NAME}["']?\s*[:=]\s*)(["'])(?!\2)[^"'\n]+\2""", re.IGNORECASE
)
"""A text in quotes that is given to something called so: `password = "x"`, `"api_key": "x"`."""

_WORD_NAME: Final = re.compile(
    rf"(?:^|[^A-Za-z0-9])(?:[A-Za-z0-9]+[-_.])*{_SECRET_NAME}$", re.IGNORECASE
)


def without_credentials(text: str) -> str:
    """The text with `***` in place of what stands before the `@` of its URLs."""
    return _CREDENTIALS.sub(_HIDDEN, text)


def without_secrets(text: str) -> tuple[str, int]:
    """The text with `***` in place of secrets, and how many there were.

    Secrets are what stands before the `@` of URLs, private keys, tokens of a known form, and texts
    in quotes that are given to a name such as `password` or `api_key`. No program can know all.
    """
    count = 0
    for pattern, instead in (
        (_CREDENTIALS, _HIDDEN),
        (_TOKENS, _HIDDEN),
        (_KEYS, rf"\1{_HIDDEN}\2"),
        (_NAMED, rf"\1\2{_HIDDEN}\2"),
    ):
        text, found = pattern.subn(instead, text)
        count += found
    return text, count


def is_in_key(line: str, was_before: bool) -> bool:
    """Whether a text that comes line by line is within a private key after this line."""
    marks = _KEY_MARKS.findall(line)
    return marks[-1] == "BEGIN" if marks else was_before


def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret, by its name: `--api-key`, `WANDB_API_KEY`."""
    return _WORD_NAME.search(name) is not None


def without_secret_words(words: list[str]) -> list[str]:
    """The words of a command without secrets: `--token x`, `--token=x`, `train.api_key=x`, URLs."""
    shown: list[str] = []
    hides_next = False
    for word in words:
        name, sign, _ = word.partition("=")
        if hides_next and not word.startswith("-"):
            shown.append(_HIDDEN)
        elif sign and " " not in name and is_secret_name(name):
            shown.append(f"{name}={_HIDDEN}")
        else:
            shown.append(without_secrets(word)[0])
        hides_next = not sign and word.startswith("-") and is_secret_name(word)
    return shown
