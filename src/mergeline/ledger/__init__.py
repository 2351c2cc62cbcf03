"""The append-only, hash-chained history of what was reviewed, promoted and rolled back."""
