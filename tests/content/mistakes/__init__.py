"""The mistakes in the documents that the systems' owners wrote."""
