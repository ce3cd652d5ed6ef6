"""What does each step of the digits pipeline compute?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowlib import Task
from stores import Sweep

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Load(Task):
    """Reads handwritten digits that come with scikit-learn: 8 x 8 pixels, 64 numbers each."""

    def __init__(self, samples: int = 1797) -> None:
        self.samples = samples

    def run(self) -> None:
        """Save `images` of shape (samples, 64), float64 in [0, 1], and `labels` in 0..9."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        self.save(digits.data[: self.samples] / 16.0, "images")
        self.save(digits.target[: self.samples], "labels")


class Split(Task):
    """Divides the samples at random: each seed gives another division."""

    def __init__(self, seed: int, test_fraction: float = 0.3) -> None:
        self.seed = seed
        self.test_fraction = test_fraction

    def run(self, labels: Array) -> dict[str, Array]:
        """Return the row numbers of both parts; every digit is equally frequent in each."""
        import numpy as np
        from sklearn.model_selection import train_test_split

        train_rows, test_rows = train_test_split(
            np.arange(len(labels)),
            test_size=self.test_fraction,
            random_state=self.seed,
            stratify=labels,
        )
        return {"train_rows": train_rows, "test_rows": test_rows}


class Features(Task):
    """Turns images into what the models see: the pixels, or their principal components.

    Nothing of the test rows enters the projection.
    """

    def __init__(self, method: str, components: int | None = None) -> None:
        self.method = method
        self.components = components

    def run(
        self, images: Array, labels: Array, train_rows: Array, test_rows: Array
    ) -> dict[str, Array]:
        """Return both parts with their labels."""
        x_train, x_test = images[train_rows], images[test_rows]
        if self.method == "pca":
            from sklearn.decomposition import PCA

            projection = PCA(n_components=self.components, random_state=0).fit(x_train)
            x_train, x_test = projection.transform(x_train), projection.transform(x_test)
        return {
            "x_train": x_train,
            "y_train": labels[train_rows],
            "x_test": x_test,
            "y_test": labels[test_rows],
        }


class Train(Task):
    """Fits one model; which family it is stands in the config."""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self.model = model

    def run(self, x_train: Array, y_train: Array) -> None:
        """Save the fitted `model`."""
        parameters = dict(self.model)
        family = FAMILIES[parameters.pop("family")]
        self.save(family(parameters).fit(x_train, y_train), "model")


def _logistic(parameters: dict[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=300, **parameters)


def _svm(parameters: dict[str, Any]) -> Any:
    from sklearn.svm import SVC

    return SVC(**parameters)


def _forest(parameters: dict[str, Any]) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=parameters["trees"], max_depth=parameters["depth"], random_state=0
    )


FAMILIES = {"logistic": _logistic, "svm": _svm, "forest": _forest}
"""Family -> what makes an unfitted model of it from its parameters."""


class Evaluate(Task):
    """Measures one model on the rows it has not seen."""

    def run(self, model: Any, x_test: Array, y_test: Array) -> dict[str, float]:
        """Return the `accuracy`: the share of digits that are read correctly."""
        return {"accuracy": float(model.score(x_test, y_test))}


class Summarise(Task):
    """Joins the divisions: mean and standard deviation over the seeds."""

    def run(self, accuracy: list[Sweep]) -> dict[str, dict[str, Any]]:
        """Return one `row` with the parameters, `mean`, `std` (of the sample) and `seeds`."""
        from statistics import mean, stdev

        values = [sweep.value for sweep in accuracy]
        config = accuracy[0].config
        return {
            "row": {
                "features": config["Features"]["method"],
                "components": config["Features"].get("components"),
                **config["Train"]["model"],
                "mean": mean(values),
                "std": stdev(values) if len(values) > 1 else 0.0,
                "seeds": len(values),
            }
        }


class Select(Task):
    """Ranks all configurations."""

    def run(self, row: list[Sweep]) -> dict[str, list[dict[str, Any]]]:
        """Return the `ranking`, best mean first; of equal ones the steadier one."""
        rows = [sweep.value for sweep in row]
        return {"ranking": sorted(rows, key=lambda each: (-each["mean"], each["std"]))}
