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
