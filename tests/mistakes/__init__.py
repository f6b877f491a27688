"""The mistakes in the systems owners' documents: each is shown in the original form, and shown to be absent from ours.

One test per row of the list in the requirements. The original's form is checked by the same tool as ours.
"""
