"""Calls and follows by way of several nodes, of which the first is not there, and another goes meanwhile.

Of standard input each line lets it go on. The test reads a line for each thing that has happened.
"""

import json
import sys

from spear_client import ChunkEvent, SpearError, connect


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


with connect() as spear:
    say(text=spear.invoke("ticker", args=["2"]).text())
    execution = spear.start("ticker", args=["40", "100"])
    for event in execution.events():
        say(sequence=event.sequence, kind=type(event).__name__)
    say(attempt=execution.result().attempt, ended=True)
    # It has been cordoned: the other one takes it.
    sys.stdin.readline()
    say(text=spear.invoke("ticker", args=["1"]).text())
    say(batch=spear.batches.start([{"task": "ticker", "args": ["1"]}]).ended()["is_completed"])

with connect([sys.argv[1], sys.argv[1]], retry=0) as nobody:
    try:
        nobody.invoke("ticker")
    except SpearError as error:
        say(code=error.code, message=str(error))
