"""Settings travel with the functions and classes of the user's modules, to processes that may not have those."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from actors.breaker.kept import Kept
from actors.breaker.outcome import outcome_of_error
from actors.breaker.packing import PACKED_BYTES_MAX, pack_kept, pack_settings, unpack_kept, unpack_settings
from actors.breaker.published import Published
from actors.breaker.settings import BreakerSettings
from actors.runtime.errors import ConfigError


class BankError(Exception):
    """A user's own."""


def is_odd(result: int) -> bool:
    return result % 2 == 1


@pytest.mark.parametrize(
    "settings",
    [
        BreakerSettings(),
        BreakerSettings(window_s=5.0, ramp=(0.1, 0.5), failure_rate=None, consecutive_failures=3),
        BreakerSettings(window_calls=10),
        BreakerSettings(count=(ConnectionError, BankError), ignore=(KeyError,), failed_result=is_odd),
    ],
)
def test_what_is_packed_is_unpacked(settings: BreakerSettings):
    assert unpack_settings(pack_settings(settings)) == settings


def test_the_defaults_take_next_to_nothing():
    assert len(pack_settings(BreakerSettings())) < 20


def test_lambdas_travel():
    settings = BreakerSettings(open_s=lambda openings: 2.0 * openings)
    open_s = unpack_settings(pack_settings(settings)).open_s
    assert callable(open_s)
    assert open_s(3) == 6.0


def test_a_process_without_the_users_module_has_its_classes_all_the_same(tmp_path: Path):
    (tmp_path / "bank_errors.py").write_text("class Late(Exception): pass\n\ndef waits(openings): return 7.0\n")
    packed = tmp_path / "packed"
    write = (
        "import sys; from actors.breaker.packing import pack_settings; "
        "from actors.breaker.settings import BreakerSettings; import bank_errors; "
        "data = pack_settings(BreakerSettings(count=bank_errors.Late, open_s=bank_errors.waits)); "
        "open(sys.argv[1], 'wb').write(data)"
    )
    root = Path(__file__).parents[3]
    path = {"PYTHONPATH": f"{root}:{tmp_path}", "PATH": ""}
    subprocess.run([sys.executable, "-c", write, str(packed)], check=True, env=path, cwd=tmp_path, timeout=100)
    found = unpack_settings(packed.read_bytes())
    assert [rule.__name__ for rule in found.count] == ["Late"]
    assert callable(found.open_s)
    assert found.open_s(1) == 7.0


def test_what_cannot_be_loaded_at_all_is_done_without():
    fields = pickle.loads(pack_settings(BreakerSettings(open_s=is_odd, failed_result=is_odd, count=(BankError,))))
    for value in (fields["open_s"], fields["failed_result"], *fields["count"]):
        object.__setattr__(value, "data", b"nothing that loads")
    found = unpack_settings(pickle.dumps(fields))
    assert found.failed_result is None
    assert outcome_of_error(ValueError(), found) != "failure"
    assert callable(found.open_s)
    with pytest.raises(LookupError, match="cannot be loaded"):
        found.open_s(1)


def test_a_judgement_that_cannot_be_loaded_leaves_settings_that_hold():
    fields = pickle.loads(pack_settings(BreakerSettings(failed_result=is_odd, count=())))
    object.__setattr__(fields["failed_result"], "data", b"nothing that loads")
    assert unpack_settings(pickle.dumps(fields)).failed_result is None
    slow = BreakerSettings(count=(), slow_call_s=1.0, slow_call_rate=0.5)
    assert unpack_settings(pack_settings(slow)) == slow


def test_settings_that_do_not_travel_are_refused():
    import threading  # noqa: PLC0415 - what does not pickle

    lock = threading.Lock()
    with pytest.raises(ConfigError, match="does not pickle"):
        pack_settings(BreakerSettings(failed_result=lambda _: lock.locked()))
    text = "x" * PACKED_BYTES_MAX
    with pytest.raises(ConfigError, match="into a module"):
        pack_settings(BreakerSettings(failed_result=lambda result: result == text))


def test_what_is_kept_travels_with_its_settings():
    settings = BreakerSettings(count=(BankError,))
    kept = Kept(published=Published(state="open", generation=3, wait_s=1.0), settings=settings)
    assert unpack_kept(pack_kept(kept, pack_settings(settings))) == (kept, pack_settings(settings))


RE_ENTRANT = """
import sys
from actors.breaker.packing import unpack_settings

packed = bytes.fromhex({packed!r})
sys.packed = packed
sys.inner = []
whole = unpack_settings(packed)
print(len(sys.inner), whole.failed_result is not None, unpack_settings(packed).failed_result is not None)
"""
USES_ITSELF = """
import sys
from actors.breaker.packing import unpack_settings

if hasattr(sys, "inner"):
    sys.inner.append(unpack_settings(sys.packed))


def failed(result):
    return False
"""


def test_a_module_that_uses_its_breaker_while_it_is_imported_for_it_leaves_nothing_half_unpacked(tmp_path: Path):
    (tmp_path / "uses_itself.py").write_text(USES_ITSELF)
    fields = pickle.loads(pack_settings(BreakerSettings(failed_result=is_odd)))
    object.__setattr__(fields["failed_result"], "data", b"cuses_itself\nfailed\n.")
    code = RE_ENTRANT.format(packed=pickle.dumps(fields).hex())
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{tmp_path}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "1 True True\n", ended.stderr
