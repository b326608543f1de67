import pytest

from hyper.doctor.asked import PACKAGED_BRAIN_MM3, find_count_faults
from hyper.preprocess.template import load_template
from hyper.settings.preprocess import Template
from hyper.settings.responses import Responses


@pytest.mark.parametrize("resolution_mm", [2.0, 4.0])
def test_the_brains_volume_is_that_of_the_packaged_template(resolution_mm):
    volume = load_template(resolution_mm).brain.sum() * resolution_mm**3
    assert volume == pytest.approx(PACKAGED_BRAIN_MM3, rel=1e-3)


@pytest.mark.parametrize(("voxels", "faults"), [(4096, 0), (29_000, 0), (31_000, 1)])
def test_more_voxels_than_the_brain_has_are_refused(voxels, faults):
    found = find_count_faults(Responses(voxels=voxels), Template(resolution_mm=4.0))
    assert len(found) == faults


def test_a_template_of_ones_own_has_a_brain_of_its_own():
    own = Template(resolution_mm=4.0, t1w="brain.nii.gz", space="Own")
    assert find_count_faults(Responses(voxels=31_000), own) == []
