"""Follows a task whose node is killed meanwhile: a line for each event, then the result. The test reads them."""

import json

from spear_client import connect

with connect() as spear:
    execution = spear.start("ticker", args=["5", "100"])
    for event in execution.events():
        print(json.dumps({"sequence": event.sequence, "kind": type(event).__name__}), flush=True)
    result = execution.result()
    again = spear.invoke("ticker", args=["1"], invocation_id="again")
    print(json.dumps({"attempt": result.attempt, "text": result.text(), "again": again.text()}), flush=True)
