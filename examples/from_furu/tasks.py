"""The tasks: annotated fields are the config, files in `run_dir` the results."""

from __future__ import annotations

import json
from dataclasses import field
from pathlib import Path

from flowlib import Task


class TrainModel(Task[Path]):
    """Writes metrics and a checkpoint; its value is the path of that."""

    lr: float = 1e-3
    steps: int = 1000

    def run(self) -> Path:
        """Train."""
        metrics = json.dumps({"lr": self.lr, "steps": self.steps})
        (self.run_dir / "metrics.json").write_text(metrics)
        checkpoint = self.run_dir / "checkpoint.bin"
        checkpoint.write_bytes(b"...")
        return checkpoint

    def restore(self) -> Path:
        """The checkpoint, whenever the value is asked for."""
        return self.run_dir / "checkpoint.bin"


class Dataset(Task[str]):
    """Writes two lines of text."""

    title: str = "toy"

    def run(self) -> None:
        """Write them."""
        (self.run_dir / "data.txt").write_text("hello\nworld\n")

    def restore(self) -> str:
        """The text."""
        return (self.run_dir / "data.txt").read_text()


class TrainTextModel(Task[str]):
    """Reads a dataset, which has a result of its own."""

    dataset: str = field(default_factory=Dataset.spec)

    def run(self) -> None:
        """Train on it."""
        (self.run_dir / "model.txt").write_text(f"trained on:\n{self.dataset}")

    def restore(self) -> str:
        """What was trained."""
        return (self.run_dir / "model.txt").read_text()


class ModelWithValidation(Task[Path]):
    """Its result counts as long as there is something in its checkpoint."""

    checkpoint_name: str = "model.pt"

    def run(self) -> None:
        """Train."""
        (self.run_dir / self.checkpoint_name).write_bytes(b"weights")

    def restore(self) -> Path:
        """The checkpoint."""
        return self.run_dir / self.checkpoint_name

    def validate(self) -> bool:
        """Whether it is whole."""
        checkpoint = self.restore()
        return checkpoint.exists() and checkpoint.stat().st_size > 0


class LargeDataProcessor(Task[Path]):
    """Keeps a large file outside of its result, where all of its configs keep theirs."""

    part: int = 0

    def run(self) -> Path:
        """Write it."""
        mine = self.shared_dir / self.unique_config_hash
        mine.mkdir(exist_ok=True)
        large_file = mine / "huge_dataset.bin"
        large_file.write_bytes(bytes([self.part]) * 1000)
        return large_file


class VersionedConfig(Task[dict[str, int]]):
    """Small enough to be kept under version control: its specs name the store `git`."""

    size: int = 3

    def run(self) -> dict[str, int]:
        """Give it."""
        return {"size": self.size}
