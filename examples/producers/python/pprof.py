"""Stacks as profile.proto, with the standard library alone."""

import gzip


def encode(stacks, interval_nanos):
    """{((name, file, line), ...): samples}, innermost function first -> the body of a snapshot."""
    strings, functions = {"": 0}, {}

    def text(string):
        return strings.setdefault(string, len(strings))

    types = [field(1, field(1, text(name)) + field(2, text(unit))) for name, unit in COLUMNS]
    samples = [
        field(2, b"".join(field(1, functions.setdefault(function, len(functions) + 1)) for function in stack)
              + field(2, count) + field(2, count * interval_nanos))
        for stack, count in stacks.items()
    ]
    places = [
        field(5, field(1, i) + field(2, text(name)) + field(4, text(file)) + field(5, line))
        + field(4, field(1, i) + field(4, field(1, i) + field(2, line)))
        for (name, file, line), i in functions.items()
    ]
    table = [field(6, string.encode()) for string in strings]
    return gzip.compress(b"".join(types + samples + places + table + [field(12, interval_nanos)]))


COLUMNS = [("samples", "count"), ("cpu", "nanoseconds")]


def field(number, value):
    """A field of a message: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number):
    return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])
