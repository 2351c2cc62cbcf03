"""The merge: identify, approvals, verify, register, declare, confirm; and the way back."""
