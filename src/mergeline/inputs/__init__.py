"""I: the digest of what decides the inputs of a project's stages."""
