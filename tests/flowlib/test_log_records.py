"""Do records of another process reach the handlers here, whatever they hold and whoever listens?"""

from __future__ import annotations

import logging
import pickle
import threading

import pytest

from flowlib.log_records import ForwardHandler, RemoteRecord, TaskLogHandler, levels_here, text_of


class Broken:
    """Cannot be shown and cannot be pickled."""

    def __init__(self):
        self.lock = threading.Lock()

    def __repr__(self):
        raise RuntimeError("no repr")


class Args2(Exception):
    """Unpickles wrongly: D17."""

    def __init__(self, a, b):
        super().__init__(a)


@pytest.fixture
def sent():
    return []


@pytest.fixture
def here(sent):
    """A logger of its own whose records are forwarded, and a way to have them handled again."""
    logger = logging.Logger("there.inner")
    logger.addHandler(ForwardHandler(sent.append, {"": logging.INFO}))
    return logger


@pytest.fixture
def heard():
    """What the root handlers of this process hear."""
    found = []

    class Ear(logging.Handler):
        def emit(self, record):
            found.append(record)

    ear = Ear()
    before = logging.root.level
    logging.root.addHandler(ear)
    logging.root.setLevel(logging.INFO)
    yield found
    logging.root.removeHandler(ear)
    logging.root.setLevel(before)


def handled(sent):
    for data in sent:
        record = pickle.loads(data)
        assert isinstance(record, RemoteRecord)
        record.handle()


def test_record_arrives_complete(here, sent, heard):
    """Message, level, logger, process and place."""
    here.info("hello %s", "there", extra={"run": 3})
    handled(sent)
    (record,) = heard
    assert record.getMessage() == "hello there"
    assert (record.name, record.levelname, record.run) == ("there.inner", "INFO", 3)
    assert record.filename == "test_log_records.py"
    assert record.processName


def test_levels_of_the_driver_decide(sent):
    """The nearest logger above with a level; the root for all others."""
    handler = ForwardHandler(sent.append, {"": 30, "a.b": 10, "c": 40})
    for name, level, passes in (
        ("x", 30, True),
        ("x", 20, False),
        ("a", 20, False),
        ("a.b", 10, True),
        ("a.b.c.d", 10, True),
        ("a.bc", 10, False),
        ("c.d", 30, False),
    ):
        sent.clear()
        handler.handle(logging.LogRecord(name, level, "", 0, "m", (), None))
        assert bool(sent) is passes, name


def test_levels_here_are_those_that_were_given():
    """Loggers that only inherit are not named."""
    logging.getLogger("levels.given").setLevel(35)
    logging.getLogger("levels.plain")
    levels = levels_here()
    assert levels["levels.given"] == 35
    assert "levels.plain" not in levels
    assert levels[""] == logging.root.level


@pytest.mark.parametrize(
    "log",
    [
        lambda logger: logger.info("%d", "no number"),
        lambda logger: logger.info("one too many", 1),
        lambda logger: logger.info("%s", Broken()),
        lambda logger: logger.info(Broken()),
        lambda logger: logger.info("extra", extra={"thing": Broken()}),
        lambda logger: logger.info("lock", extra={"thing": threading.Lock()}),
        lambda logger: logger.error("%s", Args2(1, 2), exc_info=Args2(1, 2)),
        lambda logger: logger.error("extra", extra={"error": Args2(1, 2)}),
    ],
)
def test_no_record_is_too_odd(log, here, sent, heard, tmp_path):
    """D17: it arrives in some form, and those after it do; the log of the task has it, too."""
    texts = []
    here.addHandler(TaskLogHandler(texts.append))
    log(here)
    here.info("the next")
    handled(sent)
    assert len(heard) == len(texts) == 2
    assert heard[0].getMessage()
    assert heard[1].getMessage() == "the next"
    assert "the next" in texts[1]


def test_traceback_travels_as_text(here, sent, heard):
    """No exception has to be pickled."""
    try:
        raise Args2("x", "y")
    except Args2:
        here.exception("it failed")
    handled(sent)
    (record,) = heard
    assert record.exc_info is None
    assert "raise Args2" in logging.Formatter().format(record)


def test_handlers_that_raise_do_not_stop_the_run(here, sent, heard, capsys):
    """It is said on stderr; the next record comes."""

    class Angry(logging.Handler):
        def emit(self, record):
            raise RuntimeError("go away")

    angry = Angry()
    logging.root.handlers.insert(0, angry)
    try:
        here.info("first")
        here.info("second")
        handled(sent)
    finally:
        logging.root.removeHandler(angry)
    assert "go away" in capsys.readouterr().err


def test_no_logger_is_made_for_a_record(sent, heard):
    """A run of a million tasks would leave a million loggers."""
    handler = ForwardHandler(sent.append, {"": 10})
    logger = logging.Logger("flowlib.task.Never-7")
    logger.addHandler(handler)
    logger.warning("hello")
    handled(sent)
    assert heard[0].name == "flowlib.task.Never-7"
    assert "flowlib.task.Never-7" not in logging.root.manager.loggerDict


def test_a_lost_driver_is_no_error():
    """The worker is about to end."""

    def send(data):
        raise BrokenPipeError

    logger = logging.Logger("x")
    logger.addHandler(ForwardHandler(send, {"": 10}))
    logger.error("nobody hears")


def test_text_has_time_level_name_and_traceback():
    """As it stands in the log of a task."""
    try:
        raise ValueError("no")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("mine", 10, "f.py", 1, "at %s", ("once",), info)
    head, *rest = text_of(record).splitlines()
    assert head.endswith("DEBUG    mine: at once")
    assert rest[-1] == "ValueError: no"
