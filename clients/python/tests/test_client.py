"""Against the node that SPEAR_ADDRESS names; SPEAR_EXAMPLES is the folder `examples`."""

import os
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from spear_client import ChunkEvent, ExecutionFailed, ResultEvent, SpearError, connect

EXAMPLES = Path(os.environ["SPEAR_EXAMPLES"])


class ClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.spear = connect()
        for name in ("cat", "exit", "loop", "stderr-mix", "flood"):
            artifact = (EXAMPLES / "misbehaving" / f"{name}.wasm").read_bytes()
            cls.spear.tasks.register(name, runtime="wasm", artifact=artifact)
        cls.spear.tasks.register("calc", runtime="wasm", artifact=(EXAMPLES / "typed/typed.wasm").read_bytes())

    @classmethod
    def tearDownClass(cls) -> None:
        cls.spear.close()

    def test_input_comes_back_and_a_typed_value_is_json(self) -> None:
        result = self.spear.invoke("cat", input="größe", labels={"of": "python"}, priority="HIGH")
        self.assertEqual((result.text(), result.status, result.exit_code), ("größe", "COMPLETED", 0))
        self.assertEqual((result.labels, result.priority, result.attempt), ({"of": "python"}, "HIGH", 1))
        self.assertEqual(self.spear.invoke("calc", function="add", parameters={"a": 40, "b": 2}).json(), 42)
        listed = [each.execution_id for each in self.spear.list(labels={"of": "python"}, statuses=["COMPLETED"])]
        self.assertEqual(listed, [result.execution_id])

    def test_an_execution_that_fails_says_whose_it_is_and_what_it_wrote(self) -> None:
        with self.assertRaises(ExecutionFailed) as raised:
            self.spear.invoke("exit", args=["3"])
        failed = raised.exception
        self.assertEqual((failed.code, failed.origin, failed.result.exit_code), ("FUNCTION_EXIT", "USER", 3))
        self.assertEqual((failed.output, failed.error_output), (b"bye\n", b"leaving\n"))

    def test_a_refusal_says_its_reason_and_the_field(self) -> None:
        with self.assertRaises(SpearError) as raised:
            self.spear.invoke("nothing")
        self.assertEqual((raised.exception.code, raised.exception.reason), ("NOT_FOUND", "TASK_NOT_FOUND"))
        self.assertEqual(raised.exception.metadata["task"], "nothing")
        with self.assertRaises(SpearError) as raised:
            self.spear.start("cat", labels={"-": "x"})
        self.assertEqual([each.field for each in raised.exception.violations], ['labels."-"'])
        for options in ({"priority": "SOON"}, {"parameters": {"a": object()}}):
            with self.assertRaises(SpearError) as raised:
                self.spear.start("cat", **options)
            self.assertEqual(raised.exception.code, "INVALID_ARGUMENT")

    def test_output_that_no_response_can_carry_comes_whole(self) -> None:
        result = self.spear.invoke("flood", args=["4000000"])
        self.assertEqual((len(result.output), result.output_truncated), (4_000_000, False))

    def test_streams_are_told_apart_and_events_are_numbered(self) -> None:
        execution = self.spear.start("stderr-mix", args=["3"])
        for stream in ("stdout", "stderr"):
            self.assertEqual(b"".join(execution.output(stream)).count(b"\n"), 3)
        events = list(execution.events())
        self.assertEqual([each.sequence for each in events], list(range(1, len(events) + 1)))
        self.assertIsInstance(events[-1], ResultEvent)
        self.assertTrue(any(isinstance(each, ChunkEvent) for each in events))

    def test_a_wait_that_is_over_stops_nothing_and_a_cancel_does(self) -> None:
        execution = self.spear.start("loop")
        self.assertEqual(next(execution.output()), b"looping\n")
        with self.assertRaises(TimeoutError):
            execution.result(timeout=0.05)
        self.assertEqual(execution.status().status, "RUNNING")
        self.assertTrue(execution.cancel("seen"))
        with self.assertRaises(ExecutionFailed) as raised:
            execution.result()
        self.assertEqual(raised.exception.code, "CANCELLED")
        self.assertFalse(execution.cancel())

    def test_several_addresses_are_looked_at_before_one_is_asked(self) -> None:
        for address, said in ((["a:1", "b"], "is 'b'"), ("a:1,,b:2", "is ''"), ([], "is empty"), ("a:1,b:70000", "70000")):
            with self.assertRaises(SpearError) as raised:
                connect(address)
            self.assertEqual(raised.exception.violations[0].field, "address")
            self.assertIn(said, str(raised.exception))

    def test_the_same_invocation_id_joins(self) -> None:
        first = self.spear.start("cat", input="once", invocation_id="python")
        second = self.spear.start("cat", input="once", invocation_id="python")
        self.assertEqual((first.joined, second.joined, second.id), (False, True, first.id))
        with self.assertRaises(SpearError) as raised:
            self.spear.invoke("cat", input="twice", invocation_id="python")
        self.assertEqual(raised.exception.reason, "INVOCATION_ID_IN_USE")

    def test_tasks_are_registered_changed_listed_and_deleted(self) -> None:
        artifact = (EXAMPLES / "misbehaving/cat.wasm").read_bytes()
        tasks = self.spear.tasks
        tasks.register("mine", runtime="wasm", artifact=artifact, grace="1.5s", limits={"max_output_bytes": 1000})
        with self.assertRaises(SpearError) as raised:
            tasks.register("mine", runtime="wasm", artifact=artifact, if_absent=True)
        self.assertEqual(raised.exception.reason, "TASK_EXISTS")
        changed = tasks.update("mine", labels={"team": "b"}, fairness_key="k", expected_revision=1)
        self.assertEqual((changed["revision"], changed["definition"]["labels"]), (2, {"team": "b"}))
        self.assertEqual([each["definition"]["name"] for each in tasks.list({"team": "b"})], ["mine"])
        tasks.delete("mine")
        with self.assertRaises(SpearError):
            tasks.get("mine")

    def test_what_is_held_goes_on_when_it_is_let(self) -> None:
        execution = self.spear.start("cat", start_after=3600)
        self.assertTrue(execution.suspend())
        self.assertTrue(execution.resume())
        execution.cancel()

    def test_a_batch_runs_as_a_graph_and_tells_its_ends(self) -> None:
        members = [
            {"name": "a", "task": "cat", "input": "hello"},
            {"name": "b", "task": "exit", "args": ["3"]},
            {"name": "c", "task": "cat", "depends_on": [{"name": "a", "as_input": True}]},
            {"name": "d", "task": "cat", "depends_on": ["b"]},
        ]
        batch = self.spear.batches.start(members, invocation_id="one-of-python", on_member_failure="CONTINUE")
        self.assertEqual([each["sequence"] for each in batch.ends()], ["1", "2", "3", "4"])
        ended = batch.ended(timeout=60)
        self.assertEqual((ended["members"], ended["completed"], ended["failed"]), (4, 2, 2))
        failed = [(each["name"], each["error_code"]) for each in batch.members(["FAILED"])]
        self.assertEqual(failed, [("b", "FUNCTION_EXIT"), ("d", "DEPENDENCY_FAILED")])
        third = next(each for each in batch.members() if each["name"] == "c")
        self.assertEqual(self.spear.execution(third["execution_id"]).result().text(), "hello")
        again = self.spear.batches.start(members, invocation_id="one-of-python", on_member_failure="CONTINUE")
        self.assertEqual((again.id, again.joined), (batch.id, True))
        self.assertEqual(len(list(self.spear.list(batch=batch.id))), 4)
        self.assertFalse(batch.cancel())
        with self.assertRaises(SpearError) as raised:
            self.spear.batches.start([{"name": "x", "task": "cat", "depends_on": ["x"]}])
        self.assertEqual(raised.exception.code, "INVALID_ARGUMENT")

    def test_a_schedule_is_made_paused_fired_by_hand_and_deleted(self) -> None:
        schedules = self.spear.schedules
        made = schedules.create("daily-of-python", "cat", input="by the clock", cron="0 3 * * *", overlap="ALLOW")
        self.assertEqual(made["definition"]["cron"], "0 3 * * *")
        self.assertEqual(len(schedules.upcoming("daily-of-python", 3)), 3)
        self.assertTrue(schedules.pause("daily-of-python", "later"))
        self.assertEqual(schedules.get("daily-of-python")["pause_reason"], "later")
        firing = schedules.trigger("daily-of-python")
        self.assertEqual(self.spear.execution(firing["execution_id"]).result().text(), "by the clock")
        now = datetime.now(timezone.utc)
        counted = schedules.backfill("daily-of-python", now - timedelta(days=3), now, dry_run=True)
        self.assertEqual(len(counted), 3)
        self.assertEqual(len(schedules.firings("daily-of-python")), 1)
        self.assertTrue(schedules.resume("daily-of-python"))
        self.assertEqual(schedules.update("daily-of-python", "cat", every=3600)["revision"], 2)
        self.assertIn("daily-of-python", [each["definition"]["name"] for each in schedules.list()])
        schedules.delete("daily-of-python")
        with self.assertRaises(SpearError):
            schedules.get("daily-of-python")

    def test_an_alias_is_moved_shared_and_moved_back(self) -> None:
        for name in ("cat", "exit"):
            artifact = (EXAMPLES / "misbehaving" / f"{name}.wasm").read_bytes()
            self.spear.tasks.register("aliased", runtime="wasm", artifact=artifact)
        aliases = self.spear.aliases
        self.assertEqual(aliases.set("aliased", "live", 1)["version"], 1)
        self.assertEqual(self.spear.invoke("aliased", input="one").text(), "one")
        aliases.set("aliased", "live", {1: 90, 2: 10})
        with self.assertRaises(SpearError) as raised:
            aliases.set("aliased", "live", 2, expected_version=1)
        self.assertEqual(raised.exception.code, "ABORTED")
        self.assertEqual(aliases.rollback("aliased")["shares"], [{"revision": 1, "percent": 100}])
        self.assertEqual([each["name"] for each in aliases.list("aliased")], ["live"])
        self.assertEqual([each["revision"] for each in aliases.revisions("aliased")], [2, 1])
        self.assertTrue(aliases.delete("aliased", "live"))

    def test_a_wrong_option_is_named(self) -> None:
        for options in ({"address": "http://x:1"}, {"address": "192.0.2.1:1", "token": "abc"}, {"token": "a b"}):
            with self.assertRaises(SpearError) as raised:
                connect(**options)
            self.assertEqual(raised.exception.reason, "INVALID_FIELD")

    def test_a_node_that_speaks_otherwise_is_not_tried_again(self) -> None:
        address = os.environ["SPEAR_ADDRESS"]
        # The other of the two: over TLS to a node in the clear, or with an authority that did not sign.
        bare = address.replace("https://", "")
        stranger = Path(os.environ["SPEAR_STRANGER"]).read_bytes()
        with connect(f"https://{bare}", token="abc", ca=stranger, retry=3600) as spear:
            with self.assertRaises(SpearError) as raised:
                spear.invoke("cat")
        self.assertEqual(raised.exception.code, "UNAVAILABLE")


if __name__ == "__main__":
    unittest.main()
