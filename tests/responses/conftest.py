import pytest

from tests.responses.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path) -> SmallStudy:
    return make_study(tmp_path / "study")
