"""In every Python process that finds this: modules of the harness are given the library as Windows has it.

A module that Windows lacks cannot be imported from them, and of the others they see what Windows has. The
library's own modules, and other people's, are left as they are: on this system they need what it has.
`BARE` names a JSON file: module → its missing names, or null for a module that is missing itself.
"""

import builtins
import json
import os
from types import ModuleType

with open(os.environ["BARE"]) as file:
    ABSENT = json.load(file)

_import = builtins.__import__
_given = {}


def _as_there(module):
    if module.__name__ not in _given:
        given = ModuleType(module.__name__)
        missing = set(ABSENT[module.__name__])
        given.__dict__.update({k: v for k, v in module.__dict__.items() if k not in missing})
        _given[module.__name__] = given
    return _given[module.__name__]


def _imported(name, space=None, *more, **named):
    spec = (space or {}).get("__spec__")  # its name is the module's also where it is run, as `__main__`
    if name not in ABSENT or not (spec and spec.name.startswith("harness.")):
        return _import(name, space, *more, **named)
    if ABSENT[name] is None:
        raise ModuleNotFoundError(f"No module named {name!r}, where this stands for Windows", name=name)
    return _as_there(_import(name, space, *more, **named))


builtins.__import__ = _imported
