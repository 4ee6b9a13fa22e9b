"""Pairs of versions that nobody thought of: the map of parts is what the author did, and no class is too light."""

from hypothesis import given

from app.engine.run_migration.part_map import map_parts
from tests.engine.plans import plans
from tests.engine.run_migration.edits import Edited, edits
from tests.engine.run_migration.thorough import examples

pairs = plans().flatmap(lambda plan: edits(plan, "2.0.0"))


@examples(150)
@given(edited=pairs)
def test_map_of_parts_is_what_the_author_did(edited: Edited):
    parts = map_parts(edited.old, edited.new)

    assert {new: old for old, new in parts.stages.items()} == {
        path[0]: olds[0][0] for path, olds in edited.origins.items() if len(path) == 1
    }
    assert {(old, new) for old, news in parts.steps.items() for new in news} == {
        (old, path) for path, olds in edited.origins.items() if len(path) == 2 for old in olds
    }
    assert set(parts.questions.items()) == {
        (old, path) for path, olds in edited.origins.items() if len(path) == 3 for old in olds
    }
    assert parts.decisions == edited.decisions
