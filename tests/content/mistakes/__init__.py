"""The mistakes of the documents that the systems' owners wrote."""
