"""Signals become a value, and the handlers are given back."""

from __future__ import annotations

import os
import signal
import time

import pytest

from experiments.demo.stopping import SIGNALS, StopRequest


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_signal_decides_the_exit_code(number: signal.Signals, code: int):
    before = [signal.getsignal(each) for each in SIGNALS]
    with StopRequest() as stop:
        assert not stop.is_made
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        until = time.monotonic() + 5
        while not stop.is_made:
            assert time.monotonic() < until
        assert stop.exit_code == code
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_signals_are_taken_back_from_who_took_them():
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest() as stop:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.install()
        os.kill(os.getpid(), signal.SIGTERM)
        until = time.monotonic() + 5
        while not stop.is_made:
            assert time.monotonic() < until
    assert signal.getsignal(signal.SIGTERM) is before
