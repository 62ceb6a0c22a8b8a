"""Misbehaviour on purpose: what faults there are, and which of them the next calls meet."""
