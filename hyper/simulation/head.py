"""A head around the template's brain: what each point would look like in a T1-weighted and in an EPI image."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from hyper.io.spaces import apply_affine
from hyper.preprocess.template import Template

# grey matter = 1
_EPI = {"gm": 1.0, "wm": 0.75, "csf": 1.3, "base": 0.15, "skull": 0.06, "scalp": 0.3}
# the template's own scale: white matter 0.86, grey matter 0.65
_T1 = {"csf": 0.22, "base": 0.3, "skull": 0.10, "scalp": 0.85}
_CSF_MM, _SKULL_MM, _SCALP_MM = 2.5, 6.0, 6.0
_CLOSING_MM, _PAD_MM, _HULL_MM = 25.0, 42.0, 2.0
# where air meets tissue: orbitofrontal cortex above the sinuses, temporal lobes above the ear canals
# (centre in MNI mm, standard deviation in mm, share of the signal lost)
_DROPOUTS = (
    ((0.0, 34.0, -26.0), (14.0, 14.0, 10.0), 0.85),
    ((-52.0, -22.0, -36.0), (12.0, 14.0, 9.0), 0.7),
    ((52.0, -22.0, -36.0), (12.0, 14.0, 9.0), 0.7),
)


@dataclass(frozen=True)
class Head:
    """The template's brain with fluid, skull and scalp around it.

    Attributes
    ----------
    template : Template
    thickness : ndarray, shape (a, b, c)
        Factor of the thickness of skull and scalp over a box of template space, around 1.
    """

    template: Template
    thickness: np.ndarray

    @property
    def _every(self) -> int:
        """The hull is smooth: every so many voxels of the template are enough for it."""
        return max(int(_HULL_MM / abs(self.template.affine[0, 0])), 1)

    @property
    def _pad(self) -> int:
        return int(np.ceil(_PAD_MM / _HULL_MM))

    @cached_property
    def _padded_affine(self) -> np.ndarray:
        affine = self.template.affine @ np.diag([self._every] * 3 + [1.0])
        affine[:3, 3] = apply_affine(affine, np.full((3, 1), -float(self._pad)))[:, 0]
        return affine

    @cached_property
    def _distances(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances (mm) outside the brain and outside its hull (negative inside), on the padded grid."""
        voxel = abs(float(self._padded_affine[0, 0]))
        brain = np.pad(self.template.brain[:: self._every, :: self._every, :: self._every], self._pad)
        outside = ndimage.distance_transform_edt(~brain, sampling=voxel)
        hull = brain | (ndimage.distance_transform_edt(outside <= _CLOSING_MM, sampling=voxel) > _CLOSING_MM)
        depth = ndimage.distance_transform_edt(~hull, sampling=voxel) - ndimage.distance_transform_edt(
            hull, sampling=voxel
        )
        return outside.astype(np.float32), ndimage.gaussian_filter(depth.astype(np.float32), 2.0 / voxel)

    def bounds(self) -> np.ndarray:
        """Corners, shape (3, 8), of the box of template space that holds the head."""
        index = np.array(np.nonzero(self._distances[1] < _CSF_MM + 1.3 * (_SKULL_MM + _SCALP_MM)))
        low, high = index.min(axis=1), index.max(axis=1)
        corners = np.array([[(low, high)[c >> axis & 1][axis] for c in range(8)] for axis in range(3)], float)
        return apply_affine(self._padded_affine, corners)

    def layers(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Shares of brain, csf around it, base of the skull, skull and scalp at template points; the rest is air.

        Points have shape (3, n), shares (n,).
        """
        padded = apply_affine(np.linalg.inv(self._padded_affine), points)
        gap, depth = (ndimage.map_coordinates(part, padded, order=1, mode="nearest") for part in self._distances)
        factor = ndimage.map_coordinates(self.thickness, self._relative(points), order=1, mode="nearest")
        brain = np.clip(self._sample(self.template.brain.astype(np.float32), points), 0, 1)
        hull = _soft_step(_CSF_MM - depth)
        skull = _soft_step(_CSF_MM + _SKULL_MM * factor - depth)
        scalp = _soft_step(_CSF_MM + (_SKULL_MM + _SCALP_MM) * factor - depth)
        fluid = _soft_step(2 * _CSF_MM - gap)
        shell = {"csf": hull * fluid, "base": hull * (1 - fluid), "skull": skull - hull, "scalp": scalp - skull}
        return {"brain": brain, **{name: part * (1 - brain) for name, part in shell.items()}}

    def tissues(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Shares of gm, wm and csf (inside the brain) at template points, shape (3, n)."""
        brain = np.clip(self._sample(self.template.brain.astype(np.float32), points), 0, 1)
        gm, wm = self._sample(self.template.gm, points), self._sample(self.template.wm, points)
        return {"gm": gm, "wm": wm, "csf": np.clip(brain - gm - wm, 0, 1)}

    def t1(self, points: np.ndarray) -> np.ndarray:
        """T1-weighted signal at template points, shape (3, n) -> (n,); white matter about 0.86."""
        layers = self.layers(points)
        brain = self._sample(self.template.t1, points)
        return brain * layers["brain"] + sum(_T1[name] * layers[name] for name in _T1)

    def epi(self, points: np.ndarray) -> np.ndarray:
        """EPI signal at template points, shape (3, n) -> (n,); grey matter 1, fluid brighter, white matter darker."""
        layers, tissues = self.layers(points), self.tissues(points)
        tissues["csf"] = tissues["csf"] + 0.6 * layers["csf"]
        parts = {**tissues, **{name: layers[name] for name in ("base", "skull", "scalp")}}
        signal = np.sum([_EPI[name] * part for name, part in parts.items()], axis=0)
        for centre, width, share in _DROPOUTS:
            away = ((points - np.reshape(centre, (3, 1))) / np.reshape(width, (3, 1))) ** 2
            signal = signal * (1 - share * np.exp(-0.5 * away.sum(axis=0)))
        return signal.astype(np.float32)

    def _sample(self, volume: np.ndarray, points: np.ndarray) -> np.ndarray:
        voxels = apply_affine(np.linalg.inv(self.template.affine), points)
        return ndimage.map_coordinates(volume, voxels, order=1, mode="constant")

    def _relative(self, points: np.ndarray) -> np.ndarray:
        """Template points as indices into `thickness`."""
        shape = np.array(self._distances[1].shape)
        voxels = apply_affine(np.linalg.inv(self._padded_affine), points)
        return voxels / (shape - 1)[:, None] * (np.array(self.thickness.shape) - 1)[:, None]


def draw_head(template: Template, rng: np.random.Generator) -> Head:
    """Draw a head whose skull and scalp are thicker here and thinner there (standard deviation about 15 %)."""
    return Head(template, np.clip(1 + 0.15 * rng.standard_normal((5, 6, 5)), 0.7, 1.3).astype(np.float32))


def _soft_step(distance: np.ndarray, width: float = 1.5) -> np.ndarray:
    """Share of a voxel of some width on the inner side of an edge at this distance."""
    return np.clip(0.5 + distance / width, 0, 1)
