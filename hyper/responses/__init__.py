"""z-maps -> voxel mask and response matrices."""
