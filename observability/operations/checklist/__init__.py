"""The monitoring checklist: 52 questions, each answered from the state of a running stack."""
