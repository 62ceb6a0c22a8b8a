"""The package as others have it: installed from its wheel, outside of any checkout."""
