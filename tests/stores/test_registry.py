"""Which class serves a name: modules of a folder, packages outside, classes of this process."""

from __future__ import annotations

import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from stores.codec import Codec, codecs, infer
from stores.codecs.json import JsonCodec
from stores.errors import StoreError, UnknownPlugin
from stores.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
SHAPE = """
from abc import ABC, abstractmethod

class Shape(ABC):
    @abstractmethod
    def corners(self): ...
"""
MODULES = {
    "__init__": "",
    "square": """
from {base} import Shape

class Base(Shape):
    '''Abstract, so it is not the plugin.'''

class Square(Base):
    def corners(self): return 4
""",
    "empty": "from {base} import Shape",
    "double": """
from {base} import Shape

class One(Shape):
    def corners(self): return 1

class Two(One):
    pass
""",
    "_private": "raise RuntimeError('nobody asked for it')",
    "broken": "raise RuntimeError('imported')",
}


class Shape(ABC):
    """A contract."""

    @abstractmethod
    def corners(self):
        """How many."""


class Triangle(Shape):
    """A class of this process."""

    def corners(self):
        """Three."""
        return 3


@pytest.fixture(name="shapes")
def _shapes(tmp_path, monkeypatch, request):
    """A registry over a folder of modules made for this test."""
    name = f"shapes_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}_base.py").write_text(SHAPE)
    (tmp_path / name).mkdir()
    for module, text in MODULES.items():
        (tmp_path / name / f"{module}.py").write_text(text.format(base=f"{name}_base"))
    monkeypatch.syspath_prepend(tmp_path)
    base = __import__(f"{name}_base").Shape
    return Registry("shape", base, name)


def test_the_name_of_a_module_stands_for_its_class(shapes):
    """Abstract classes beside it do not count; others are not imported."""
    assert shapes.find("square")().corners() == 4
    assert shapes.find("square") is shapes.find("square")
    assert [each for each in sys.modules if each.startswith(f"{shapes.package}.")] == [
        f"{shapes.package}.square"
    ]


def test_names_are_listed_without_importing(shapes):
    """Private modules are no choices."""
    assert shapes.names == ["broken", "double", "empty", "square"]
    assert shapes.names_at_hand == shapes.names
    assert not any(each.startswith(f"{shapes.package}.") for each in sys.modules)


@pytest.mark.parametrize(("name", "found"), [("empty", "none"), ("double", "One, Two")])
def test_a_module_with_none_or_several_classes_is_named(shapes, name, found):
    """The author of the plugin learns what was found."""
    with pytest.raises(StoreError, match=rf"{name} should define one concrete .*: {found}$"):
        shapes.find(name)


def test_an_unknown_name_lists_the_choices(shapes):
    """With the nearest one."""
    with pytest.raises(UnknownPlugin, match=r"unknown shape 'sqare'.*Did you mean square\?"):
        shapes.find("sqare")
    with pytest.raises(UnknownPlugin):
        shapes.find("../square")


def test_an_error_in_a_plugin_is_the_users_to_see(shapes):
    """It is not mistaken for an unknown name."""
    with pytest.raises(RuntimeError, match="imported"):
        shapes.find("broken")


def test_a_class_can_be_registered_for_this_process():
    """It is a choice like the others."""
    shapes = Registry("shape", Shape, "stores.codecs")
    shapes.register("triangle", Triangle)
    assert shapes.find("triangle")().corners() == 3
    assert "triangle" in shapes.names


@pytest.mark.parametrize("plugin", [Shape, int, Triangle()])
def test_what_does_not_keep_the_contract_is_refused_when_registered(plugin):
    """Abstract, foreign, or no class at all."""
    shapes = Registry("shape", Shape, "stores.codecs")
    with pytest.raises(StoreError, match=r"registered as 'x'.*subclass of .*Shape"):
        shapes.register("x", plugin)


def test_another_package_adds_a_codec_by_an_entry_point(tmp_path):
    """The group is named like the folder; a wrong class is refused, with the name."""
    (tmp_path / "rope.py").write_text(
        "from stores.codecs.pickle import PickleCodec\n"
        "class Rope(PickleCodec):\n"
        "    priority = 99\n"
        "    def handles(self, value): return type(value) in (tuple, str)\n"
    )
    info = tmp_path / "rope-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rope\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[stores.codecs]\nrope = rope:Rope\nwrong = os:getpid\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        "from stores.codec import codecs, Codec\n"
        "from stores.errors import StoreError\n"
        "import rope\n"
        "print('rope' in codecs.names, codecs.find('rope') is rope.Rope)\n"
        "try: codecs.find('wrong')\n"
        "except StoreError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert lines[0] == "True True", done.stderr
    assert lines[1].startswith("the entry point 'wrong' is <built-in function getpid>, but a codec")


def test_inference_asks_other_packages_about_what_plain_formats_do_not_take(tmp_path):
    """A tuple goes to the package's codec, a str stays text; the package is not looked for then."""
    (tmp_path / "rope.py").write_text(
        "from stores.codecs.pickle import PickleCodec\n"
        "class Rope(PickleCodec):\n"
        "    priority = 99\n"
        "    def handles(self, value): return type(value) in (tuple, str)\n"
    )
    info = tmp_path / "rope-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rope\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[stores.codecs]\nrope = rope:Rope\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        "from stores.codec import infer\n"
        "print(infer('a')[0], infer([1])[0], 'importlib.metadata' in sys.modules)\n"
        "print(infer((1,))[0], infer({1})[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["text json False", "rope pickle"], done.stderr


def test_the_codecs_of_this_distribution():
    """One module each."""
    assert {"bytes", "json", "numpy", "path", "pickle", "scalar", "text"} <= set(codecs.names)
    assert codecs.find("json") is JsonCodec
    assert issubclass(codecs.find("numpy"), Codec)
    assert infer([1])[0] == "json"
