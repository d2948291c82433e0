"""The small dataset and the models of the evaluation tests."""

from tests.evaluation.conftest import card, model

__all__ = ["card", "model"]
