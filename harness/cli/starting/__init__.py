"""The files that `harness init` writes, as templates: `{url}` and `{version}` are filled in."""
