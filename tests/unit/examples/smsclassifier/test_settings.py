from __future__ import annotations

import pytest
from smsclassifier.settings import Settings, SettingsError, from_environment


def test_defaults() -> None:
    assert from_environment({}) == Settings()
    assert Settings().version == "v1"
    assert Settings().error_rate == 0.005
    assert Settings().faults == "none"


def test_the_bad_versions_of_the_demonstration() -> None:
    v3 = from_environment({"MODEL": "v2", "MODEL_VERSION": "v3", "FAULT_ERROR_RATE": "0.05"})
    assert (v3.version, v3.model, v3.error_rate) == ("v3", "v2", 0.05)
    assert v3.error_rate == 10 * v3.base_error_rate
    assert from_environment({"FAULT_LATENCY_FACTOR": "1.30"}).faults == "latency factor 1.3"
    assert from_environment({"FAULT_SLOW_START_S": "86400"}).fault_slow_start_s == 86400
    assert from_environment({"FAULT_ALL_HAM": "1"}).fault_all_ham


def test_an_empty_switch_is_off() -> None:
    names = ("FAULT_ERROR_RATE", "FAULT_LATENCY_FACTOR", "FAULT_SLOW_START_S", "FAULT_ALL_HAM", "MODEL_VERSION")
    assert from_environment(dict.fromkeys(names, "")) == Settings()


def test_an_error_rate_of_zero_is_a_fault_switch_too() -> None:
    assert from_environment({"FAULT_ERROR_RATE": "0"}).error_rate == 0


@pytest.mark.parametrize(
    ("environment", "match"),
    [
        ({"MODEL": "v3"}, "MODEL is 'v3', expected one of v1, v2"),
        ({"MODEL_VERSION": "a b"}, "MODEL_VERSION is 'a b', expected letters"),
        ({"MODEL_VERSION": "v" * 64}, "at most 63"),
        ({"FAULT_ERROR_RATE": "5%"}, "FAULT_ERROR_RATE is '5%', expected a number from 0 to 1"),
        ({"FAULT_ERROR_RATE": "1.5"}, "from 0 to 1"),
        ({"BASE_ERROR_RATE": "-0.1"}, "from 0 to 1"),
        ({"BASE_LATENCY_MS": "nan"}, "BASE_LATENCY_MS is 'nan'"),
        ({"FAULT_LATENCY_FACTOR": "0"}, "from 0.01 to 100"),
        ({"FAULT_ALL_HAM": "maybe"}, "FAULT_ALL_HAM is 'maybe', expected 1 or 0"),
        ({"FAULT_SLOW_START_S": "inf"}, "FAULT_SLOW_START_S is 'inf'"),
        ({"PORT": "80.5"}, "PORT is '80.5', expected a whole number"),
        ({"PORT": "70000"}, "from 0 to 65535"),
        ({"FAULT_EROR_RATE": "0.1"}, "FAULT_EROR_RATE: no such fault switch"),
    ],
)
def test_bad_values_are_named(environment: dict[str, str], match: str) -> None:
    with pytest.raises(SettingsError, match=match):
        from_environment(environment)
