"""What people read about rules: where one is in its life, and what each answer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy

from parcelward.risk.queries import Stage
from parcelward.risk.wire import Answer

STAGES: Final[Mapping[str, Any]] = {
    Stage.ACTIVE: gettext_lazy("Acts"),
    Stage.SHADOW: gettext_lazy("In shadow"),
    Stage.DRAFT: gettext_lazy("Draft"),
    Stage.RETIRED: gettext_lazy("Retired"),
}
assert STAGES.keys() == set(Stage), "every stage has its words"  # noqa: S101 -- a hole must stop the start

ANSWERS: Final[Mapping[Answer, Any]] = {
    Answer.ALLOW: gettext_lazy("Let it go on"),
    Answer.STEP_UP: gettext_lazy("Ask for more proof"),
    Answer.REVIEW: gettext_lazy("Let it go on, and a person looks"),
    Answer.HOLD: gettext_lazy("Stop it until a person has looked"),
    Answer.REFUSE: gettext_lazy("Refuse it"),
}
assert ANSWERS.keys() == set(Answer), "every answer has its words"  # noqa: S101 -- as above
