"""Do types keep their promises in streams, and over versions of their codecs?"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from stores import InMemoryStore, TypeInfo
from stores.codec import codecs
from stores.encoding import codec_of
from stores.errors import CodecNotFound
from stores.files import TypeInfoCodec
from stores.record import Address, Artifact

VALUES = [None, "", "ä 語\n", [], {"a": [1, 2.5, None]}]


def save_parts(value, path, indent=None):
    """A folder with two files."""
    Path(path).mkdir()
    (Path(path) / "one.json").write_text(json.dumps(value, indent=indent))
    (Path(path) / "two.txt").write_text("ä", encoding="utf-8")


def load_parts(path):
    """What `save_parts` wrote."""
    assert (Path(path) / "two.txt").read_text(encoding="utf-8") == "ä"
    return json.loads((Path(path) / "one.json").read_text())


def save_bytes(value, file):
    """As bytes."""
    file.write(json.dumps(value).encode())


def open_zipped(path, mode):
    """As text that is compressed."""
    return gzip.open(path, f"{mode}t")


INFOS = {
    "text": TypeInfo(json.dump, json.load, extension="json"),
    "binary": TypeInfo(save_bytes, json.load, is_binary=True),
    "own opener": TypeInfo(json.dump, json.load, open_fn=open_zipped),
    "folder": TypeInfo(save_parts, load_parts, needs_path=True),
    "path": TypeInfo(
        lambda value, path: Path(path).write_text(json.dumps(value)),
        lambda path: json.loads(Path(path).read_text()),
        needs_path=True,
    ),
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", list(INFOS))
def test_own_types_work_in_streams(kind, value, tmp_path):
    """As in files: databases keep bytes."""
    codec = TypeInfoCodec(INFOS[kind])
    data = codec.to_bytes(value)
    stream = io.BytesIO()
    codec.dump(value, stream)
    assert not stream.closed
    stream.seek(0)
    assert [codec.from_bytes(data), codec.load(stream)] == [value, value]
    codec.dump_path(value, tmp_path / "file")
    assert codec.load_path(tmp_path / "file") == value


def test_own_types_take_options_in_streams():
    """Of their function, of the mode and of open()."""
    codec = TypeInfoCodec(INFOS["text"])
    options = {"mode": "w", "open_kwargs": {"encoding": "latin-1"}}
    data = codec.to_bytes(["ä"], ensure_ascii=False, indent=0, **options)
    assert data == b'[\n"\xe4"\n]'
    assert codec.from_bytes(data, open_kwargs={"encoding": "latin-1"}) == ["ä"]
    folder = TypeInfoCodec(INFOS["folder"])
    assert folder.from_bytes(folder.to_bytes([1], indent=1, mode=None, open_kwargs=None)) == [1]


def test_an_own_type_that_reads_no_archive_says_so():
    """Damage is a ValueError."""
    with pytest.raises(ValueError, match="no archive"):
        TypeInfoCodec(INFOS["folder"]).from_bytes(b"garbage")


def test_a_file_and_a_folder_survive_streams_of_paths(tmp_path):
    """`path` keeps single files, too."""
    (tmp_path / "a.txt").write_text("ä")
    codec = codecs.find("path")()
    assert codec.from_bytes(codec.to_bytes(tmp_path / "a.txt")).read_text() == "ä"
    (tmp_path / "empty").mkdir()
    assert list(codec.from_bytes(codec.to_bytes(tmp_path / "empty")).iterdir()) == []


def test_a_newer_version_of_a_codec_is_one_clear_error():
    """Rather than a value read wrongly."""
    artifact = Artifact("model", "json", 7, inline="{}")
    with pytest.raises(CodecNotFound, match=r"model was saved with version 7 of the type 'json', "):
        codec_of(Address("T", "0" * 32), artifact, allow_pickle=True)


def test_a_record_keeps_the_codec_and_its_version():
    """Of every artifact."""
    store = InMemoryStore()
    store.save({"a": 1}, "value", task_name="T", task_unique_config={"T": {}})
    (record,) = store.records()
    (artifact,) = record.latest.artifacts
    assert (artifact.type_, artifact.codec_version) == ("json", codecs.find("json").version)
