"""`baoshen bench rules`: how long one candidate takes."""

import json

from typer.testing import CliRunner

from deploy.bench.rules import random_facts
from deploy.cli import app
from deploy.intake.packs import packs_in


def test_the_bench_says_how_long_a_candidate_takes_in_the_slowest_pack() -> None:
    result = CliRunner().invoke(app, ["bench", "rules", "--candidates", "200", "--json"])

    [line] = [json.loads(each) for each in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert (line["bench"], line["candidates"], line["packs"]) == ("rules", 200, len(packs_in()))
    assert line["bare_us"] > 0
    assert line["us_per_candidate"] < line["bar_us"]
    assert line["ratio"] > 0


def test_random_candidates_are_the_same_ones_each_time() -> None:
    assert list(random_facts(20)) == list(random_facts(20))
    assert len({facts.model_dump_json() for facts in random_facts(20)}) == 20
