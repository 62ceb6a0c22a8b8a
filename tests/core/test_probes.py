import re

from harness.core import probes

TEXTS = {name: value for name, value in vars(probes).items() if name.isupper() and isinstance(value, str)}


def test_no_two_probes_carry_the_same_mark() -> None:
    assert len(set(TEXTS.values())) == len(TEXTS)


def test_an_ordinary_call_is_no_probe() -> None:
    assert probes.OFFER == "offer"  # the default of HttpRequest.purpose: saved timelines rely on it


def test_prefixes_of_event_ids_cannot_hide_each_other() -> None:
    prefixes = [probes.LARGE_UPDATE, probes.INVALID_UPDATE]
    assert not any(a.startswith(b) for a in prefixes for b in prefixes if a != b)


def test_bad_offers_have_distinct_kebab_case_names() -> None:
    assert len(set(probes.BAD_OFFERS)) == len(probes.BAD_OFFERS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", case) for case in probes.BAD_OFFERS)
