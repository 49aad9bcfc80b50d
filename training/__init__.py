"""What the classifier of messages learns from, and how (`./dev train`; docs/triage.md)."""
