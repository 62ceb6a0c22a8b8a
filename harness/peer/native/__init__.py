"""The packet path without the interpreter: C, built where somebody asks for it, absent elsewhere."""
