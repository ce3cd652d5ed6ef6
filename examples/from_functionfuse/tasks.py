"""What does each node compute? Plain functions; scikit-learn is imported where it is used."""

from __future__ import annotations

from typing import Any

from flowlib import task


@task
def dataset(seed: int = 0) -> tuple[Any, Any]:
    """Images of digits in random order, and which digits they are.

    functionfuse's example fetches MNIST; this one comes with scikit-learn.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(images))
    return images[order], digits[order]


@task
def dataset_split(x: Any, y: Any, train_samples: int, test_size: int) -> dict[str, Any]:
    """Parts to train and to test with: four artifacts, each loaded only where it is read."""
    from sklearn.model_selection import train_test_split

    x_train, x_test, y_train, y_test = train_test_split(
        x, y, train_size=train_samples, test_size=test_size, random_state=0
    )
    return {"x_train": x_train, "x_test": x_test, "y_train": y_train, "y_test": y_test}


@task
def model(x: Any, y: Any) -> Any:
    """A sparse logistic regression."""
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = SGDClassifier(loss="log_loss", penalty="l1", alpha=0.002, random_state=0)
    return make_pipeline(StandardScaler(), regression).fit(x, y)
