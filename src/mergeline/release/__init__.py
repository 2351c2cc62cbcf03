"""What people ask of a release: where it comes from, its code and data, its predictions."""
