"""Where responses are planted."""

import numpy as np

# Areas of face and object vision. Centres of the right hemisphere (MNI, mm) are typical ones, rounded to 2 mm, and
# semi-axes are generous: V1 at the occipital pole; LO after Larsson and Heeger (2006), J Neurosci 26, 13128; OFA, FFA
# and pSTS after face localizers (Fox, Iaria and Barton 2009, Human Brain Mapping 30, 1637); areas of individuals
# scatter around them (Rosenke et al. 2021, Cerebral Cortex 31, 603).
REGIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "V1": ((10, -90, 0), (12, 14, 14)),
    "LO": ((36, -86, 2), (12, 12, 14)),
    "OFA": ((40, -76, -12), (11, 11, 10)),
    "FFA": ((42, -54, -18), (11, 14, 10)),
    "pSTS": ((52, -48, 8), (11, 13, 11)),
}


def region_names(points: np.ndarray) -> np.ndarray:
    """Name the region of each template point.

    Parameters
    ----------
    points : ndarray, shape (3, n)
        MNI, mm.

    Returns
    -------
    ndarray of str, shape (n,)
        ``left FFA`` and so on; empty outside. Where ellipsoids overlap the one whose centre is nearer, as measured in
        its semi-axes, has it.
    """
    names = np.full(points.shape[1], "", dtype=object)
    nearest = np.ones(points.shape[1])
    for region, (centre, axes) in REGIONS.items():
        for side, sign in (("left", -1), ("right", 1)):
            place = np.array(centre, float) * (sign, 1, 1)
            distance = np.sqrt((((points - place[:, None]) / np.array(axes, float)[:, None]) ** 2).sum(axis=0))
            closer = distance < nearest
            names[closer] = f"{side} {region}"
            nearest[closer] = distance[closer]
    return names
