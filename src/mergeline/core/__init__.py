"""The frozen types, the judge and the digests: no files, no numpy."""
