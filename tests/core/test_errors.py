import pytest

from harness.core.errors import HarnessError, RequirementViolated, TargetUnreachableError, UsageError


def test_an_error_says_what_and_how_to_fix_it() -> None:
    error = HarnessError("port 8000 is in use", "give another with --bind")
    assert str(error) == "port 8000 is in use (give another with --bind)"
    assert (error.message, error.remedy) == ("port 8000 is in use", "give another with --bind")


def test_an_error_without_a_remedy_is_its_message() -> None:
    assert str(HarnessError("it broke")) == "it broke"
    assert HarnessError("it broke").remedy == ""


@pytest.mark.parametrize("kind", [UsageError, TargetUnreachableError])
def test_what_the_caller_can_fix_is_a_harness_error(kind: type[HarnessError]) -> None:
    assert issubclass(kind, HarnessError)


def test_a_violation_is_the_targets_failure_and_never_ours() -> None:
    assert issubclass(RequirementViolated, AssertionError)
    assert not issubclass(RequirementViolated, HarnessError)


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("https://me:hunter2@host/x", "https://…@host/x"),
        ("https://me:hun/ter2", "https://me:…"),
        ("'https://me:hunter2' is no name", "'https://me:…' is no name"),
        ("http://host:8080/x", "http://host:8080/x"),
        ("give http://HOST:PORT/v1", "give http://HOST:PORT/v1"),
        ("http://[::1]:80/", "http://[::1]:80/"),
    ],
)
def test_a_password_in_a_url_that_is_quoted_is_left_out(quoted: str, shown: str) -> None:
    assert str(UsageError(quoted)) == shown
