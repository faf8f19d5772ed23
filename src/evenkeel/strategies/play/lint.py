"""Warnings: what loads but is probably not meant."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping

from evenkeel.strategies.play.contradictions import ConditionList, Contradictions
from evenkeel.strategies.play.declarations import FeatureSpec
from evenkeel.strategies.play.expression import Condition
from evenkeel.strategies.play.problem_log import ProblemLog
from evenkeel.strategies.play.scope import Scope


def warn_of_unused(scope: Scope, log: ProblemLog) -> None:
    """Warn of features, structures and setups that nothing refers to; a block may bring more than a play needs."""
    for name, declared in scope.declared.items():
        if name not in scope.used and not log.source.is_inserted(declared.path):
            kind = "structure" if declared.is_structure else "feature"
            log.warn(declared.path, f"the {kind} '{name}' is never used", "remove it", key=True)
    for name in sorted(scope.setups - scope.used_setups):
        if log.source.is_inserted(("setups", name)):
            continue
        log.warn(("setups", name), f"the setup '{name}' is never used", "remove it", key=True)


def warn_of_contradictions(
    lists: Iterable[ConditionList], setups: Mapping[str, Condition], scope: Scope, log: ProblemLog
) -> None:
    """Warn of lists of which some parts never hold together, or one always holds."""
    contradictions = Contradictions(scope, setups)
    for listed in lists:
        for path, doubt in contradictions.doubts(listed):
            log.warn(path, doubt.message, doubt.remedy)


def warn_of_bare_names(features: list[FeatureSpec], log: ProblemLog) -> None:
    """Warn of features whose name does not say with which parameters they are computed."""
    for feature in features:
        numbers = [value for value in feature.params.values() if isinstance(value, int | float)]
        if log.source.is_inserted(("features", feature.id)):
            continue
        if numbers and not any(character.isdigit() for character in feature.id):
            example = f"{feature.indicator}_{numbers[0]:g}".replace(".", "_")
            log.warn(
                ("features", feature.id),
                f"the name '{feature.id}' hides its parameters",
                f"name it {example}",
                key=True,
            )


def warn_of_file_name(name: str, log: ProblemLog) -> None:
    """Warn of a play whose file has another name."""
    path = pathlib.PurePath(log.source.name)
    if path.suffix in (".yaml", ".yml") and path.stem != name:
        log.warn(("name",), f"the play is called '{name}', its file '{path.name}'", f"name the file {name}.yaml")
