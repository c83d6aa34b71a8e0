"""Lets the tests below this directory import `engine_models`."""
