"""A flow of text classifiers, as plans and their explanations show it."""

from __future__ import annotations

import time

from flowlib import Flow, TaskSpec
from flowlib.fingerprint import CODE
from stores import Address, Attempt, Identity, Input, Record, RunInfo, TaskState

STARTED = time.mktime((2026, 11, 20, 18, 2, 0, 0, 0, 0))


def fetch():
    return {"raw": 1}


def clean(raw, lower=True):
    return {"text": raw}


def tfidf(text, min_df=1):
    return {"counts": min_df}


def glove(text, dim=50):
    return {"vectors": dim}


def train(counts, vectors, lr=0.001, batch=64, fails=False):
    if fails:
        raise ValueError("something is wrong:\nloss is nan")
    return {"model": lr * counts * vectors}


def evaluate(model):
    return {"score": model}


def select(score):
    return {"best": max(each.value for each in score)}


def classifiers(min_df=(1, 5), lr=(0.001,), version=None, **config) -> Flow:
    """Fetch → Clean → Tfidf, Glove → Train → Eval → Select."""
    first = TaskSpec(fetch, name="Fetch")
    texts = TaskSpec(clean, name="Clean").requires(first)
    words = TaskSpec(tfidf, {"min_df": list(min_df)}, expand="product", name="Tfidf")
    vectors = TaskSpec(glove, {"dim": [50, 100]}, expand="product", name="Glove")
    config = {"lr": list(lr), **config}
    model = TaskSpec(train, config, expand="product", name="Train", version=version)
    score = TaskSpec(evaluate, name="Eval")
    best = TaskSpec(select, reduce=True, name="Select")
    for spec, *sources in (
        (words, texts), (vectors, texts), (model, words, vectors), (score, model), (best, score)
    ):  # fmt: skip
        spec.requires(*sources)
    return Flow([best])


DURATIONS_S = {"Fetch": 4, "Clean": 10, "Tfidf": 40, "Glove": 20, "Train": 196, "Eval": 16}
"""How long a task of each spec took; nobody knows it of Select."""


def put_results(store, flow: Flow, *leave: str) -> None:
    """Write the records of a run that took as long as said, but for nodes called as in `leave`."""
    plan = flow.plan(results_store=store)
    for node in flow.graph:
        if node.unique_name in leave or node.name in leave:
            continue
        texts = plan.texts[node.declaration]
        version = node.declaration.version
        duration_s = DURATIONS_S.get(node.name)
        attempt = Attempt(
            1,
            TaskState.FINISHED,
            STARTED,
            None if duration_s is None else STARTED + duration_s,
            inputs=tuple(Input(each.name, each.address, 1) for each in node.upstream.nodes),
            facts={
                "defaults": texts.defaults_digest(node.arguments),
                CODE: plan.code.fact(node.declaration.task),
            },
            run=RunInfo("demo", "calm-finch-07", node.unique_name),
        )
        identity = Identity(
            Address(node.name, node.key),
            None if version is None else str(version),
            texts.full(node.arguments),
            texts.user(node.arguments),
        )
        lease = store.begin(node.address).lease
        store.commit_attempt(lease, Record(identity, attempt, attempt), None)
