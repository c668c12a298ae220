"""Schemathesis asks all that the description allows, and much that it doesn't."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")


def test_description_holds_and_nothing_fails(guarded) -> None:
    schema = schemathesis.openapi.from_dict(guarded.get("/openapi.json").json)
    schema.config.update(base_url=guarded.url)
    accepted = schemathesis.checks.CHECKS.get_one("positive_data_acceptance")
    token = {"Authorization": f"Bearer {guarded.token}"}
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 13
    checks = dict.fromkeys((operation.label for operation in operations), 0)
    for operation in operations:
        allowed = operation.as_strategy()
        others = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
        quick = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

        @quick
        @given(case=st.one_of(allowed, others) if operation.body or operation.query else allowed)
        def ask(case) -> None:
            checks[case.operation.label] += 1
            case.call_and_validate(excluded_checks=[accepted], headers=token)  # a question without a word is none, say

        ask()
    assert min(checks.values()) > 0
