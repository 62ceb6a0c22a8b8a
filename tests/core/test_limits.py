import math

import pytest

from harness.core.errors import UsageError
from harness.core.limits import EXAMPLES, LIMITS, check_limits, limit, optional_limit, parse_limit

ENFORCED = [name for name, found in LIMITS.items() if found.default is not None]
NOT_ENFORCED = [name for name, found in LIMITS.items() if found.default is None]


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_described_by_its_name_unit_and_meaning(name: str) -> None:
    found = LIMITS[name]
    assert found.name == name
    assert found.meaning
    suffixes = {"_s": "s", "_ms": "ms", "_percent": "%", "_usd": "USD"}
    units = [unit for suffix, unit in suffixes.items() if name.endswith(suffix)]
    counted = "calls" if name.startswith("calls_") else ""
    assert found.unit == (units[0] if units else counted)
    assert found.default is None or (found.default > 0 and math.isfinite(found.default))


@pytest.mark.parametrize("name", ENFORCED)
def test_a_limit_holds_its_default_until_it_is_overridden(name: str) -> None:
    assert limit({}, name) == LIMITS[name].default
    assert limit({name: 0.25}, name) == 0.25
    assert optional_limit({name: 0.25}, name) == 0.25
    assert limit({"another": 0.25}, name) == LIMITS[name].default


@pytest.mark.parametrize("name", ENFORCED)
def test_a_limit_of_zero_is_a_limit(name: str) -> None:
    assert limit({name: 0.0}, name) == 0.0


@pytest.mark.parametrize("name", NOT_ENFORCED)
def test_a_limit_without_a_default_is_enforced_only_where_configured(name: str) -> None:
    assert optional_limit({}, name) is None
    with pytest.raises(KeyError, match=f"the limit {name} has no default"):
        limit({}, name)
    assert limit({name: 800.0}, name) == optional_limit({name: 800.0}, name) == 800.0


def test_asking_for_what_is_no_limit_is_a_mistake_in_the_requirement() -> None:
    with pytest.raises(KeyError, match="anser_s"):
        limit({}, "anser_s")


def test_the_card_that_the_product_grew_from_gives_the_channel_five_seconds() -> None:
    assert limit({}, "channel_s") == 5.0


def test_known_names_pass() -> None:
    check_limits(LIMITS)
    check_limits([])


def test_an_unknown_limit_is_refused_with_near_names() -> None:
    with pytest.raises(UsageError, match="there is no limit 'latency_m'") as refused:
        check_limits(["answer_s", "latency_m"])
    assert "latency_ms" in refused.value.remedy
    assert "cost_per_run_usd" not in refused.value.remedy


def test_a_name_like_no_limit_is_refused_with_all_of_them() -> None:
    with pytest.raises(UsageError) as refused:
        check_limits(["???"])
    assert all(name in refused.value.remedy for name in LIMITS)


def test_a_limit_is_read_from_a_text() -> None:
    assert parse_limit("latency_ms=800") == ("latency_ms", 800.0)
    assert parse_limit(" loss_percent = 0.5 ") == ("loss_percent", 0.5)


@pytest.mark.parametrize(
    "text", ["latency_ms", "latency_ms=", "latency_ms=soon", "latency_ms=nan", "latency_ms=-1"]
)
def test_a_limit_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="gives latency_ms no number"):
        parse_limit(text)
    with pytest.raises(UsageError, match="there is no limit 'latncy'"):
        parse_limit("latncy=3")


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_proposed_in_place_of_no_number_can_be_written(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_limit(f"{name}=soon")
    proposed = refused.value.remedy.removeprefix("write ").partition(" (unit")[0]
    known = LIMITS[name]
    assert parse_limit(proposed) == (name, known.default or EXAMPLES[known.unit])
