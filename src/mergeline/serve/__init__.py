"""The model server: it follows the ledger, and answers requests with the release that is live."""
