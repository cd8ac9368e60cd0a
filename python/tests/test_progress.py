"""Progress, and what ends a fit before its end."""

import _thread
import signal
import threading
import time

import pytest
from conftest import SHORT

from edgemix import Edgemix, Progress

pytestmark = pytest.mark.filterwarnings("ignore::edgemix.EdgemixWarning")

# Far longer than any test may take.
LONG = {"encoder": "64-8", "pretrain_epochs": 100_000}


def test_a_callback_is_told_of_each_epoch(digits):
    told = []
    model = Edgemix("ae-kmeans", 10, allow_disagreement=True, **SHORT).fit(digits, callback=told.append)
    epochs = [progress for progress in told if progress.epochs > 0]
    assert epochs == model.history_ and all(isinstance(progress, Progress) for progress in told)
    assert [(progress.phase, progress.epoch, progress.epochs) for progress in epochs[:3]] == [
        ("reconstruct", 1, 3),
        ("reconstruct", 2, 3),
        ("reconstruct", 3, 3),
    ]
    assert all(loss > 0 for progress in epochs for loss in progress.losses.values())
    assert "quantising" in [progress.phase for progress in told if progress.epochs == 0]


def test_what_a_callback_raises_ends_the_fit(digits):
    class Enough(Exception):
        pass

    def stop(progress):
        raise Enough

    begin = time.monotonic()
    with pytest.raises(Enough):
        Edgemix(**LONG).fit(digits, callback=stop)
    assert time.monotonic() - begin < 60


def test_ctrl_c_ends_a_fit(digits):
    # Python ignores Ctrl-C where it was started by a shell's `&`.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(1.0, _thread.interrupt_main).start()
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            Edgemix(**LONG).fit(digits)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - begin < 60


def test_other_threads_run_during_a_fit(digits):
    ticks, is_over = [], threading.Event()

    def tick():
        while not is_over.wait(0.005):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.monotonic()
    Edgemix("ae-kmeans", 10, encoder="64-8", pretrain_epochs=40, cluster_epochs=0, allow_disagreement=True).fit(digits)
    seconds = time.monotonic() - begin
    is_over.set()
    thread.join()
    # Half of what an idle interpreter does, or less on a machine with other work.
    assert len([tick for tick in ticks if tick >= begin]) > seconds / 0.005 / 10


def test_a_run_that_was_stopped_is_resumed_with_the_same_bits(digits, tmp_path):
    parameters = {**SHORT, "allow_disagreement": True, "settings": {"checkpoint-every": 1}}
    whole = Edgemix(**parameters).fit(digits)

    def stop(progress):
        if progress.phase == "reconstruct" and progress.epoch == 2:
            raise InterruptedError

    model = Edgemix(run_dir=tmp_path / "run", existing="resume", **parameters)
    with pytest.raises(InterruptedError):
        model.fit(digits, callback=stop)
    assert not (tmp_path / "run" / "model.emx").exists()
    epochs = []
    model.fit(digits, callback=epochs.append)
    first = next(told for told in epochs if told.epochs)
    assert first[:2] != ("reconstruct", 1)
    assert len(model.history_) == len(whole.history_) > len([told for told in epochs if told.epochs])
    assert model.model_.to_bytes() == whole.model_.to_bytes()
