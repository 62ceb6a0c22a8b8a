from __future__ import annotations

import pytest

from harness.call import Caller, scenario


def test_a_scenario_takes_its_title_from_the_first_line_of_the_docstring() -> None:
    @scenario(areas=("turns",))
    async def greeting(caller: Caller) -> None:
        """A caller says hello.

        And more.
        """

    assert (greeting.name, greeting.title, greeting.areas) == ("greeting", "A caller says hello.", ("turns",))


def test_a_scenario_without_a_docstring_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a docstring"):

        @scenario(areas=("turns",))
        async def nameless(caller: Caller) -> None: ...
