"""A handler whose CPU is sampled, and published every so many calls."""

import atexit
import os
import signal
import uuid
from collections import Counter

import pprof

INTERVAL_SECONDS = 0.01
stacks, instance = Counter(), uuid.uuid4().hex


def sample(_signal, frame):
    stack = []
    while frame:
        stack.append((frame.f_code.co_name, frame.f_code.co_filename, frame.f_code.co_firstlineno))
        frame = frame.f_back
    stacks[tuple(stack)] += 1


def profiled(handle, put, every=50):
    """The handler with a sampler around it; put(key, body) stores a snapshot."""
    signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    atexit.register(signal.setitimer, signal.ITIMER_PROF, 0)  # Python ends its handlers before the timer ends
    calls = 0

    def handler(event, context):
        nonlocal calls
        result = handle(event, context)
        calls += 1
        if calls % every == 0:  # never from a timer: it stands still while the instance is frozen
            stack, slot = os.environ["AWS_LAMBDA_FUNCTION_NAME"], calls // every % 3
            key = f"sparta/pprof/{stack}/profiles/cpu/{slot}-cpu.{instance}.profile"
            put(key, pprof.encode(stacks, int(INTERVAL_SECONDS * 1e9)))
            stacks.clear()
        return result

    return handler
