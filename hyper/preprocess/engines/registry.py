"""Every engine of every step, by name."""

from hyper.preprocess.engines import afni, ants, fsl, spm
from hyper.preprocess.interfaces import anatomy, motion

REALIGN = {**motion.REALIGN, "spm": spm.SpmRealign, "fsl": fsl.FslRealign, "afni": afni.AfniRealign}
ALIGN_RUN = {
    **motion.ALIGN_RUN,
    "spm": spm.SpmAlignRun,
    "fsl": fsl.FslAlignRun,
    "afni": afni.AfniAlignRun,
    "ants": ants.AntsAlignRun,
}
REGISTER_ANATOMICAL = {
    **anatomy.REGISTER_ANATOMICAL,
    "spm": spm.SpmRegisterAnatomical,
    "fsl": fsl.FslRegisterAnatomical,
    "ants": ants.AntsRegisterAnatomical,
}
REGISTER_BOLD = {
    **anatomy.REGISTER_BOLD,
    "spm": spm.SpmRegisterBold,
    "fsl": fsl.FslRegisterBold,
    "ants": ants.AntsRegisterBold,
}
