"""How long one call takes that reads all profiles and makes the plan of each: `vitrine profile audit`."""

import json
import subprocess
import time

NOTES = {"audit": "all profiles: read, planned and rated in one call"}


def audit():
    begin = time.monotonic()
    done = subprocess.run(["vitrine", "profile", "audit", "--json"], capture_output=True, check=True)
    return (time.monotonic() - begin) * 1000, len(json.loads(done.stdout))


def measure(rounds):
    """Milliseconds of each call, and how many profiles there are; the first call is not counted."""
    _, count = audit()
    return {"audit": [audit()[0] for _ in range(rounds)]}, count
