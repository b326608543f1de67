"""Which voxels carry which layer of the generator: searchlight-occlusion."""
