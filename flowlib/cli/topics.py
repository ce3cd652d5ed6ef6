"""What `flowlib help TOPIC` says."""

from __future__ import annotations

from typing import Final

from flowlib.cli.exits import MEANINGS

_OVERRIDES: Final = """\
Overrides change a document for one call. The first name is a spec, in any case.

  train.lr=1e-3           the value 0.001
  train.lr=1e-3,1e-4      a sweep over two values
  'train.layers=[64,64]'  one value, a list
  'train.name="a,b"'      one value, a text with a comma
  @train.lr=1,2           varies in lockstep with the other @
  +train.new=1            a parameter inside a dict that is not there yet
  ~train.lr               without it
  train.model=@file.yaml  what is in the file

`flowlib config DOCUMENT OVERRIDES…` shows what came of them."""

_SELECTORS: Final = """\
Selectors mean tasks: in --force, --only, --skip, --keep, and in ls, results, rm, logs, show.

  Train              all tasks of a spec; * and ? stand for any letters
  Train/9a7a08b2     the task whose key begins so; a few characters are enough
  Train-12           the 12th task of the spec
  Train[lr=1e-3]     those with this config; several conditions between commas
  @failed            those without a result that counts; @last those of the last run;
                     in a store also @interrupted, @finished, @saved, @pending
  Train+  +Train     also what is downstream, or upstream, of them

Quote brackets and stars for the shell: 'Train[lr=1e-3]+'."""

_DOCUMENTS: Final = """\
A document (YAML, TOML or JSON) names the tasks and what they read from:

  project: demo
  import: tasks.py          # a file beside it, or a module
  specs:
    Load:  {config: {size: 100}}
    Train: {requires: Load, config: {lr: [1e-2, 1e-3]}, expand: product}
    Best:  {requires: Train, reduce: true}

Each entry takes the parameters of TaskSpec. `flowlib init` writes one that runs, `flowlib config
--json-schema` a schema for editors, and docs/documents.md tells everything."""

_SETTINGS: Final = """\
What holds, the strongest first: an option of the command, FLOWLIB_* in the environment, .env,
[tool.flowlib] in pyproject.toml or flowlib.toml, $XDG_CONFIG_HOME/flowlib/config.toml, the default.

`flowlib config` shows every setting, its value and where it comes from."""


def _exit_codes() -> str:
    lines = [f"  {code.value:>3}  {text}" for code, text in MEANINGS.items()]
    return "\n".join(["The exit codes of the command:", "", *lines])


TOPICS: Final = {
    "overrides": _OVERRIDES,
    "selectors": _SELECTORS,
    "documents": _DOCUMENTS,
    "settings": _SETTINGS,
    "exit-codes": _exit_codes(),
}
"""The texts by name."""
