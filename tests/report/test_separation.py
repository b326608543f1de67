import numpy as np

from hyper.io.arrays import write_arrays
from hyper.report.separation import separation_notes


def test_the_page_says_whether_faces_are_told_apart(tmp_path):
    files = []
    for subject, network, share in (
        ("01", "dlib", 0.99),
        ("02", "dlib", 0.62),
        ("01", "vggface2", 1.0),
        ("01", "clip", 0.1),
    ):
        files.append(tmp_path / f"{subject}_{network}.h5")
        attributes = {"network": network, "separation": share}
        write_arrays(files[-1], {"stimulus": (np.zeros((2, 3)), ("stimulus", "feature"))}, attributes)
    notes = separation_notes(files)
    assert len(notes) == 2
    assert "dlib tells the stimuli apart in 62.0 %" in notes[0]
    assert "does not separate faces like these" in notes[0]
    assert notes[1].endswith(
        "VGGFace2 tells the stimuli apart in 100.0 % of the comparisons with copies of half the resolution."
    )
    assert separation_notes([]) == []
